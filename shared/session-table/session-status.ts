import { nameOf } from '../../rtms/protocol/constants.ts';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import { isUnowned, RESTARTS, type SessionRow, UNOWNED, wantedState } from './session-row.ts';

/**
 * - `serving`: a runner owns the session, and Zoom wants it
 * - `waiting`: Zoom wants the session, and nobody owns it
 * - `quarantined`: as `waiting`, but no runner claims the session for a while, because it has ended two owners
 * - `ending`: Zoom has stopped the session, and its owner has not finished
 * - `ended`: nothing is left to do
 */
export type SessionStatus = 'serving' | 'waiting' | 'quarantined' | 'ending' | 'ended';

export function stateOf(row: SessionRow, nowMs: number): SessionStatus {
  if (row.owner === UNOWNED && (row.quarantinedUntilMs ?? 0) > nowMs) return 'quarantined';
  if (wantedState(row).state === 'started') return isUnowned(row) ? 'waiting' : 'serving';
  return row.owner === undefined || row.owner === RESTARTS ? 'ended' : 'ending';
}

/** Zoom's name of the stop reason where it gave one; undefined before the end. */
export function endOf({ endedReason }: SessionRow): string | undefined {
  if (typeof endedReason !== 'number') return endedReason;
  return nameOf(STOP_REASON, endedReason) ?? String(endedReason);
}

/** Has Zoom taken back the consent to the stream? What people have said or chosen in it is then given to nobody any more. */
export function isRevoked({ stopReason, endedReason }: SessionRow): boolean {
  return [stopReason, endedReason].includes(STOP_REASON.STREAM_REVOKED);
}
