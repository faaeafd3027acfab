import { ServiceError } from '../errors.ts';
import { type Allocate, encodeChunk, MAX_CHUNK_OVERHEAD_BYTES } from './encode-chunk.ts';
import { KEY, type MediaRecord } from './media-record.ts';
import { malformedRecord, varintSize, writeVarint } from './protobuf.ts';

const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Encodes fields in order, defaults left out save for the payload, in one allocation of the exact size.
 *
 * @throws ServiceError `record/malformed` when the stream id or the source is missing, or a number does not
 *   fit its field
 */
export function encodeMediaRecord(record: MediaRecord): Buffer {
  const { chunkIndex = 0, chunkCount = 0 } = record;
  const header = new SourceEncoder(record).header(record);
  return encodeChunk(header, chunkIndex, chunkCount, record.payload, Buffer.allocUnsafe);
}

/**
 * Encodes one frame as one message, or, when that is too large, as chunks that share its sequence number.
 *
 * @param maxMessageBytes most bytes of one message: the stream's record limit less the partition key's bytes
 * @returns user records, in order; concatenating the payloads gives the frame back
 * @throws ServiceError `kinesis/record-too-large` when not even the fields around the payload fit
 */
export function splitIntoChunks(record: MediaRecord, maxMessageBytes: number): Buffer[] {
  return new SourceEncoder(record).splitIntoChunks(record, maxMessageBytes);
}

/** The fields in which frames of one source differ from each other. */
type FrameFields = Pick<MediaRecord, 'sequence' | 'capturedAtMs' | 'receivedAtMs' | 'payload'>;

/** The fields that all frames of one source repeat. */
type SourceFields = Omit<MediaRecord, keyof FrameFields | 'chunkIndex' | 'chunkCount'>;

/**
 * Encodes frames of one source. They repeat most of their fields, which are written once; of the others, only the digits
 * are written anew.
 */
export class SourceEncoder {
  /** The bytes before the sequence number, between it and the times, and after the times. */
  readonly #head: Buffer;
  readonly #source: Buffer;
  readonly #tail: Buffer;
  readonly #allocate: Allocate;
  /** Header bytes of the last frame, of which the next one changes only the numbers. */
  #header: Buffer = EMPTY;
  #sequenceBytes = 0;
  #capturedBytes = 0;
  #receivedBytes = 0;
  #sequenceAt = 0;
  #capturedAt = 0;
  #receivedAt = 0;

  /**
   * @param allocate makes the memory of each record
   * @throws ServiceError `record/malformed` as `encodeMediaRecord` does
   */
  constructor(fields: SourceFields, allocate: Allocate = Buffer.allocUnsafe) {
    this.#allocate = allocate;
    checkSource(fields);
    const { rtmsStreamId, channelId = '', userId, userName } = fields;
    const head = new FieldWriter();
    head.text(KEY.RTMS_STREAM_ID, rtmsStreamId);
    head.number(KEY.EPOCH, fields.epoch);
    this.#head = head.bytes;
    const source = new FieldWriter();
    source.number(KEY.MEDIA_TYPE, fields.mediaType);
    // A member of a oneof is written even when it is the default.
    if (userId === undefined) source.text(KEY.CHANNEL_ID, channelId);
    else source.always(KEY.USER_ID, userId);
    if (userName !== '') source.text(KEY.USER_NAME, userName);
    this.#source = source.bytes;
    const tail = new FieldWriter();
    tail.number(KEY.CODEC, fields.codec);
    tail.number(KEY.SAMPLE_RATE_HZ, fields.sampleRateHz);
    tail.number(KEY.CHANNELS, fields.channels);
    tail.number(KEY.WIDTH, fields.width);
    tail.number(KEY.HEIGHT, fields.height);
    this.#tail = tail.bytes;
  }

  /** As the function of that name does. @param records where the result goes, instead of what is there */
  splitIntoChunks(frame: FrameFields, maxMessageBytes: number, records: Buffer[] = []): Buffer[] {
    const { payload } = frame;
    const header = this.header(frame);
    const room = maxMessageBytes - header.length - MAX_CHUNK_OVERHEAD_BYTES;
    if (payload.length <= room) {
      records[0] = encodeChunk(header, 0, 0, payload, this.#allocate);
      if (records.length > 1) records.length = 1;
      return records;
    }
    if (room < 1) {
      throw new ServiceError('kinesis/record-too-large', 'record limit leaves no room for media', {
        detail: { maxMessageBytes },
      });
    }
    const count = Math.ceil(payload.length / room);
    records.length = count;
    for (let index = 0; index < count; index += 1) {
      const part = payload.subarray(index * room, (index + 1) * room);
      records[index] = encodeChunk(header, index, count, part, this.#allocate);
    }
    return records;
  }

  /** What every chunk of a frame repeats; overwritten by the next call. */
  header({ sequence, capturedAtMs, receivedAtMs }: Omit<FrameFields, 'payload'>): Buffer {
    if (sequence === 0 || !isSafe(sequence) || !isSafe(capturedAtMs) || !isSafe(receivedAtMs)) {
      throw malformedRecord('media record with an impossible sequence number or time');
    }
    const sequenceBytes = varintSize(sequence);
    const capturedBytes = capturedAtMs && varintSize(capturedAtMs);
    const receivedBytes = receivedAtMs && varintSize(receivedAtMs);
    if (
      sequenceBytes !== this.#sequenceBytes ||
      capturedBytes !== this.#capturedBytes ||
      receivedBytes !== this.#receivedBytes
    ) {
      this.#layOut(sequenceBytes, capturedBytes, receivedBytes);
    }
    const header = this.#header;
    writeVarint(header, sequence, this.#sequenceAt);
    if (capturedBytes > 0) writeVarint(header, capturedAtMs, this.#capturedAt);
    if (receivedBytes > 0) writeVarint(header, receivedAtMs, this.#receivedAt);
    return header;
  }

  #layOut(sequenceBytes: number, capturedBytes: number, receivedBytes: number): void {
    const sequence = placeFor(KEY.SEQUENCE, sequenceBytes);
    const captured = placeFor(KEY.CAPTURED_AT_MS, capturedBytes);
    const received = placeFor(KEY.RECEIVED_AT_MS, receivedBytes);
    const [head, source] = [this.#head, this.#source];
    this.#header = Buffer.concat([head, sequence, source, captured, received, this.#tail]);
    this.#sequenceAt = head.length + 1;
    this.#capturedAt = head.length + sequence.length + source.length + 1;
    this.#receivedAt = this.#capturedAt + captured.length;
    this.#sequenceBytes = sequenceBytes;
    this.#capturedBytes = capturedBytes;
    this.#receivedBytes = receivedBytes;
  }
}

/** A field whose number is still to be written; absent when that takes no bytes. */
function placeFor(key: number, valueBytes: number): Buffer {
  if (valueBytes === 0) return EMPTY;
  const place = Buffer.alloc(1 + valueBytes);
  place[0] = key;
  return place;
}

/** Collects fields, one after the other. */
class FieldWriter {
  #parts: Buffer[] = [];

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** Nothing for the default. */
  number(key: number, value: number | undefined): void {
    if (value) this.always(key, value);
  }

  always(key: number, value: number): void {
    const field = Buffer.alloc(1 + varintSize(value));
    writeVarint(field, value, writeVarint(field, key, 0));
    this.#parts.push(field);
  }

  text(key: number, text: string): void {
    const bytes = Buffer.from(text);
    this.always(key, bytes.length);
    this.#parts.push(bytes);
  }
}

function checkSource(fields: SourceFields): void {
  if (fields.rtmsStreamId === '') throw malformedRecord('media record without a stream id');
  if ((fields.userId === undefined) === (fields.channelId === undefined)) {
    throw malformedRecord('media record needs either a user id or a channel id');
  }
  if (fields.epoch === 0 || fields.mediaType === 0) {
    throw malformedRecord('media record lacks its epoch or media type');
  }
  const fits =
    isUint32(fields.epoch) &&
    isUint32(fields.mediaType) &&
    isUint32(fields.userId) &&
    isUint32(fields.codec) &&
    isUint32(fields.sampleRateHz) &&
    isUint32(fields.channels) &&
    isUint32(fields.width) &&
    isUint32(fields.height);
  if (!fits) throw malformedRecord('media record with a number that does not fit its field');
}

function isUint32(value = 0): boolean {
  return value >>> 0 === value;
}

function isSafe(value: number): boolean {
  return value >= 0 && Number.isSafeInteger(value);
}
