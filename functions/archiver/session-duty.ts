import type { FinalisedBecause } from '../../sdk/consumer/archive/manifest.ts';
import type { OpenRow, StreamKind } from './session-rows.ts';

/** What is to be done about a session now, and up to when the streams have to be in S3 before it may be done. */
export type Duty =
  | { readonly kind: 'sweep'; readonly after: Readonly<Partial<Record<StreamKind, number>>> }
  | {
      readonly kind: 'finalise';
      readonly because: FinalisedBecause;
      readonly after: Readonly<Partial<Record<StreamKind, number>>>;
    };

/**
 * After a revocation a session is deleted at once, again after a minute and after a quarter of an hour: a worker that was frozen
 * or cut off in the middle of a write may have finished it since.
 */
const SWEEPS_AFTER_MS = [0, 60_000, 900_000] as const;
/** A session of which something came after it was finalised is finalised again this long after the last of it. */
const LATE_MS = 60_000;

/**
 * Decides what is due, from the row alone.
 *
 * @param nowMs by the clock of this worker. The times of the row may be by that of another one: a second does not matter here
 * @returns undefined when nothing is due
 */
export function dueOf(row: OpenRow, nowMs: number, idleMs: number): Duty | undefined {
  const { revokedAtMs, endedAtMs, activeAtMs, sweeps, isLate } = row;
  if (revokedAtMs !== undefined) {
    const at = revokedAtMs + (SWEEPS_AFTER_MS[sweeps] ?? Number.POSITIVE_INFINITY);
    return nowMs >= at ? { kind: 'sweep', after: {} } : undefined;
  }
  // Media may lag behind events: everything that had arrived when the end was read has to be there.
  if (endedAtMs !== undefined)
    return { kind: 'finalise', because: 'ended', after: { media: endedAtMs } };
  const silentMs = isLate ? Math.min(LATE_MS, idleMs) : idleMs;
  const silentAtMs = activeAtMs + silentMs;
  if (nowMs < silentAtMs) return undefined;
  // An archive that lags sees no records of a session that goes on: the silence has to be one of the streams.
  const because = isLate ? 'late_records' : 'idle';
  return { kind: 'finalise', because, after: { media: silentAtMs, events: silentAtMs } };
}

/** Whether nothing more is to be done about a revoked session, and its row can go. */
export function isSweptForGood({ revokedAtMs, sweeps }: OpenRow): boolean {
  return revokedAtMs !== undefined && sweeps >= SWEEPS_AFTER_MS.length;
}
