import type { VideoSize } from '../meeting-file/mp4-boxes.ts';
import { ebml, float, uint, utf8 } from './ebml.ts';

/** Nanoseconds that a decoder of Opus is behind, and that it needs before a place to decode it well. @see RFC 9559, 18.1 */
const OPUS_DELAY_NS = 6_500_000;
const OPUS_PRE_ROLL_NS = 80_000_000;

/** How one track is decoded. */
export type MkvCodec =
  | { readonly kind: 'h264'; readonly size: VideoSize; readonly config: Uint8Array }
  | { readonly kind: 'jpg' | 'png'; readonly size: VideoSize }
  | { readonly kind: 'pcm'; readonly rateHz: number; readonly channels: number }
  | { readonly kind: 'opus'; readonly channels: number; readonly config: Uint8Array }
  | { readonly kind: 'text' };

export interface MkvTrack {
  readonly codec: MkvCodec;
  /** Shown by players that let a viewer choose. */
  readonly name: string;
}

const VIDEO = 1;
const AUDIO = 2;
const SUBTITLE = 17;

export function isVideo({ codec }: MkvTrack): boolean {
  return typeOf(codec) === VIDEO;
}

/** @returns what the `Tracks` element holds. A track's number is its place, from 1. Players begin with the first track of each type */
export function trackEntries(tracks: readonly MkvTrack[]): Buffer[] {
  const seen = new Set<number>();
  return tracks.map(({ codec, name }, index) => {
    const type = typeOf(codec);
    const isFirst = !seen.has(type);
    seen.add(type);
    return ebml(
      0xae,
      uint(0xd7, index + 1),
      uint(0x73c5, index + 1),
      uint(0x83, type),
      uint(0x88, isFirst ? 1 : 0),
      uint(0x9c, 0),
      utf8(0x536e, name),
      utf8(0x22b59c, 'und'),
      ...codecElements(codec),
    );
  });
}

function typeOf({ kind }: MkvCodec): number {
  if (kind === 'text') return SUBTITLE;
  return kind === 'pcm' || kind === 'opus' ? AUDIO : VIDEO;
}

function codecElements(codec: MkvCodec): Buffer[] {
  switch (codec.kind) {
    case 'h264':
      return [codecId('V_MPEG4/ISO/AVC'), ebml(0x63a2, codec.config), picture(codec.size)];
    case 'jpg':
      return [codecId('V_MJPEG'), picture(codec.size)];
    case 'png':
      // Matroska has no name of its own for it, so it is named as in AVI.
      return [
        codecId('V_MS/VFW/FOURCC'),
        ebml(0x63a2, bitmapInfo(codec.size)),
        picture(codec.size),
      ];
    case 'pcm':
      return [codecId('A_PCM/INT/LIT'), sound(codec.rateHz, codec.channels, uint(0x6264, 16))];
    case 'opus':
      return [
        codecId('A_OPUS'),
        ebml(0x63a2, codec.config),
        uint(0x56aa, OPUS_DELAY_NS),
        uint(0x56bb, OPUS_PRE_ROLL_NS),
        sound(48_000, codec.channels),
      ];
    case 'text':
      return [codecId('S_TEXT/UTF8')];
  }
}

function codecId(name: string): Buffer {
  return utf8(0x86, name);
}

function picture({ width, height }: VideoSize): Buffer {
  return ebml(0xe0, uint(0xb0, width), uint(0xba, height));
}

function sound(rateHz: number, channels: number, ...more: Buffer[]): Buffer {
  return ebml(0xe1, float(0xb5, rateHz), uint(0x9f, channels), ...more);
}

/** `BITMAPINFOHEADER` of Windows, with the four letters that AVI has for PNG. */
function bitmapInfo({ width, height }: VideoSize): Buffer {
  const out = Buffer.alloc(40);
  out.writeUInt32LE(40, 0);
  out.writeInt32LE(width, 4);
  out.writeInt32LE(height, 8);
  out.writeUInt16LE(1, 12);
  out.writeUInt16LE(24, 14);
  out.write('MPNG', 16, 'latin1');
  return out;
}
