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
 * Heartbeats of its owner do not count any more then, neither for when it was at work nor for what it had written. So the row says both:
 * without the second nobody knows what the owner took along of a stream of which it wrote nothing.
 *
 * @param leftAtMs when the session began to leave the stream, Unix ms; it may have lost the right to write before
 * @param wroteUntilMs what was written when it began to leave, or lost the right: what it drops later stands in no gap
 * @returns undefined where the row stays as it is
 */
export function untoldBlindSince(
  { session, tenure: { unprovedSinceMs } }: UnprovedTenure & BlindSession,
  leftAtMs: number,
  wroteUntilMs: number | undefined,
): ReturnType<ServedSession['session']['blindSince']> {
  const rightMs = unprovedSinceMs === undefined ? leftAtMs : writtenUntil(unprovedSinceMs);
  const since = session.blindSince(Math.min(leftAtMs, rightMs));
  return since && wroteUntilMs !== undefined ? { ...since, wroteUntilMs } : since;
}

interface UnprovedTenure {
  readonly tenure: Pick<ServedSession['tenure'], 'unprovedSinceMs'>;
}

interface BlindSession {
  readonly session: Pick<ServedSession['session'], 'blindSince'>;
}
