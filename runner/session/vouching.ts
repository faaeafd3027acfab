import type { ServedSession } from './pool-options.ts';
import { writtenUntil } from './recording/blind-time.ts';

/**
 * Most endings are over sooner, and the row says since when then. If the owner dies within this time, its last heartbeat is as good:
 * `writtenUntil` takes that much off.
 */
export const LEAVING_UNTOLD_MS = 1_000;

/**
 * Whoever comes after a task that died takes its last heartbeat for the last moment at which it received its streams, all that the
 * table says are its own. So a heartbeat counts for that only while the task can stand for each of them:
 *
 * | the stream | its owner's heartbeats count |
 * |---|---|
 * | is received, and may be written | yes |
 * | is suspended: its row has not been proved since the lease lapsed | when it is proved |
 * | was dropped like that, and the lease came back | when the row says since when nothing of it was written |
 * | is left, and its ending takes long | when the row says since when |
 * | was claimed, and the claim's answer was lost | yes: its row says that media has not flowed in this epoch |
 * | was claimed by a process before, under the same name | never: `startedAtMs` of the task is later than the claim |
 *
 * @returns whether a heartbeat that is sent now counts as far as this session is concerned
 */
export function vouchesFor(
  { tenure, left }: Pick<ServedSession, 'left'> & UnprovedTenure,
  nowMs: number,
): boolean {
  if (tenure.unprovedSinceMs !== undefined) return false;
  return left === undefined || left.isTold || nowMs - left.atMs < LEAVING_UNTOLD_MS;
}

/**
 * What the row has to say to the next owner if the epoch gets no last event.
 *
 * @param leftAtMs when the session began to leave the stream, Unix ms; it may have lost the right to write before
 * @returns undefined where the row stays as it is
 */
export function untoldBlindSince(
  { session, tenure: { unprovedSinceMs } }: UnprovedTenure & BlindSession,
  leftAtMs: number,
): ReturnType<ServedSession['session']['blindSince']> {
  if (unprovedSinceMs === undefined) return session.blindSince(leftAtMs);
  return session.blindSince(Math.min(leftAtMs, writtenUntil(unprovedSinceMs)));
}

interface UnprovedTenure {
  readonly tenure: Pick<ServedSession['tenure'], 'unprovedSinceMs'>;
}

interface BlindSession {
  readonly session: Pick<ServedSession['session'], 'blindSince'>;
}
