import { EventDecoder, type RtmsEventOf } from '../../sdk/consumer/records/event-record.ts';
import type { Frame } from '../../sdk/consumer/records/frame.ts';
import { FrameDecoder, type KinesisRecord } from '../../sdk/consumer/records/records.ts';
import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import { encodeEvent } from '../../shared/record/event.ts';
import type { EventData, EventName } from '../../shared/record/event-data.ts';
import { encodeAggregate } from '../../shared/record/kpl.ts';
import type { MediaRecord } from '../../shared/record/media-record.ts';

/** Meeting zero of all made-up frames. */
export const START_MS = 1_800_000_000_000;

/** Twenty milliseconds of L16, 16 kHz mono, of user 7; the payload tells the sequence number. */
export function mediaRecord(changes: Partial<MediaRecord> = {}): MediaRecord {
  const sequence = changes.sequence ?? 1;
  return {
    rtmsStreamId: 'stream-1',
    epoch: 1,
    sequence,
    mediaType: 1,
    ...(changes.channelId === undefined && { userId: 7 }),
    userName: 'Ada',
    capturedAtMs: START_MS + (sequence - 1) * 20,
    receivedAtMs: START_MS + sequence * 20,
    codec: 1,
    sampleRateHz: 16_000,
    channels: 1,
    payload: Buffer.alloc(640, sequence),
    ...changes,
  };
}

let counter = 0;

/** One Kinesis record of bytes, with the next sequence number. */
export function kinesisRecord(data: Uint8Array, partitionKey = 'stream-1'): KinesisRecord {
  counter += 1;
  return { data, partitionKey, sequenceNumber: String(counter).padStart(20, '0') };
}

/** One Kinesis record that carries these media records, aggregated when there are several. */
export function packed(records: readonly MediaRecord[], partitionKey?: string): KinesisRecord {
  const bytes = records.map(encodeMediaRecord);
  const key = partitionKey ?? 'stream-1';
  const data = bytes.length === 1 ? (bytes[0] as Buffer) : encodeAggregate(key, bytes);
  return kinesisRecord(data, key);
}

/** The frame that a media record becomes. */
export function frame(changes: Partial<MediaRecord> = {}): Frame {
  const [made] = new FrameDecoder().decode(packed([mediaRecord(changes)]));
  if (!made) throw new Error('no frame');
  return made;
}

const ORIGIN = {
  rtmsStreamId: 'stream-1',
  epoch: 1,
  product: 'meeting',
  entityId: 'a/b==',
} as const;

/** The bytes of one event. */
export function eventBytes<Name extends EventName>(
  name: Name,
  data: EventData[Name],
  sequence = 1,
  origin: { rtmsStreamId?: string; epoch?: number; timeMs?: number } = {},
): Buffer {
  const { timeMs = START_MS, ...of } = origin;
  return encodeEvent({ ...ORIGIN, ...of }, name, sequence, timeMs, data);
}

/** One event as a consumer sees it. */
export function event<Name extends EventName>(
  ...args: Parameters<typeof eventBytes<Name>>
): RtmsEventOf<Name> {
  const [made] = new EventDecoder().decode(kinesisRecord(eventBytes(...args)));
  if (!made) throw new Error('no event');
  return made as RtmsEventOf<Name>;
}
