import { MEDIA_PAYLOAD_TYPE } from '../../../rtms/protocol/constants.ts';
import {
  FRAME_MEDIA_TYPES,
  type FrameMediaType,
  MEDIA_TYPE_BIT,
  type MediaSource,
  type PartialMediaSource,
} from '../../../rtms/protocol/media-type.ts';
import type { DecodedMediaRecord } from '../../../shared/record/media-record.ts';
import { malformedRecord } from '../../../shared/record/protobuf.ts';

/** Zoom's names of codecs. `UNDEFINED` also stands for a number that this version does not know. */
export type CodecName = keyof typeof MEDIA_PAYLOAD_TYPE;

export type { MediaSource as FrameSource };

/** One whole media frame as Zoom sent it. Numbers are 0 where they do not apply. */
export interface Frame extends MediaSource {
  readonly rtmsStreamId: string;
  /** Ownership number of the runner that wrote it. */
  readonly epoch: number;
  /** Counts from 1 per (rtmsStreamId, epoch, mediaType, source). A missing number is a lost frame. */
  readonly sequence: number;
  readonly mediaType: FrameMediaType;
  /** Last known display name; empty when Zoom gave none. */
  readonly userName: string;
  /** When the frame was captured, by Zoom's clock. */
  readonly capturedAt: Date;
  /** When the frame reached the runner, by the runner's clock. */
  readonly receivedAt: Date;
  readonly codec: CodecName;
  readonly sampleRateHz: number;
  readonly channels: number;
  /** Upper bounds from the handshake; the picture itself may be smaller. */
  readonly width: number;
  readonly height: number;
  /** A view into the Kinesis record where the frame was not cut into chunks. */
  readonly payload: Buffer;
  /** The Kinesis record that brought it (its last chunk). */
  readonly partitionKey: string;
  readonly kinesisSequenceNumber: string;
  /** Set when it was read back from the disk of a runner that had died, see docs/records.md. */
  readonly recovered?: true;
}

const CODEC_NAMES = new Map(
  Object.entries(MEDIA_PAYLOAD_TYPE).map(([name, number]) => [number, name as CodecName]),
);
const MEDIA_TYPE_NAMES = new Map(FRAME_MEDIA_TYPES.map((name) => [MEDIA_TYPE_BIT[name], name]));

/**
 * @param payload of the whole frame, all chunks joined
 * @throws ServiceError `record/malformed` for a media type that carries no frames
 */
export function frameOfRecord(
  record: DecodedMediaRecord,
  payload: Buffer,
  partitionKey: string,
  kinesisSequenceNumber: string,
): Frame {
  const mediaType = MEDIA_TYPE_NAMES.get(record.mediaType as never);
  if (mediaType === undefined)
    throw malformedRecord('media record of a type that carries no frames');
  // A consumer that prints such a time would throw.
  if (!isTime(record.capturedAtMs) || !isTime(record.receivedAtMs)) {
    throw malformedRecord('media record with a time that no calendar has');
  }
  const frame: Writable = {
    rtmsStreamId: record.rtmsStreamId,
    epoch: record.epoch,
    sequence: record.sequence,
    mediaType,
    userName: record.userName,
    capturedAt: new Date(record.capturedAtMs),
    receivedAt: new Date(record.receivedAtMs),
    codec: CODEC_NAMES.get(record.codec as never) ?? 'UNDEFINED',
    sampleRateHz: record.sampleRateHz,
    channels: record.channels,
    width: record.width,
    height: record.height,
    payload,
    partitionKey,
    kinesisSequenceNumber,
  };
  if (record.recovered === true) frame.recovered = true;
  if (record.userId !== undefined) frame.userId = record.userId;
  else if (record.channelId !== undefined) frame.channelId = record.channelId;
  return frame;
}

/** Whether a JavaScript date of this time exists. */
function isTime(ms: number): boolean {
  return Math.abs(ms) <= 8.64e15;
}

type Writable = { -readonly [Name in keyof Frame]: Frame[Name] };

/** @returns a text that names a source within a media type: `user 16778240`, `channel 3`, or empty where Zoom named nobody */
export function sourceKey({ userId, channelId }: PartialMediaSource): string {
  if (userId !== undefined) return `user ${userId}`;
  return channelId === undefined ? '' : `channel ${channelId}`;
}
