import { STOP_REASON } from '../../../rtms/protocol/stop-reason.ts';
import type { HistoryEvent, Problem, RowImage } from '../history.ts';

const SESSION = 'SESSION#';

/**
 * Does a row say that an epoch is over, and Kinesis does not have the last event of it? Nobody would ever tell what is missing of
 * that epoch: the next owner of a row that was handed over has nothing to say of the one before, and a row that has ended has no
 * next owner. A revocation has to be in the records too, and a missed stream before its row counts as told.
 */
export function judgeLastEvents(history: readonly HistoryEvent[]): Problem[] {
  const recorded = new Set<string>();
  const problems: Problem[] = [];
  for (const event of history) {
    if (event.kind === 'record' && event.stream === 'events') {
      for (const { rtmsStreamId, epoch, type } of event.units) {
        recorded.add(`${rtmsStreamId} ${epoch} ${type}`);
      }
    }
    if (event.kind !== 'row' || event.phase !== 'applied' || event.met !== true) continue;
    if (!event.row.startsWith(SESSION)) continue;
    const rtmsStreamId = event.row.slice(SESSION.length);
    for (const { epoch, type } of owed(event.before, event.after)) {
      if (recorded.has(`${rtmsStreamId} ${epoch} ${type}`)) continue;
      const words = `${event.process} wrote that epoch ${epoch} of ${rtmsStreamId} is over, and Kinesis has no ${type} of it`;
      problems.push({ judge: 'ending', step: event.step, words });
    }
  }
  return problems;
}

interface OwedEvent {
  readonly epoch: number;
  readonly type: string;
}

/** The events that have to be in Kinesis when a row changes like this. */
function owed(before: RowImage = {}, after: RowImage = {}): OwedEvent[] {
  const epoch = Number(after['epoch'] ?? 0);
  const isNew = (attribute: string) =>
    after[attribute] !== undefined && after[attribute] !== before[attribute];
  const missed = before['missed'] as { readonly epoch: number } | undefined;
  if (before['untold'] === true && after['untold'] === undefined && missed !== undefined) {
    return [{ epoch: missed.epoch, type: 'session_missed' }];
  }
  // A task that gives a stream away twice does so in two epochs, and its claim takes the mark of the first one away.
  if (isNew('handedOverBy')) return [{ epoch, type: 'session_handed_over' }];
  const reason = after['endedReason'];
  // That of a missed stream comes when the row says so, which `untold` stands for.
  if (!isNew('endedReason') || reason === 'missed') return [];
  const ended = { epoch, type: 'session_ended' };
  return reason === STOP_REASON.STREAM_REVOKED
    ? [{ epoch, type: 'session_revoked' }, ended]
    : [ended];
}
