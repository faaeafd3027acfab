import type { EventOrigin } from '../shared/record/event.ts';
import { splitIntoChunks } from '../shared/record/media-record.ts';
import {
  channelCount,
  type EffectiveMedia,
  resolutionBound,
  sampleRateHz,
} from '../shared/rtms/effective-media.ts';
import { MEDIA_TYPE_BIT } from '../shared/rtms/media-type.ts';
import type { MediaFrame } from './rtms/events.ts';

/** Who a frame is from; a frame that names nobody is of the mix, user 0. */
export function sourceOf({ userId, channelId }: MediaFrame) {
  return channelId === undefined ? { userId: userId ?? 0 } : { channelId };
}

/** Audio of a stream shares one key, so that all speakers keep their common order; each picture has its own. */
export function partitionKeyOf(rtmsStreamId: string, frame: MediaFrame): string {
  if (frame.mediaType === 'audio') return rtmsStreamId;
  return `${rtmsStreamId}#v#${frame.channelId ?? frame.userId ?? 0}`;
}

/** The fields of a record that only the handshake knows. */
export interface FrameShape {
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly width: number;
  readonly height: number;
}

/** @param media effective parameters of the connection the frames come over */
export function shapeOf(mediaType: MediaFrame['mediaType'], media: EffectiveMedia): FrameShape {
  const { audio } = media;
  if (mediaType === 'audio') {
    return {
      sampleRateHz: (audio && sampleRateHz(audio.sampleRate)) ?? 0,
      channels: (audio && channelCount(audio.channel)) ?? 0,
      width: 0,
      height: 0,
    };
  }
  const picture = media[mediaType];
  const { width, height } = (picture && resolutionBound(picture.resolution)) ?? NO_PICTURE;
  return { sampleRateHz: 0, channels: 0, width, height };
}

const NO_PICTURE = { width: 0, height: 0 };

/**
 * The records of one frame, one for each chunk. Called for every frame.
 *
 * @param maxRecordBytes of the record, partition key not included
 * @throws ServiceError `record/malformed` for a frame with impossible numbers, `kinesis/record-too-large`
 */
export function encodeFrame(
  origin: Pick<EventOrigin, 'rtmsStreamId' | 'epoch'>,
  sequence: number,
  frame: MediaFrame,
  shape: FrameShape,
  maxRecordBytes: number,
): Buffer[] {
  const { mediaType, channelId } = frame;
  const record = {
    rtmsStreamId: origin.rtmsStreamId,
    epoch: origin.epoch,
    sequence,
    mediaType: MEDIA_TYPE_BIT[mediaType],
    userId: channelId === undefined ? (frame.userId ?? 0) : undefined,
    channelId,
    userName: frame.userName,
    capturedAtMs: frame.capturedAtMs,
    receivedAtMs: frame.receivedAtMs,
    codec: frame.codec,
    sampleRateHz: shape.sampleRateHz,
    channels: shape.channels,
    width: shape.width,
    height: shape.height,
    payload: frame.payload,
  };
  return splitIntoChunks(record, maxRecordBytes);
}
