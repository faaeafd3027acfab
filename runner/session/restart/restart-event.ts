import type { ApiAnswer } from '../../../rtms/api/answer.ts';
import type { Logger } from '../../../shared/logger.ts';
import { encodeEvent } from '../../../shared/record/event.ts';
import type { EventData } from '../../../shared/record/event-data.ts';
import { streamKey } from '../../../shared/record/partition-key.ts';
import type { RestartRegister } from '../../../shared/session-table/restart.ts';
import { type SessionRow, startOf } from '../../../shared/session-table/session-row.ts';
import type { Sink, Unit } from '../../kinesis/unit.ts';

type RestartEvent = EventData['session_restart'];

/** What an event says of an answer of Zoom's REST API. */
export function answerFields(answer: ApiAnswer): Partial<RestartEvent> {
  if (answer.kind === 'ok') return {};
  const { why, status, code, text } = answer;
  return {
    reason: why,
    ...(status > 0 && { status }),
    ...(code !== undefined && { code }),
    ...(text !== undefined && { text }),
  };
}

/** @param restart the register after what is told */
export function restartEvent(
  outcome: RestartEvent['outcome'],
  { tries, reason, nextAtMs }: RestartRegister,
  answer: Partial<RestartEvent> = {},
): RestartEvent {
  const isPending = outcome === 'delayed' || outcome === 'unheard';
  return {
    outcome,
    attempt: tries,
    ...(reason !== 'lost' && { stopReason: reason }),
    ...answer,
    ...(isPending && { nextAtMs }),
  };
}

/**
 * Writes the one event of an epoch that was claimed for a restart. A row that was never started names no meeting, so there
 * is nothing that it could be told of.
 */
export function writeRestartEvent(
  { rtmsStreamId, epoch = 0, ...row }: SessionRow,
  data: RestartEvent,
  nowMs: number,
  { events, logger }: { readonly events: Pick<Sink, 'put'>; readonly logger: Logger },
): void {
  const start = startOf({ rtmsStreamId, ...row });
  if (start === undefined) return;
  const { product, entityId } = start;
  const origin = { rtmsStreamId, epoch, product, entityId };
  const line = encodeEvent(origin, 'session_restart', 1, nowMs, data);
  const lost = (cause: unknown) =>
    logger.error('a session_restart event is lost', {
      event: 'restart_untold',
      rtmsStreamId,
      cause,
    });
  const unit: Unit = {
    partitionKey: streamKey(rtmsStreamId),
    class: 'event',
    records: [line],
    sequence: 1,
    capturedAtMs: nowMs,
    payloadBytes: line.length,
    receipt: { written() {}, dropped: (_unit, cause) => lost(cause) },
  };
  try {
    events.put(unit);
  } catch (error) {
    lost(error);
  }
}
