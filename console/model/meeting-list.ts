import { isUnowned, type SessionRow } from '../../shared/session-table/session-row.ts';
import { stateOf } from '../../shared/session-table/session-status.ts';
import type { MeetingSummary } from '../views.ts';
import type { MeetingLog } from './meeting-log.ts';

/** More the page does not list; it says how many there are. */
const MOST_MEETINGS_SHOWN = 300;
/** In this order: what needs somebody's attention comes first. */
const ORDER = ['quarantined', 'waiting', 'interrupted', 'paused', 'serving', 'seen', 'ending'];

/** Joins what the session table says of each meeting with what was read of it. */
export function meetingList(
  rows: readonly SessionRow[],
  logs: readonly MeetingLog[],
  nowMs: number,
): { readonly meetings: MeetingSummary[]; readonly more: number } {
  const byId = new Map(logs.map((log) => [log.rtmsStreamId, log]));
  const rowed = rows.map((row) => summaryOf(row, byId.get(row.rtmsStreamId), nowMs));
  const ids = new Set(rows.map(({ rtmsStreamId }) => rtmsStreamId));
  const unrowed = logs
    .filter(({ rtmsStreamId, startedAtMs, isOver }) => {
      return !ids.has(rtmsStreamId) && (startedAtMs !== undefined || isOver);
    })
    .map((log) => summaryOf(undefined, log, nowMs));
  const all = [...rowed, ...unrowed].sort(
    (a, b) => rank(a.state) - rank(b.state) || (b.requestedAtMs ?? 0) - (a.requestedAtMs ?? 0),
  );
  return {
    meetings: all.slice(0, MOST_MEETINGS_SHOWN),
    more: Math.max(0, all.length - MOST_MEETINGS_SHOWN),
  };
}

function summaryOf(
  row: SessionRow | undefined,
  log: MeetingLog | undefined,
  nowMs: number,
): MeetingSummary {
  const state = row === undefined ? (log?.state ?? 'seen') : stateOf(row, nowMs);
  // The table does not say that Zoom has interrupted or paused a stream; its owner serves it all the same.
  const told = state === 'serving' && log !== undefined && !log.isOver ? log.state : state;
  return {
    rtmsStreamId: row?.rtmsStreamId ?? log?.rtmsStreamId ?? '',
    state: told === 'seen' ? state : told,
    product: row?.product ?? log?.product,
    name:
      row?.topic ||
      row?.meetingId ||
      row?.webinarId ||
      log?.name ||
      row?.entityId ||
      row?.rtmsStreamId ||
      '',
    owner: row === undefined ? undefined : isUnowned(row) ? undefined : row.owner,
    epoch: row?.epoch ?? log?.epoch,
    requestedAtMs: row?.requestedAtMs ?? log?.startedAtMs,
    lagMs: state === 'serving' ? log?.lagMs : undefined,
    lines: log === undefined ? 0 : log.lines.next - 1,
    participants: log?.people.present ?? 0,
    request: row?.operatorRequest,
    outcome: log?.outcome,
  };
}

function rank(state: string): number {
  const index = ORDER.indexOf(state);
  return index === -1 ? ORDER.length : index;
}
