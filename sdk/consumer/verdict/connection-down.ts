import { STOP_REASON } from '../../../rtms/protocol/stop-reason.ts';
import type { EventData } from '../../../shared/record/event-data.ts';

/** A connection that is down. */
export interface Down {
  readonly scope: string;
  readonly sinceMs: number;
}

/** @returns what tells connections apart: their scope, and the camera where each camera has a connection of its own */
export function downKey({ scope, userId }: { scope: string; userId?: number | undefined }): string {
  return userId === undefined ? scope : `${scope}/${userId}`;
}

/** A camera that is not selected any more does not reconnect, and nothing of it is missed. */
export function dropCameras(
  down: Map<string, Down>,
  { cameras }: EventData['video_selected'],
): void {
  if (cameras === undefined) return;
  const selected = cameras.map(({ userId }) => downKey({ scope: 'video', userId }));
  for (const key of [...down.keys()]) {
    if (key.startsWith('video/') && !selected.includes(key)) down.delete(key);
  }
}

/** At the end of a meeting Zoom closes its sockets before it says so, by message or webhook, and says it within this time. */
const CLOSED_BEFORE_END_MS = 5_000;

/**
 * A connection that was down at the end of a stream either was lost while the stream ran, or was closed with it.
 *
 * | who ended it | lost if it was down for longer than |
 * |---|---|
 * | Zoom, because of the host, the app or the end of the meeting | 5 s: Zoom closes its sockets first |
 * | Zoom, because something broke; or the runner, because it could not connect | 0: the meeting goes on |
 * | an operator | 0: the owner ends it itself, and Zoom streams on until it hears of that. It may even begin another run meanwhile |
 * | Zoom or an operator, told by an older runner without `leftAtMs` | never: its event may have waited for Kinesis for any time |
 *
 * @returns ms
 */
export function closedBeforeEndMs(end: EventData['session_ended']): number {
  const { leftAtMs, restartable, stopReason } = end;
  if (restartable || stopReason === undefined) return 0;
  if (leftAtMs === undefined) return Number.POSITIVE_INFINITY;
  return stopReason === STOP_REASON.RECEIVER_REQUEST_CLOSE ? 0 : CLOSED_BEFORE_END_MS;
}
