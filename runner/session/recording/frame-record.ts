import type { MediaFrame } from '../../../rtms/events.ts';
import {
  type AgreedMedia,
  channelCount,
  resolutionBound,
  sampleRateHz,
} from '../../../rtms/protocol/agreed-media.ts';
import { MEDIA_TYPE_BIT } from '../../../rtms/protocol/media-type.ts';
import type { MemoryPool } from '../../../shared/memory-pool.ts';
import { SourceEncoder } from '../../../shared/record/encode-media-record.ts';
import type { EventOrigin } from '../../../shared/record/event.ts';

/** Who a frame is from. A frame that names nobody is of the mix of all speakers: user 0. */
export function sourceOf({ userId, channelId }: MediaFrame) {
  return channelId === undefined ? { userId: userId ?? 0 } : { channelId };
}

/**
 * An encoder for the frames of one source; it serves as long as their name, codec and agreed media stay the same.
 *
 * @param media agreed parameters of the connection the frames come over
 * @param memory where the records' memory comes from
 * @throws ServiceError `record/malformed` for a frame with impossible numbers
 */
export function encoderFor(
  origin: Pick<EventOrigin, 'rtmsStreamId' | 'epoch'>,
  frame: MediaFrame,
  media: AgreedMedia,
  memory: MemoryPool,
): SourceEncoder {
  const { mediaType, channelId, userId = 0, userName, codec } = frame;
  const fields = {
    rtmsStreamId: origin.rtmsStreamId,
    epoch: origin.epoch,
    mediaType: MEDIA_TYPE_BIT[mediaType],
    ...(channelId === undefined ? { userId } : { channelId }),
    userName,
    codec,
    ...shapeOf(mediaType, media),
  };
  return new SourceEncoder(fields, (sizeBytes) => memory.acquire(sizeBytes));
}

/** The fields of a record that stand in the handshake and not in the frame. */
function shapeOf(mediaType: MediaFrame['mediaType'], media: AgreedMedia) {
  const { audio } = media;
  if (mediaType === 'audio') {
    return {
      sampleRateHz: (audio && sampleRateHz(audio.sampleRate)) ?? 0,
      channels: (audio && channelCount(audio.channel)) ?? 0,
    };
  }
  const picture = media[mediaType];
  return (picture && resolutionBound(picture.resolution)) ?? {};
}
