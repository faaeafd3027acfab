/**
 * How long, how large and how many anything may be that enters from outside: Zoom's messages, its webhooks,
 * and the rows of the session table. One table, because the same id passes all three doors, and what one door
 * lets through the next one has to be able to hold.
 *
 * What is over a limit is absent or cut where it only describes; it refuses the whole only where nothing can
 * be done without it (the stream id at the webhook, a row of the table).
 */
export const INPUT_LIMITS = {
  /**
   * Bytes of an `rtms_stream_id`. A Kinesis partition key has 256 characters and ours add `#v#` and a
   * participant's ten digits: a longer id would be accepted, streamed, and then refused by Kinesis.
   */
  streamIdBytes: 240,
  /** Bytes of any other opaque id: entity, channel, session, account, chat message, file. */
  idBytes: 256,
  /** Bytes of a participant's or file's name. Longer ones are cut: a frame carries its speaker's name. */
  nameBytes: 512,
  /** Bytes of a reason as text: it only ever reaches a log. */
  reasonBytes: 256,
  /** Bytes of an account event's payload that is recorded as it came. */
  noticeBytes: 4_096,
  /** Characters of the `timestamp` that a keep-alive brings and its answer repeats. */
  keepAliveStampChars: 32,
  /** States, reasons, codes, counts: signed 32-bit, as every store and reader behind us can hold. */
  integerMax: 2 ** 31 - 1,
  /** Zoom's participant ids are unsigned 32-bit numbers. */
  userIdMax: 2 ** 32 - 1,
  /** Server addresses in one webhook, and bytes of each. */
  serverUrls: 32,
  serverUrlBytes: 2_048,
  /** Bytes of a message that carries no media payload: a parser needs 3.5 s for 8 MB of nested arrays. */
  messageBytes: 256 * 1024,
  /** How deep the JSON of a message may nest. */
  messageDepth: 64,
} as const;

/**
 * Ids go into keys, queue messages and log lines: no control characters, lone surrogates or noncharacters,
 * which SQS and JSON readers refuse, or which forge lines.
 */
const STORABLE = /^[^\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]+$/u;

/** Whether a text may be used as an id: not empty, nothing unprintable, at most `maxBytes` of UTF-8. */
export function isId(value: unknown, maxBytes: number = INPUT_LIMITS.idBytes): value is string {
  return (
    typeof value === 'string' &&
    value.length <= maxBytes &&
    STORABLE.test(value) &&
    Buffer.byteLength(value) <= maxBytes
  );
}

/** Whether a text may name an rtmsStream. */
export function isStreamId(value: unknown): value is string {
  return isId(value, INPUT_LIMITS.streamIdBytes);
}

/** Whether a value is a whole number from 0 to `max`. */
export function isCount(value: unknown, max: number = INPUT_LIMITS.integerMax): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

/** Whether a value is a participant's id. */
export function isUserId(value: unknown): value is number {
  return isCount(value, INPUT_LIMITS.userIdMax);
}

/** The longest beginning of a text that has at most `maxBytes` of UTF-8 and does not split a character. */
export function cutText(text: string, maxBytes: number): string {
  // No character has more than three bytes for each of its UTF-16 units.
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text.length > maxBytes ? text.slice(0, maxBytes + 1) : text);
  if (bytes.length <= maxBytes && text.length <= maxBytes) return text;
  let end = Math.min(maxBytes, bytes.length);
  // A byte 10xxxxxx continues the character before it.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
