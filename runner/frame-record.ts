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

/**
 * The records of one frame, one for each chunk.
 *
 * @param media effective parameters of the connection it came over
 * @param maxRecordBytes of a Kinesis record, partition key included
 * @throws ServiceError `record/malformed` for a frame with impossible numbers, `kinesis/record-too-large`
 */
export function encodeFrame(
  { rtmsStreamId, epoch }: Pick<EventOrigin, 'rtmsStreamId' | 'epoch'>,
  sequence: number,
  frame: MediaFrame,
  media: EffectiveMedia,
  maxRecordBytes: number,
): Buffer[] {
  const { mediaType, userName, capturedAtMs, receivedAtMs, codec, payload } = frame;
  const record = {
    rtmsStreamId,
    epoch,
    sequence,
    mediaType: MEDIA_TYPE_BIT[mediaType],
    ...sourceOf(frame),
    userName,
    capturedAtMs,
    receivedAtMs,
    codec,
    ...shapeOf(mediaType, media),
    payload,
  };
  const keyBytes = Buffer.byteLength(partitionKeyOf(rtmsStreamId, frame));
  return splitIntoChunks(record, maxRecordBytes - keyBytes);
}

/** The fields of a record that only the handshake knows. */
function shapeOf(mediaType: MediaFrame['mediaType'], media: EffectiveMedia) {
  if (mediaType === 'audio') {
    if (media.audio === undefined) return {};
    return {
      sampleRateHz: sampleRateHz(media.audio.sampleRate) ?? 0,
      channels: channelCount(media.audio.channel) ?? 0,
    };
  }
  const picture = media[mediaType];
  return picture === undefined ? {} : (resolutionBound(picture.resolution) ?? {});
}
