import { readFile } from 'node:fs/promises';
import { OPUS_RATE_HZ, opusSamples } from '../../records/frame-length.ts';
import { isOpusSilence } from '../audio/opus.ts';
import { openOpus } from '../meeting-file/opus-reader.ts';
import { type PictureFile, picturesOf } from '../meeting-file/picture-reader.ts';
import { storedImages } from '../meeting-file/picture-sources.ts';
import { imageSize } from '../meeting-file/still-encoder.ts';
import { WavReader } from '../meeting-file/wav-reader.ts';
import type { Cue } from '../text/transcript.ts';
import type { MkvBlock } from './mkv-file.ts';
import type { MkvCodec } from './mkv-tracks.ts';

/** A block, and how it is decoded. */
export interface SourceBlock extends Omit<MkvBlock, 'track'> {
  readonly codec: MkvCodec;
  /** How long it is at least, ms. */
  readonly lengthMs: number;
}

/** Blocks of samples in a second. */
const PCM_BLOCKS = 10;

/** The H.264 of one camera or share, all its files one after another. */
export async function* h264Blocks(
  files: readonly PictureFile[],
): AsyncGenerator<SourceBlock, void, undefined> {
  for (const file of files.toSorted((a, b) => a.beginsAtMs - b.beginsAtMs)) {
    for await (const { atMs, durationMs, isKey, data, size, config } of picturesOf(file))
      yield { atMs, lengthMs: durationMs, isKey, data, codec: { kind: 'h264', size, config } };
  }
}

/** The pictures of a folder that `ImageSequenceExporter` wrote. */
export async function* imageBlocks(
  folder: string,
  kind: 'jpg' | 'png',
): AsyncGenerator<SourceBlock, void, undefined> {
  for (const { path, atMs } of await storedImages(folder)) {
    const data = await readFile(path);
    const codec = { kind, size: imageSize(data) } as const;
    yield { atMs, lengthMs: 0, isKey: true, data, codec };
  }
}

/**
 * The samples of a WAV file in blocks of a tenth of a second. Where all samples are zero there is no block: a gap is one. The first
 * block is there in any case, because players take the first time of a file for its beginning.
 */
export async function* pcmBlocks(path: string): AsyncGenerator<SourceBlock, void, undefined> {
  const wav = await WavReader.open(path);
  try {
    const { rateHz, channels, samples } = wav;
    const codec = { kind: 'pcm', rateHz, channels } as const;
    const place = (block: number) => Math.floor((block * rateHz) / PCM_BLOCKS);
    for (let block = 0; place(block) < samples; block++) {
      const from = place(block);
      const count = Math.min(place(block + 1), samples) - from;
      const data = await wav.read(from, count);
      if (block > 0 && data.every((byte) => byte === 0)) continue;
      const [atMs, lengthMs] = [(from * 1000) / rateHz, (count * 1000) / rateHz];
      yield { atMs, lengthMs, isKey: true, data, codec };
    }
  } finally {
    await wav.close();
  }
}

/** The packets of an Ogg file, but for those that stand for a pause. The first one is there in any case, as of samples. */
export async function* opusBlocks(path: string): AsyncGenerator<SourceBlock, void, undefined> {
  const { input, track, packets } = await openOpus(path);
  try {
    const { description, numberOfChannels: channels = 1 } = (await track.getDecoderConfig()) ?? {};
    const config = Buffer.from(description as Uint8Array);
    let samples = 0;
    for await (const { data } of packets) {
      const atMs = (samples * 1000) / OPUS_RATE_HZ;
      const count = opusSamples(data);
      samples += count;
      if (atMs > 0 && isOpusSilence(data)) continue;
      const lengthMs = (count * 1000) / OPUS_RATE_HZ;
      yield { atMs, lengthMs, isKey: true, data, codec: { kind: 'opus', channels, config } };
    }
  } finally {
    await packets.return();
    input.dispose();
  }
}

/** The lines of the transcript, each at its time. */
export async function* cueBlocks(
  cues: readonly Cue[],
): AsyncGenerator<SourceBlock, void, undefined> {
  for (const { fromMs, toMs, speaker, text } of cues.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const data = Buffer.from(speaker ? `${speaker}: ${text}` : text);
    const [lengthMs, codec] = [toMs - fromMs, { kind: 'text' } as const];
    yield { atMs: fromMs, lengthMs, durationMs: lengthMs, isKey: true, data, codec };
  }
}
