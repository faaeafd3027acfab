import type { Frame } from './frame.ts';

/** Opus counts its samples at this rate, whatever rate it was recorded at. */
export const OPUS_RATE_HZ = 48_000;

/**
 * How much time the audio of a frame takes, ms; 0 for pictures, which last until the next one. Without it two frames that
 * follow each other seem to have a gap of one frame between them.
 */
export function frameMs(frame: Frame): number {
  const { codec, payload, sampleRateHz, channels } = frame;
  if (frame.mediaType !== 'audio') return 0;
  switch (codec) {
    case 'L16':
      return (payload.length / (2 * (channels || 1)) / (sampleRateHz || 16_000)) * 1000;
    // G.711 has eight bits a sample at 8 kHz, G.722 four bits a sample at 16 kHz: eight bytes a millisecond.
    case 'G711':
    case 'G722':
      return payload.length / (channels || 1) / 8;
    case 'OPUS':
      return (opusSamples(payload) / OPUS_RATE_HZ) * 1000;
    default:
      return 0;
  }
}

/** How many samples at 48 kHz one Opus packet has; 0 when the bytes are no packet. @see RFC 6716, 3.1 and 3.2 */
export function opusSamples(packet: Uint8Array): number {
  const toc = packet[0];
  if (toc === undefined) return 0;
  const config = toc >> 3;
  const frames = (toc & 3) === 3 ? (packet[1] ?? 0) & 0x3f : Math.min((toc & 3) + 1, 2);
  return frames * frameSamples(config);
}

function frameSamples(config: number): number {
  if (config < 12) return [480, 960, 1920, 2880][config & 3] as number; // SILK
  if (config < 16) return [480, 960][config & 1] as number; // hybrid
  return [120, 240, 480, 960][config & 3] as number; // CELT
}
