import { MEDIA_PAYLOAD_TYPE } from '../../../rtms/protocol/constants.ts';
import { MEDIA_TYPE_BIT, mediaSource } from '../../../rtms/protocol/media-type.ts';
import { SourceEncoder } from '../../../shared/record/encode-media-record.ts';
import { markRecoveredFrame } from '../../../shared/record/media-record.ts';
import { varintSize, writeVarint } from '../../../shared/record/protobuf.ts';
import type { Frame } from '../records/frame.ts';
import { sortedMedia } from './media-object.ts';

type EncodedFields = Pick<
  Frame,
  'epoch' | 'userName' | 'codec' | 'sampleRateHz' | 'channels' | 'width' | 'height'
>;

const FIRST_BLOCK_BYTES = 8 * 1024;
const MOST_BLOCK_BYTES = 1024 * 1024;

/**
 * The frames of one source and minute while they are gathered, as the bytes that their object will have.
 *
 * Frames are written into a few large blocks, and are no objects of their own: 200 meetings hold two million frames a minute,
 * which would cost the collector more than all other work here.
 */
export class MediaSlice {
  readonly #full: Buffer[] = [];
  #block: Buffer = Buffer.allocUnsafe(FIRST_BLOCK_BYTES);
  #used = 0;
  #fullBytes = 0;
  #heldBytes = FIRST_BLOCK_BYTES;
  #encoder: SourceEncoder | undefined;
  /** The fields that the encoder was made for; undefined when the next frame needs another one. */
  #encodes: EncodedFields | undefined;
  #last: Pick<Frame, 'epoch' | 'sequence'> = { epoch: 0, sequence: 0 };
  #isSorted = true;
  /** What the encoder returns, and nobody reads: the record stands in the block by then. */
  readonly #records: Buffer[] = [];

  /** Memory that it takes, which is a little more than what was added. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @throws ServiceError `record/malformed` for a frame that no record can hold */
  add(frame: Frame): void {
    const { epoch, sequence } = frame;
    const { epoch: lastEpoch, sequence: last } = this.#last;
    if (epoch < lastEpoch || (epoch === lastEpoch && sequence <= last)) this.#isSorted = false;
    this.#last = { epoch, sequence };
    const fields = {
      sequence,
      capturedAtMs: frame.capturedAt.getTime(),
      receivedAtMs: frame.receivedAt.getTime(),
      payload: frame.payload,
    };
    if (frame.recovered) {
      this.#encodes = undefined;
      const [record] = this.#encoderFor(frame, Buffer.allocUnsafe).splitIntoChunks(
        fields,
        Infinity,
      );
      if (record) this.#append(markRecoveredFrame(record));
      // It has the other memory, and must not be used for the next frame.
      this.#encodes = undefined;
      return;
    }
    this.#encoderFor(frame, this.#reserve).splitIntoChunks(fields, Infinity, this.#records);
  }

  /** The bytes of the object, by epoch and sequence. */
  bytes(): Buffer {
    const all = Buffer.concat([...this.#full, this.#block.subarray(0, this.#used)]);
    return this.#isSorted ? all : sortedMedia([all]);
  }

  #encoderFor(frame: Frame, allocate: (sizeBytes: number) => Buffer): SourceEncoder {
    if (this.#encoder !== undefined && isSame(this.#encodes, frame)) return this.#encoder;
    const { rtmsStreamId, epoch, userName, codec, sampleRateHz, channels, width, height } = frame;
    const fields = { epoch, userName, codec, sampleRateHz, channels, width, height };
    this.#encodes = fields;
    const mediaType = MEDIA_TYPE_BIT[frame.mediaType];
    this.#encoder = new SourceEncoder(
      {
        ...fields,
        rtmsStreamId,
        mediaType,
        ...mediaSource(frame),
        codec: MEDIA_PAYLOAD_TYPE[codec],
      },
      allocate,
    );
    return this.#encoder;
  }

  #append(record: Buffer): void {
    this.#reserve(record.length).set(record);
  }

  /** Writes the length of a record, and returns the room for it behind. */
  readonly #reserve = (sizeBytes: number): Buffer => {
    const wanted = varintSize(sizeBytes) + sizeBytes;
    if (this.#block.length - this.#used < wanted) this.#grow(wanted);
    const at = writeVarint(this.#block, sizeBytes, this.#used);
    this.#used = at + sizeBytes;
    return this.#block.subarray(at, this.#used);
  };

  #grow(wantedBytes: number): void {
    this.#full.push(this.#block.subarray(0, this.#used));
    this.#fullBytes += this.#used;
    const next = Math.min(this.#block.length * 2, MOST_BLOCK_BYTES);
    this.#block = Buffer.allocUnsafeSlow(Math.max(next, wantedBytes));
    this.#used = 0;
    this.#heldBytes += this.#block.length;
  }
}

function isSame(fields: EncodedFields | undefined, frame: Frame): boolean {
  return (
    fields !== undefined &&
    fields.epoch === frame.epoch &&
    fields.codec === frame.codec &&
    fields.userName === frame.userName &&
    fields.sampleRateHz === frame.sampleRateHz &&
    fields.channels === frame.channels &&
    fields.width === frame.width &&
    fields.height === frame.height
  );
}
