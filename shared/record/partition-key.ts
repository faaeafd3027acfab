import { createHash } from 'node:crypto';

/** Characters of a Kinesis partition key. */
const MAX_KEY_CHARS = 256;
/** Leaves room for `#v#` and a hashed channel. */
const MAX_STREAM_CHARS = 200;
const HASHED = '~';
/** The producer takes what stands before the first one for the session. */
const SEPARATOR = '#';

/**
 * The partition key of a stream's audio and events, and the beginning of its other keys: the `rtms_stream_id`. An id
 * that is long, or holds what separates the parts of a key, stands as `~` and its SHA-256: two streams never share
 * a key, and the producer never takes one for another.
 */
export function streamKey(rtmsStreamId: string): string {
  const isPlain =
    rtmsStreamId.length <= MAX_STREAM_CHARS &&
    !rtmsStreamId.includes(SEPARATOR) &&
    !rtmsStreamId.startsWith(HASHED);
  return isPlain ? rtmsStreamId : hashed(rtmsStreamId);
}

/** What decides on the key of a frame. */
export interface KeyedFrame {
  readonly mediaType: string;
  readonly userId?: number;
  readonly channelId?: string;
}

/** Audio of a stream shares one key, so that all speakers keep their common order. Each camera and share has its own. */
export function partitionKeyOf(rtmsStreamId: string, frame: KeyedFrame): string {
  const stream = streamKey(rtmsStreamId);
  if (frame.mediaType === 'audio') return stream;
  const source = String(frame.channelId ?? frame.userId ?? 0);
  const key = `${stream}${SEPARATOR}v${SEPARATOR}${source}`;
  if (key.length <= MAX_KEY_CHARS && !source.startsWith(HASHED)) return key;
  return `${stream}${SEPARATOR}v${SEPARATOR}${hashed(source)}`;
}

function hashed(id: string): string {
  return HASHED + createHash('sha256').update(id).digest('base64url');
}
