import { opusSamples } from '../export/audio/opus.ts';
import type { Frame } from './frame.ts';

/** Opus counts its samples at this rate, whatever it was recorded at. */
const OPUS_RATE_HZ = 48_000;

/**
 * How much time the audio of a frame takes, ms; 0 for pictures, which last until the next one. Without it two frames
 * that follow each other seem to have a hole of one frame between them.
 */
export function frameMs(frame: Frame): number {
  const { codec, payload, sampleRateHz, channels } = frame;
  if (frame.mediaType !== 'audio') return 0;
  switch (codec) {
    case 'L16':
      return (payload.length / (2 * (channels || 1)) / (sampleRateHz || 16_000)) * 1000;
    // Eight bits a sample at 8 kHz, and four bits a sample at 16 kHz.
    case 'G711':
    case 'G722':
      return payload.length / (channels || 1) / 8;
    case 'OPUS':
      return (opusSamples(payload) / OPUS_RATE_HZ) * 1000;
    default:
      return 0;
  }
}
