import { crc32 } from 'node:zlib';
import { ServiceError } from '../errors.ts';
import type { InternedTexts } from '../interned-texts.ts';
import { type DecodedMediaRecord, KEY } from './media-record.ts';
import { asBuffer, malformedRecord, WIRE_TYPE } from './protobuf.ts';
import { WireReader } from './wire-reader.ts';

const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Decodes and checks one message. Fields of later versions are skipped.
 *
 * @returns the payload as a view into `bytes`
 * @throws ServiceError `record/malformed` when this is not a complete media record, `record/bad-checksum` when
 *   the payload was damaged
 */
export function decodeMediaRecord(bytes: Uint8Array): DecodedMediaRecord {
  return readMediaRecord(asBuffer(bytes), 0, bytes.length);
}

/**
 * `decodeMediaRecord` for the message in `bytes[start, end)`.
 *
 * Nearly every key, number and length takes one byte and is read right here, because a call per field costs more than
 * the field. Longer ones are read by `WireReader`.
 *
 * @param known ids and names of earlier records
 */
export function readMediaRecord(
  bytes: Buffer,
  start: number,
  end: number,
  known?: InternedTexts,
): DecodedMediaRecord {
  const reader = new WireReader(bytes, start, end);
  const record = blank();
  let checksum = 0;
  let complete = false;
  let at = start;
  while (at < end) {
    let key = bytes[at] as number;
    if (key < 0x80 && key >= 0x08) at += 1;
    else {
      reader.offset = at;
      key = reader.key();
      at = reader.offset;
    }
    const wireType = key & 7;
    if (wireType === WIRE_TYPE.VARINT || wireType === WIRE_TYPE.BYTES) {
      // The number itself, or the length of what follows.
      let value = bytes[at] as number;
      if (value < 0x80 && at < end) at += 1;
      else {
        reader.offset = at;
        value = reader.varint();
        at = reader.offset;
      }
      if (wireType === WIRE_TYPE.VARINT) {
        setNumber(record, key, value);
        continue;
      }
      const from = at;
      if (value > end - from) throw malformedRecord('field longer than its message');
      at += value;
      if (key === KEY.PAYLOAD) {
        record.payload = bytes.subarray(from, at);
        complete = true;
      } else setText(record, key, bytes, from, at, known);
    } else {
      reader.offset = at;
      if (key === KEY.PAYLOAD_CRC32) checksum = reader.fixed32();
      else reader.skip(key);
      at = reader.offset;
    }
  }
  if (record.rtmsStreamId === '' || !record.epoch || !record.sequence || !record.mediaType) {
    throw malformedRecord('not a media record: no stream id, epoch, sequence or media type');
  }
  if (!complete) throw malformedRecord('media record without a payload');
  if (record.userId === undefined && record.channelId === undefined) {
    throw malformedRecord('media record without a source');
  }
  if (record.chunkIndex !== 0 && record.chunkIndex >= record.chunkCount) {
    throw malformedRecord('chunk number beyond the chunk count');
  }
  // Checked in an aggregate, too: its MD5 covers the bytes as they were packed. Only this checksum covers them from the
  // frame's arrival to the packing, through memory and spool.
  if (crc32(record.payload) !== checksum) {
    const { rtmsStreamId, epoch, sequence } = record;
    throw new ServiceError('record/bad-checksum', 'media payload does not match its checksum', {
      detail: { rtmsStreamId, epoch, sequence },
    });
  }
  return record;
}

type Draft = { -readonly [Name in keyof DecodedMediaRecord]: DecodedMediaRecord[Name] };

/** All fields in one order, so that V8 gives every record the same hidden class. */
function blank(): Draft {
  return {
    rtmsStreamId: '',
    epoch: 0,
    sequence: 0,
    mediaType: 0,
    userId: undefined,
    channelId: undefined,
    userName: '',
    capturedAtMs: 0,
    receivedAtMs: 0,
    codec: 0,
    sampleRateHz: 0,
    channels: 0,
    width: 0,
    height: 0,
    chunkIndex: 0,
    chunkCount: 0,
    payload: EMPTY,
    recovered: undefined,
  };
}

/** Ignores unknown fields. */
function setNumber(record: Draft, key: number, value: number): void {
  switch (key) {
    case KEY.EPOCH:
      record.epoch = asUint32(value);
      return;
    case KEY.SEQUENCE:
      record.sequence = asSafe(value);
      return;
    case KEY.MEDIA_TYPE:
      record.mediaType = asUint32(value);
      return;
    case KEY.USER_ID:
      record.userId = asUint32(value);
      record.channelId = undefined;
      return;
    case KEY.CAPTURED_AT_MS:
      record.capturedAtMs = asSafe(value);
      return;
    case KEY.RECEIVED_AT_MS:
      record.receivedAtMs = asSafe(value);
      return;
    case KEY.CODEC:
      record.codec = asUint32(value);
      return;
    case KEY.SAMPLE_RATE_HZ:
      record.sampleRateHz = asUint32(value);
      return;
    case KEY.CHANNELS:
      record.channels = asUint32(value);
      return;
    case KEY.WIDTH:
      record.width = asUint32(value);
      return;
    case KEY.HEIGHT:
      record.height = asUint32(value);
      return;
    case KEY.CHUNK_INDEX:
      record.chunkIndex = asUint32(value);
      return;
    case KEY.CHUNK_COUNT:
      record.chunkCount = asUint32(value);
      return;
    case KEY.RECOVERED:
      record.recovered = value !== 0;
      return;
    default:
  }
}

function setText(
  record: Draft,
  key: number,
  bytes: Buffer,
  start: number,
  end: number,
  known: InternedTexts | undefined,
): void {
  const isKnown = key === KEY.RTMS_STREAM_ID || key === KEY.USER_NAME || key === KEY.CHANNEL_ID;
  if (!isKnown) return;
  const text = known ? known.read(bytes, start, end) : bytes.toString('utf8', start, end);
  if (key === KEY.RTMS_STREAM_ID) record.rtmsStreamId = text;
  else if (key === KEY.USER_NAME) record.userName = text;
  else {
    record.channelId = text;
    record.userId = undefined;
  }
}

function asUint32(value: number): number {
  if (value > 0xffffffff) throw malformedRecord('number beyond 32 bits');
  return value;
}

function asSafe(value: number): number {
  if (value > Number.MAX_SAFE_INTEGER) throw malformedRecord('number beyond 2^53');
  return value;
}
