import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import type { MissReason } from '../record/session-causes.ts';
import type { MissedRegister } from './registers.ts';
import { planOf, type RestartRegister } from './restart.ts';
import { type SessionRow, startOf, wantedState } from './session-row.ts';

/** Zoom keeps a stream for somebody who connects about this long. */
const ZOOM_WINDOW_MS = 60_000;
/** A runner with room claims a start within a second or two; one that waited this long waited for room. */
const NO_ROOM_MS = 10_000;

type Times = Pick<SessionRow, 'startEventTsMs' | 'requestedAtMs' | 'claimedAtMs'>;

/**
 * Whether a run that was claimed first just now was late, and whose fault that was: Zoom's webhook came when the window
 * had passed, or no runner took the stream within it. undefined: it was in time.
 */
export function lateness(times: Times): 'came_too_late' | 'no_room' | undefined {
  const { startEventTsMs = 0, requestedAtMs = 0, claimedAtMs = requestedAtMs } = times;
  if (requestedAtMs - startEventTsMs > ZOOM_WINDOW_MS) return 'came_too_late';
  return claimedAtMs - requestedAtMs > ZOOM_WINDOW_MS ? 'no_room' : undefined;
}

/**
 * Why a run that nobody serves was never recorded: its start may not be used, or Zoom has stopped it.
 *
 * @returns undefined while somebody may still serve it
 */
export function missReasonOf(row: SessionRow): MissReason | undefined {
  const { startEventTsMs = 0, stopEventTsMs = 0, epoch = 0, endedReason, strikes = 0 } = row;
  const { endedStartEventTsMs = Number.NEGATIVE_INFINITY } = row;
  if (endedStartEventTsMs >= startEventTsMs) return undefined;
  const wanted = wantedState(row);
  if (wanted.state === 'started') {
    return wanted.start.serverUrls.length === 0 ? 'address_refused' : undefined;
  }
  if (wanted.state === 'nothing') return undefined;
  if (wanted.stopReason === STOP_REASON.STREAM_REVOKED) return 'revoked';
  if (startOf(row)?.serverUrls.length === 0) return 'address_refused';
  if (strikes > 0) return 'defect';
  const late = lateness(row.epoch ? { ...row, claimedAtMs: row.requestedAtMs ?? 0 } : row);
  if (late !== undefined) return late;
  const wasClaimed = epoch > 0 && endedReason === undefined;
  if (wasClaimed) return 'not_connected';
  return stopEventTsMs - startEventTsMs > NO_ROOM_MS ? 'no_room' : 'stopped_first';
}

/**
 * The register of a run that nobody serves; its event opens an epoch of its own.
 *
 * @param nowMs Unix ms
 */
export function missedUnserved(
  row: SessionRow,
  reason: MissReason,
  nowMs: number,
  restart?: RestartRegister,
): MissedRegister {
  const { stopReason } = row;
  const isStopped = wantedState(row).state === 'stopped';
  return {
    reason,
    atMs: nowMs,
    epoch: (row.epoch ?? 0) + 1,
    sequence: 1,
    ...(isStopped && stopReason !== undefined && { stopReason }),
    ...(restart && { restart: planOf(restart) }),
    ledger: [{ mediaType: 'events', received: 0, written: 0, lost: 0 }],
  };
}

/** What the made-up stream ids of notices begin with: Zoom names no stream where none came to be. */
export const NOTICE_ID = 'notice-';

/** The register of a meeting that is live at Zoom and was never announced: the only event of its made-up stream. */
export function missedUnannounced(atMs: number): MissedRegister {
  const ledger = [{ mediaType: 'events', received: 0, written: 0, lost: 0 }] as const;
  return { reason: 'not_announced', atMs, epoch: 1, sequence: 1, ledger };
}

/** The register of a start of which Zoom itself says that it brought no stream; the notice stands before it. */
export function missedByNotice(reason: MissReason, atMs: number): MissedRegister {
  const ledger = [{ mediaType: 'events', received: 1, written: 1, lost: 0 }] as const;
  return { reason, atMs, epoch: 1, sequence: 2, ledger };
}
