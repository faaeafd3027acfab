import type { PartialMediaSource } from '../../rtms/protocol/media-type.ts';
import { asBuffer, writeVarint } from './protobuf.ts';

/**
 * One media frame, or one chunk of it, as it stands in the `media` stream: `media_record.proto`, version 1,
 * written and read by hand (`encode-media-record.ts`, `decode-media-record.ts`), because 50 frames a second and
 * participant pass through there.
 *
 * Numbers are 0 where the proto field is absent. Exactly one of `userId` and `channelId` is given.
 */
export interface MediaRecord extends PartialMediaSource {
  /** Never empty. */
  readonly rtmsStreamId: string;
  readonly epoch: number;
  /** Per (rtmsStreamId, epoch, mediaType, source), from 1, counting every frame received. */
  readonly sequence: number;
  /** MEDIA_DATA_TYPE: 1 audio, 2 video, 4 deskshare. */
  readonly mediaType: number;
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
  /** Read back from the disk of a runner that had died; only `markRecoveredFrame` writes it. */
  readonly recovered?: boolean | undefined;
}

/** What `decodeMediaRecord` returns: no number absent, the payload a view into the bytes it was read from. */
export interface DecodedMediaRecord
  extends Readonly<Required<Omit<MediaRecord, 'userId' | 'channelId' | 'recovered'>>> {
  readonly userId: number | undefined;
  readonly channelId: string | undefined;
  readonly recovered: boolean | undefined;
  readonly payload: Buffer;
}

/** Field number << 3 | wire type. */
export const KEY = {
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
  RECOVERED: 0xa8,
} as const;

/**
 * Marks a record that a runner read back from the disk of a process that had died. What that process had only in memory
 * is lost, and nobody counted it: the mark explains the sequence numbers that are missing. It is added to bytes that were
 * encoded long before, so in both forms it stands at the end.
 */

const FRAME_MARK = markOfFrame();
const LINE_END = Buffer.from('}\n');
const LINE_MARK = Buffer.from(',"recovered":true}\n');

/** By how much a mark makes a record longer; the record limit has to leave it room. */
export const RECOVERED_FRAME_BYTES = FRAME_MARK.length;
export const RECOVERED_LINE_BYTES = LINE_MARK.length - LINE_END.length;

/** @param record a `MediaRecord`: a protobuf message takes further fields behind its last one */
export function markRecoveredFrame(record: Uint8Array): Buffer {
  return Buffer.concat([record, FRAME_MARK]);
}

/** @param line of the `events` stream; what does not end like one stays as it is */
export function markRecoveredLine(line: Uint8Array): Uint8Array {
  const bytes = asBuffer(line);
  const end = bytes.length - LINE_END.length;
  if (end < 1 || !bytes.subarray(end).equals(LINE_END)) return line;
  return Buffer.concat([bytes.subarray(0, end), LINE_MARK]);
}

function markOfFrame(): Buffer {
  const mark = Buffer.alloc(8);
  const end = writeVarint(mark, 1, writeVarint(mark, KEY.RECOVERED, 0));
  return mark.subarray(0, end);
}
