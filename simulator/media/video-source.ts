import { MEDIA_PAYLOAD_TYPE as CODEC } from '../../rtms/protocol/constants.ts';
import type { ShareTrack, VideoTrack } from '../scenario/scenario.ts';
import { loadAccessUnits, loadAsset } from './assets.ts';
import type { PictureParams } from './media-params.ts';
import { syntheticFrame } from './synthetic-frame.ts';

/** The first bytes of a picture. Receivers of a share recognise the format by them. */
const MAGIC: Readonly<Record<number, Buffer>> = {
  [CODEC.JPG]: Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
  [CODEC.PNG]: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
};
const KEY_FRAME = Buffer.from([0, 0, 0, 1, 0x65]);
const DELTA_FRAME = Buffer.from([0, 0, 0, 1, 0x41]);
const SYNTHETIC_PICTURE_BYTES = 30_000;

/** Frames per second that a camera delivers to a client that asked for `params.fps`. */
export function videoFps(track: VideoTrack, params: PictureParams): number {
  return Math.min(track.fps, params.fps);
}

/** Frame `index` of a camera, `offsetMs` after `rtms_started`. */
export function videoFrame(
  track: VideoTrack,
  source: number,
  index: number,
  offsetMs: number,
  params: PictureParams,
): Buffer {
  const durationMs = Math.floor(1000 / videoFps(track, params));
  const frame = { source, offsetMs, durationMs };
  if (params.codec !== CODEC.H264) {
    const picture =
      track.kind === 'h264' ? track.pictures[index % track.pictures.length] : undefined;
    if (params.codec === CODEC.JPG && picture !== undefined) return loadAsset(picture);
    return syntheticFrame(frame, MAGIC[params.codec] ?? KEY_FRAME, SYNTHETIC_PICTURE_BYTES);
  }
  if (track.kind === 'h264') {
    const units = loadAccessUnits(track.file);
    return units[index % units.length] ?? Buffer.alloc(0);
  }
  return index % track.keyEvery === 0
    ? syntheticFrame(frame, KEY_FRAME, track.keyFrameBytes)
    : syntheticFrame(frame, DELTA_FRAME, track.frameBytes);
}

/**
 * The shared screen, `offsetMs` after `rtms_started`.
 *
 * @param sinceStartMs milliseconds since the share began
 */
export function shareFrame(
  track: ShareTrack,
  source: number,
  offsetMs: number,
  sinceStartMs: number,
  params: PictureParams,
): Buffer {
  if (track.kind === 'slides' && params.codec === CODEC.JPG) {
    const slide = track.slides.findLast(({ atMs }) => atMs <= sinceStartMs) ?? track.slides[0];
    if (slide !== undefined) return loadAsset(slide.file);
  }
  const bytes = track.kind === 'synthetic' ? track.frameBytes : SYNTHETIC_PICTURE_BYTES;
  const durationMs = Math.floor(1000 / params.fps);
  return syntheticFrame({ source, offsetMs, durationMs }, MAGIC[params.codec] ?? KEY_FRAME, bytes);
}
