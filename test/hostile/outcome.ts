import type { Gauges } from './gauges.ts';

/** What one attack did to the runner, and to two meetings that the same runner serves. */
export interface Outcome extends Gauges {
  readonly attack: string;
  readonly rule: string;
  /** Runner processes that ended. */
  readonly deaths: number;
  /** Frames of the neighbours that no record has. */
  readonly neighboursLost: number;
  /** What the runner holds after the attack once all garbage is collected, MB: its heap and what belongs to it outside. */
  readonly heldMb: number;
  /** From capture until it could be read, ms, of the neighbours' frames of that time. */
  readonly neighboursLateMs: number;
  /** The same in the time just before, while nobody attacked. */
  readonly undisturbedMs: number;
  /** What broke a rule, in words; empty when the attack did nothing. */
  readonly broken: readonly string[];
}

export const LATE = 'neighbours were late';
/** More than any buffer of one session may take, with the garbage that fills it. */
const MAX_GROWTH_MB = 256;

/** Which rules it broke, in words. */
export function brokenBy(outcome: Omit<Outcome, 'broken'>): string[] {
  const { deaths, neighboursLost, neighboursLateMs, undisturbedMs } = outcome;
  const grown = outcome.memoryPeakMb - outcome.memoryBeforeMb;
  return [
    ...(deaths > 0 ? [`${deaths} runners died`] : []),
    ...(neighboursLost > 0 ? [`neighbours lost ${neighboursLost} frames`] : []),
    // Where nothing came in time even undisturbed, the attack is not judged at all.
    ...(Number.isFinite(undisturbedMs) && neighboursLateMs <= 2 * undisturbedMs ? [] : [LATE]),
    ...(grown > MAX_GROWTH_MB ? [`${grown} MB more memory`] : []),
  ];
}
