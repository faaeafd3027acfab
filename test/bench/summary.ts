import type { BuildName, Step } from './ladder.ts';
import type { Climb } from './runner.ts';
import { median } from './timing.ts';
import type { WorkloadName } from './workloads.ts';

/** Medians over the rounds of one build under one load. */
export interface Point {
  readonly sessions: number;
  readonly framesPerSecond: number;
  /** Of the one core, 0 to 1. */
  readonly load: number;
  readonly usPerFrame: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly rssBytes: number;
  /** Rounds in which the build kept up, of how many. */
  readonly sustained: number;
  readonly rounds: number;
  /** Rounds in which the bench itself was what did not keep up. */
  readonly benchLimited: number;
}

export interface Curve {
  readonly workload: WorkloadName;
  readonly build: BuildName;
  readonly points: readonly Point[];
  /** The most sessions that most rounds sustained; undefined when not even the first step was. */
  readonly best: Point | undefined;
  /** The ladder or the bench ended before the build did: it sustains at least `best`. */
  readonly isOpen: boolean;
  /** RSS that one more session costs, from the first step to the best. */
  readonly bytesPerSession: number | undefined;
}

export function summarize({ workload, build, rounds }: Climb): Curve {
  const all = rounds.flat();
  const steps = [...new Set(all.map(({ sessions }) => sessions))].toSorted((a, b) => a - b);
  const points = steps.map((sessions) => pointOf(all.filter((step) => step.sessions === sessions)));
  const kept = points.filter((point) => point.sustained * 2 > rounds.length);
  const best = kept.at(-1);
  const [first] = kept;
  const last = points.at(-1);
  return {
    workload,
    build,
    points,
    best,
    isOpen: last === best || (last?.benchLimited ?? 0) > 0,
    bytesPerSession:
      first === undefined || best === undefined || first === best
        ? undefined
        : (best.rssBytes - first.rssBytes) / (best.sessions - first.sessions),
  };
}

/** What a load costs is told by the rounds that kept up, if there are any. */
function pointOf(steps: readonly Step[]): Point {
  const kept = steps.filter(({ sustained }) => sustained);
  const told = kept.length > 0 ? kept : steps;
  const of = (value: (step: Step) => number) => median(told.map(value));
  const [p50Ms, p99Ms] = [of((step) => step.p50Ms), of((step) => step.p99Ms)];
  return {
    sessions: steps[0]?.sessions ?? 0,
    framesPerSecond: of(({ frames, wallMs }) => (1_000 * frames) / wallMs),
    load: of(({ cpuMs, wallMs }) => cpuMs / wallMs),
    usPerFrame: of(({ cpuMs, frames }) => (1_000 * cpuMs) / frames),
    p50Ms: isDelay(p50Ms) ? p50Ms : undefined,
    p99Ms: isDelay(p99Ms) ? p99Ms : undefined,
    rssBytes: of(({ rssBytes }) => rssBytes),
    sustained: steps.filter((step) => step.sustained).length,
    rounds: steps.length,
    benchLimited: steps.filter((step) => step.benchLimited).length,
  };
}

/** The floor has none. */
function isDelay(ms: number): boolean {
  return ms > 0;
}

/** The point at a number of sessions, if the build came that far. */
export function pointAt(curve: Curve | undefined, sessions: number): Point | undefined {
  return curve?.points.find((point) => point.sessions === sessions && point.sustained > 0);
}
