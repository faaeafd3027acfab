import { crc32 } from 'node:zlib';
import { ServiceError } from '../errors.ts';
import { asBuffer, malformed, varintSize, WireReader, writeVarint } from './protobuf.ts';

/**
 * One media frame, or one chunk of it, as it stands in the `media` stream: `media_record.proto`, version 1,
 * written by hand because 50 frames a second and participant pass through here. Both directions stand in
 * this one file, so that a field is added in one place.
 *
 * Numbers are 0 where the proto field is absent. Exactly one of `userId` and `channelId` is given.
 */
export interface MediaRecord {
  /** Never empty. */
  readonly rtmsStreamId: string;
  readonly epoch: number;
  /** Per (rtmsStreamId, epoch, mediaType, source), from 1, counting every frame received. */
  readonly sequence: number;
  /** MEDIA_DATA_TYPE: 1 audio, 2 video, 4 deskshare. */
  readonly mediaType: number;
  /** Zoom's meeting-scoped id; 0 = mixed audio. */
  readonly userId?: number | undefined;
  /** Contact Center and Phone. */
  readonly channelId?: string | undefined;
  /** Empty when Zoom gave none. */
  readonly userName: string;
  /** Zoom's clock, Unix ms. */
  readonly capturedAtMs: number;
  /** The runner's clock, Unix ms. */
  readonly receivedAtMs: number;
  /** MEDIA_PAYLOAD_TYPE. */
  readonly codec: number;
  readonly sampleRateHz?: number;
  readonly channels?: number;
  readonly width?: number;
  readonly height?: number;
  /** From 0. */
  readonly chunkIndex?: number;
  /** 0 or 1 = whole frame. */
  readonly chunkCount?: number;
  readonly payload: Uint8Array;
}

/** What `decodeMediaRecord` returns: no number absent, the payload a view into the bytes it was read from. */
export interface DecodedMediaRecord extends Readonly<Required<MediaRecord>> {
  readonly userId: number | undefined;
  readonly channelId: string | undefined;
  readonly payload: Buffer;
}

/** Field number << 3 | wire type. */
const KEY = {
  RTMS_STREAM_ID: 0x0a,
  EPOCH: 0x10,
  SEQUENCE: 0x18,
  MEDIA_TYPE: 0x20,
  USER_ID: 0x28,
  CHANNEL_ID: 0x32,
  USER_NAME: 0x3a,
  CAPTURED_AT_MS: 0x40,
  RECEIVED_AT_MS: 0x48,
  CODEC: 0x50,
  SAMPLE_RATE_HZ: 0x58,
  CHANNELS: 0x60,
  WIDTH: 0x68,
  HEIGHT: 0x70,
  CHUNK_INDEX: 0x78,
  CHUNK_COUNT: 0x80,
  PAYLOAD_CRC32: 0x8d,
  PAYLOAD: 0x92,
} as const;

const EMPTY: Buffer = Buffer.alloc(0);

/** Most bytes that the two chunk numbers, the checksum and the payload's own length can take. */
const MAX_CHUNK_OVERHEAD_BYTES = 6 + 7 + 6 + 7;

/**
 * Encodes fields in order, defaults left out save for the payload, in one allocation of the exact size.
 *
 * @throws ServiceError `record/malformed` when the stream id or the source is missing, or a number does not
 *   fit its field
 */
export function encodeMediaRecord(record: MediaRecord): Buffer {
  const header = writeHeader(record);
  return encode(header, record.chunkIndex ?? 0, record.chunkCount ?? 0, record.payload);
}

/**
 * Encodes one frame as one message, or, when that is too large, as chunks that share its sequence number.
 *
 * @param maxMessageBytes most bytes of one message: the stream's record limit less the partition key's bytes
 * @returns user records, in order; concatenating the payloads gives the frame back
 * @throws ServiceError `kinesis/record-too-large` when not even the fields around the payload fit
 */
export function splitIntoChunks(record: MediaRecord, maxMessageBytes: number): Buffer[] {
  const { payload } = record;
  const header = writeHeader(record);
  const room = maxMessageBytes - header - MAX_CHUNK_OVERHEAD_BYTES;
  if (payload.length <= room) return [encode(header, 0, 0, payload)];
  if (room < 1) {
    throw new ServiceError('kinesis/record-too-large', 'record limit leaves no room for media', {
      detail: { maxMessageBytes },
    });
  }
  const count = Math.ceil(payload.length / room);
  return Array.from({ length: count }, (_, index) =>
    encode(header, index, count, payload.subarray(index * room, (index + 1) * room)),
  );
}

/** @param header bytes that `writeHeader` has just left in `scratch` */
function encode(header: number, index: number, count: number, payload: Uint8Array): Buffer {
  const checksum = crc32(payload);
  const out = Buffer.allocUnsafe(
    header + chunkSize(index, count) + payloadSize(payload.length, checksum),
  );
  let at = scratch.copy(out, 0, 0, header);
  at = writeNumber(out, KEY.CHUNK_INDEX, index, at);
  at = writeNumber(out, KEY.CHUNK_COUNT, count, at);
  if (checksum !== 0) at = out.writeUInt32LE(checksum, writeVarint(out, KEY.PAYLOAD_CRC32, at));
  // Last and always written, even when empty: a record cut short anywhere then lacks it.
  at = writeVarint(out, payload.length, writeVarint(out, KEY.PAYLOAD, at));
  out.set(payload, at);
  return out;
}

/** Most bytes of a header's numbers and of all keys and lengths in it. */
const MAX_HEADER_NUMBERS_BYTES = 192;
/** Where a header is written before its size is known: cheaper than to measure its texts first. */
let scratch = Buffer.allocUnsafeSlow(1024);

/** Writes what every chunk of a frame repeats into `scratch`. @returns its size */
function writeHeader(record: MediaRecord): number {
  check(record);
  const { rtmsStreamId, channelId = '', userName } = record;
  // UTF-8 takes three bytes at most for what is one unit in a string.
  const room = 3 * (rtmsStreamId.length + channelId.length + userName.length);
  if (scratch.length < room + MAX_HEADER_NUMBERS_BYTES) {
    scratch = Buffer.allocUnsafeSlow(2 * room + MAX_HEADER_NUMBERS_BYTES);
  }
  const out = scratch;
  let at = writeText(out, KEY.RTMS_STREAM_ID, rtmsStreamId, 0);
  at = writeNumber(out, KEY.EPOCH, record.epoch, at);
  at = writeNumber(out, KEY.SEQUENCE, record.sequence, at);
  at = writeNumber(out, KEY.MEDIA_TYPE, record.mediaType, at);
  // A member of a oneof is written even when it is the default.
  if (record.userId === undefined) at = writeText(out, KEY.CHANNEL_ID, channelId, at);
  else at = writeVarint(out, record.userId, writeVarint(out, KEY.USER_ID, at));
  if (userName !== '') at = writeText(out, KEY.USER_NAME, userName, at);
  at = writeNumber(out, KEY.CAPTURED_AT_MS, record.capturedAtMs, at);
  at = writeNumber(out, KEY.RECEIVED_AT_MS, record.receivedAtMs, at);
  at = writeNumber(out, KEY.CODEC, record.codec, at);
  at = writeNumber(out, KEY.SAMPLE_RATE_HZ, record.sampleRateHz, at);
  at = writeNumber(out, KEY.CHANNELS, record.channels, at);
  at = writeNumber(out, KEY.WIDTH, record.width, at);
  return writeNumber(out, KEY.HEIGHT, record.height, at);
}

function chunkSize(index: number, count: number): number {
  return numberSize(index) + (count === 0 ? 0 : 2 + varintSize(count));
}

function payloadSize(payloadBytes: number, checksum: number): number {
  const field = 2 + varintSize(payloadBytes) + payloadBytes;
  return checksum === 0 ? field : 6 + field;
}

/** For fields with a one-byte key. */
function numberSize(value: number | undefined): number {
  return value ? 1 + varintSize(value) : 0;
}

function writeNumber(out: Buffer, key: number, value: number | undefined, at: number): number {
  return value ? writeVarint(out, value, writeVarint(out, key, at)) : at;
}

function writeText(out: Buffer, key: number, text: string, at: number): number {
  out[at] = key;
  // Nearly every text is so short that its length takes one byte, whatever is in it.
  if (3 * text.length < 0x80) {
    const bytes = out.write(text, at + 2);
    out[at + 1] = bytes;
    return at + 2 + bytes;
  }
  const start = writeVarint(out, Buffer.byteLength(text), at + 1);
  return start + out.write(text, start);
}

function check(record: MediaRecord): void {
  if (record.rtmsStreamId === '') throw malformed('media record without a stream id');
  if ((record.userId === undefined) === (record.channelId === undefined)) {
    throw malformed('media record needs either a user id or a channel id');
  }
  if (record.epoch === 0 || record.sequence === 0 || record.mediaType === 0) {
    throw malformed('media record lacks its epoch, sequence or media type');
  }
  const fits =
    isUint32(record.epoch) &&
    isSafe(record.sequence) &&
    isUint32(record.mediaType) &&
    isUint32(record.userId) &&
    isSafe(record.capturedAtMs) &&
    isSafe(record.receivedAtMs) &&
    isUint32(record.codec) &&
    isUint32(record.sampleRateHz) &&
    isUint32(record.channels) &&
    isUint32(record.width) &&
    isUint32(record.height);
  if (!fits) throw malformed('media record with a number that does not fit its field');
}

function isUint32(value = 0): boolean {
  return value >>> 0 === value;
}

function isSafe(value: number): boolean {
  return value >= 0 && Number.isSafeInteger(value);
}

/**
 * Decodes and checks one message. Fields of later versions are skipped.
 *
 * @returns the payload as a view into `bytes`
 * @throws ServiceError `record/malformed` when this is not a complete media record, `record/bad-checksum` when
 *   the payload was damaged
 */
export function decodeMediaRecord(bytes: Uint8Array): DecodedMediaRecord {
  const reader = new WireReader(asBuffer(bytes));
  const record = blank();
  let checksum = 0;
  let complete = false;
  while (!reader.done) {
    const key = reader.key();
    if (key === KEY.PAYLOAD_CRC32) checksum = reader.fixed32();
    else if (key < KEY.CHUNK_COUNT) readHeaderField(reader, key, record);
    else if (key === KEY.CHUNK_COUNT) record.chunkCount = reader.uint32();
    else if (key === KEY.PAYLOAD) {
      record.payload = reader.view();
      complete = true;
    } else reader.skip(key);
  }
  if (record.rtmsStreamId === '' || !record.epoch || !record.sequence || !record.mediaType) {
    throw malformed('not a media record: no stream id, epoch, sequence or media type');
  }
  if (!complete) throw malformed('media record without a payload');
  if (record.userId === undefined && record.channelId === undefined) {
    throw malformed('media record without a source');
  }
  if (record.chunkIndex >= Math.max(record.chunkCount, 1)) {
    throw malformed('chunk number beyond the chunk count');
  }
  if (crc32(record.payload) !== checksum) {
    const { rtmsStreamId, epoch, sequence } = record;
    throw new ServiceError('record/bad-checksum', 'media payload does not match its checksum', {
      detail: { rtmsStreamId, epoch, sequence },
    });
  }
  return record;
}

type Draft = { -readonly [Name in keyof DecodedMediaRecord]: DecodedMediaRecord[Name] };

/** All fields in one order, so that every record has the same shape to V8. */
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
  };
}

function readHeaderField(reader: WireReader, key: number, record: Draft): void {
  switch (key) {
    case KEY.RTMS_STREAM_ID:
      record.rtmsStreamId = reader.text();
      return;
    case KEY.EPOCH:
      record.epoch = reader.uint32();
      return;
    case KEY.SEQUENCE:
      record.sequence = reader.safeInteger();
      return;
    case KEY.MEDIA_TYPE:
      record.mediaType = reader.uint32();
      return;
    case KEY.USER_ID:
      record.userId = reader.uint32();
      record.channelId = undefined;
      return;
    case KEY.CHANNEL_ID:
      record.channelId = reader.text();
      record.userId = undefined;
      return;
    case KEY.USER_NAME:
      record.userName = reader.text();
      return;
    case KEY.CAPTURED_AT_MS:
      record.capturedAtMs = reader.safeInteger();
      return;
    case KEY.RECEIVED_AT_MS:
      record.receivedAtMs = reader.safeInteger();
      return;
    case KEY.CODEC:
      record.codec = reader.uint32();
      return;
    case KEY.SAMPLE_RATE_HZ:
      record.sampleRateHz = reader.uint32();
      return;
    case KEY.CHANNELS:
      record.channels = reader.uint32();
      return;
    case KEY.WIDTH:
      record.width = reader.uint32();
      return;
    case KEY.HEIGHT:
      record.height = reader.uint32();
      return;
    case KEY.CHUNK_INDEX:
      record.chunkIndex = reader.uint32();
      return;
    default:
      reader.skip(key);
  }
}
