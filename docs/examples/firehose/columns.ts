import type { ReceivedEvent } from '../../../sdk/consumer/index.ts';

/**
 * The columns of the table, in their order, with Hive's types. The Glue table and the rows of the Lambda function both come from here: a
 * field that is in one alone would be dropped by Firehose without a word.
 */
export const COLUMNS = {
  /** `<rtms_stream_id>/<epoch>/<sequence>`: the same for every delivery of one event, so it is what a row is counted by. */
  event_id: 'string',
  rtms_stream_id: 'string',
  epoch: 'bigint',
  sequence: 'bigint',
  /** `transcript`, `chat` or `session_revoked`. */
  kind: 'string',
  product: 'string',
  entity_id: 'string',
  /** When it was said, by Zoom. */
  said_at: 'timestamp',
  user_id: 'bigint',
  channel_id: 'string',
  user_name: 'string',
  said: 'string',
  /** Of a transcript: Zoom's name, as `ENGLISH`. */
  spoken_language: 'string',
  start_ms: 'bigint',
  end_ms: 'bigint',
  /** Of a chat message. Editing and deleting are rows of their own. */
  message_id: 'string',
  parent_message_id: 'string',
  operation: 'string',
  /** When Kinesis took the record. */
  arrived_at: 'timestamp',
} as const;

export type Row = { readonly [Name in keyof typeof COLUMNS]?: string | number };

/** @returns the row of an event, or undefined of one that is not kept */
export function rowOf(event: ReceivedEvent, arrivedAtMs: number): Row | undefined {
  const what = saidIn(event);
  if (what === undefined) return undefined;
  const { id, rtmsStreamId, epoch, sequence, name, product, entityId, time } = event;
  return {
    event_id: id,
    rtms_stream_id: rtmsStreamId,
    epoch,
    sequence,
    kind: name,
    product,
    entity_id: entityId,
    said_at: time.toISOString(),
    ...what,
    arrived_at: new Date(arrivedAtMs).toISOString(),
  };
}

function saidIn(event: ReceivedEvent): Row | undefined {
  if (event.name === 'transcript') {
    const { text, userId, channelId, userName, languageName, startMs, endMs } = event.data;
    return present({
      user_id: userId,
      channel_id: channelId,
      user_name: userName,
      said: text,
      spoken_language: languageName,
      start_ms: startMs,
      end_ms: endMs,
    });
  }
  if (event.name === 'chat') {
    const { text, sender, messageId, parentMessageId, operation } = event.data;
    return present({
      user_id: sender?.userId,
      user_name: sender?.userName,
      said: text,
      message_id: messageId,
      parent_message_id: parentMessageId,
      operation,
    });
  }
  // Without it nobody who asks the table knew that what is in it must be deleted.
  return event.name === 'session_revoked' ? {} : undefined;
}

function present(fields: { readonly [Name in keyof Row]: string | number | undefined }): Row {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
