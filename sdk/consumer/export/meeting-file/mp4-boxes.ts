/**
 * Builders of MP4 boxes: bytes in, bytes out.
 *
 * @see ISO/IEC 14496-12 (boxes), 14496-14 (mp4a, esds), 14496-15 (avc1), 3GPP TS 26.245 (tx3g), QuickTime File Format (chapters)
 */

export const u8 = (...values: number[]): Buffer => Buffer.from(values);

export function u16(...values: number[]): Buffer {
  const out = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) out.writeUInt16BE(value & 0xffff, index * 2);
  return out;
}

export function u32(...values: number[]): Buffer {
  const out = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) out.writeUInt32BE(value >>> 0, index * 4);
  return out;
}

export function u64(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(Math.round(value)));
  return out;
}

/** @param type four characters, Latin-1 */
export function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body]);
}

/** A box with a version and flags in front. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...parts: readonly Uint8Array[]
): Buffer {
  return box(type, u32(version * 0x1000000 + flags), ...parts);
}

/** The matrix that changes nothing. */
export const UNITY_MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

/** Six reserved bytes, and the one place where the samples are: this file. */
const SAMPLE_ENTRY = u16(0, 0, 0, 1);

export interface VideoSize {
  readonly width: number;
  readonly height: number;
}

/** @param avcC the decoder configuration record: its parameter sets are what a decoder begins with */
export function avc1({ width, height }: VideoSize, avcC: Uint8Array): Buffer {
  return box(
    'avc1',
    SAMPLE_ENTRY,
    Buffer.alloc(16),
    u16(width, height),
    u32(0x480000, 0x480000, 0),
    u16(1),
    Buffer.alloc(32),
    u16(24, 0xffff),
    box('avcC', avcC),
  );
}

/** @returns the decoder configuration record of one sequence and one picture parameter set, with lengths of four bytes */
export function avcConfig(sps: Buffer, pps: Buffer): Buffer {
  const profile = sps.subarray(1, 4);
  return Buffer.concat([
    u8(1),
    profile,
    u8(0xff, 0xe1),
    u16(sps.length),
    sps,
    u8(1),
    u16(pps.length),
    pps,
  ]);
}

/** @param config the AudioSpecificConfig of the encoder */
export function mp4a(rateHz: number, channels: number, config: Uint8Array): Buffer {
  const descriptor = (tag: number, ...parts: Uint8Array[]) => {
    const body = Buffer.concat(parts);
    return Buffer.concat([u8(tag, 0x80, 0x80, 0x80, body.length), body]);
  };
  const decoder = descriptor(4, u8(0x40, 0x15, 0, 0, 0), u32(0, 0), descriptor(5, config));
  const esds = fullBox('esds', 0, 0, descriptor(3, u16(1), u8(0), decoder, descriptor(6, u8(2))));
  return box('mp4a', SAMPLE_ENTRY, u32(0, 0), u16(channels, 16, 0, 0), u32(rateHz * 0x10000), esds);
}

/** @param type `tx3g` for captions; `text` for chapters, which QuickTime reads in the same layout */
export function timedText(type: 'tx3g' | 'text'): Buffer {
  const center = type === 'tx3g' ? u8(1, 0xff) : u8(0, 0);
  const style = Buffer.concat([u16(0, 0, 1), u8(0, 18), u32(0xffffffff)]);
  const fonts = box('ftab', u16(1, 1), u8(5), Buffer.from('Serif'));
  return box(type, SAMPLE_ENTRY, u32(0), center, u32(0), u16(0, 0, 0, 0), style, fonts);
}

/** A sample of timed text. @param text empty for a time without any */
export function textSample(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 0xffff);
  return Buffer.concat([u16(bytes.length), bytes]);
}

/** Tags as Apple's players and ffmpeg show them, by the name of the atom, such as `©nam`. */
export function tags(values: Readonly<Record<string, string>>): Buffer {
  const items = Object.entries(values).map(([name, value]) =>
    box(name, box('data', u32(1, 0), Buffer.from(value))),
  );
  const handler = fullBox('hdlr', 0, 0, u32(0), Buffer.from('mdirappl'), u32(0, 0), u8(0));
  return fullBox('meta', 0, 0, handler, box('ilst', ...items));
}

export interface Chapter {
  readonly atMs: number;
  readonly title: string;
}

/** Chapters in the form of Nero, which VLC and ffmpeg read. It has room for 255. */
export function neroChapters(chapters: readonly Chapter[]): Buffer {
  const rows = chapters.slice(0, 255).map(({ atMs, title }) => {
    const bytes = Buffer.from(title).subarray(0, 255);
    return Buffer.concat([u64(atMs * 10_000), u8(bytes.length), bytes]);
  });
  return fullBox('chpl', 1, 0, u32(0), u8(rows.length), ...rows);
}
