import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input } from 'mediabunny';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { grayPng } from '../../../test/support/gray-png.ts';
import { event, frame, START_MS } from '../../../test/support/test-records.ts';
import { MixExporter } from './audio/mix.ts';
import { OpusExporter } from './audio/opus.ts';
import { WavExporter } from './audio/wav.ts';
import { srt, TranscriptExporter, type TranscriptFormat, vtt } from './text/transcript.ts';
import { H264Exporter, nalUnits } from './video/h264.ts';
import { ImageSequenceExporter } from './video/image-sequence.ts';
import { Mp4Exporter } from './video/mp4.ts';

// Programs of others open what we write. Where they are not installed these tests are skipped, unless
// RTMS_REQUIRE_MEDIA_TOOLS=1 says that they must be there.
const tools = { ffprobe: '-version', sox: '--version' } as const;
const missing = Object.entries(tools)
  .filter(([tool, flag]) => spawnSync(tool, [flag]).status !== 0)
  .map(([tool]) => tool);
const isRequired = process.env['RTMS_REQUIRE_MEDIA_TOOLS'] === '1';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rtms-tools-'));
});
afterAll(() => rm(directory, { recursive: true }));

const asset = (path: string) => new URL(`../../../simulator/assets/${path}`, import.meta.url);

/** Streams as ffprobe reads them to their end: `nb_read_frames` counts what it could decode. */
function probe(path: string, ...input: string[]) {
  const args = ['-v', 'error', ...input, '-count_frames', '-count_packets', '-show_streams'];
  const { stdout, stderr, status } = spawnSync('ffprobe', [...args, '-of', 'json', path], {
    encoding: 'utf8',
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const { streams } = JSON.parse(stdout);
  expect(streams).toHaveLength(1);
  return streams[0];
}

/** When each picture begins, in seconds of three digits. */
function pictureTimes(path: string): string[] {
  const entries = ['-show_entries', 'frame=pts_time', '-of', 'csv=p=0'];
  const lines = execFileSync('ffprobe', ['-v', 'error', ...entries, path], { encoding: 'utf8' });
  return (lines.match(/[\d.]+/g) ?? []).map((seconds) => Number(seconds).toFixed(3));
}

/** Rate, channels, bits, samples, and the loudest sample, as sox reads them. */
function sox(path: string) {
  const ask = (flag: string) =>
    Number(execFileSync('sox', ['--i', flag, path], { encoding: 'utf8' }));
  const { stderr } = spawnSync('sox', [path, '-n', 'stat'], { encoding: 'utf8' });
  const peak = Number(/Maximum amplitude:\s+([\d.-]+)/.exec(stderr)?.[1]);
  return { rate: ask('-r'), channels: ask('-c'), bits: ask('-b'), samples: ask('-s'), peak };
}

test.runIf(isRequired)('RTMS_REQUIRE_MEDIA_TOOLS: ffprobe and sox are installed', () => {
  expect(missing).toEqual([]);
});

describe.skipIf(missing.length > 0)('ffprobe and sox open', () => {
  /** A second of the asset, 20 ms a frame, that begins half a second after meeting zero. */
  async function speech(userId: number, fromMs: number) {
    const pcm = await readFile(asset('speech/01.pcm'));
    return Array.from({ length: 50 }, (_, index) =>
      frame({
        userId,
        payload: pcm.subarray(index * 640, (index + 1) * 640),
        capturedAtMs: START_MS + fromMs + index * 20,
      }),
    );
  }

  test('a speaker’s WAV, with its silence', async () => {
    const path = join(directory, 'speaker.wav');
    const exporter = new WavExporter(path, { startMs: START_MS });
    for (const each of await speech(7, 500)) await exporter.write(each);
    await exporter.close();
    expect(sox(path)).toMatchObject({ rate: 16_000, channels: 1, bits: 16, samples: 24_000 });
    expect(probe(path)).toMatchObject({ codec_name: 'pcm_s16le', duration: '1.500000' });
  });

  test('the mixed-down WAV of a meeting', async () => {
    const path = join(directory, 'meeting.wav');
    const exporter = new MixExporter(path, START_MS);
    const [one, other] = [await speech(7, 0), await speech(8, 500)];
    for (const [index, each] of one.entries()) {
      await exporter.write(each);
      if (index >= 25) await exporter.write(other[index - 25] as (typeof other)[number]);
    }
    for (const each of other.slice(25)) await exporter.write(each);
    await exporter.close();
    const heard = sox(path);
    expect(heard).toMatchObject({ rate: 16_000, channels: 1, bits: 16, samples: 24_000 });
    expect(heard.peak).toBeGreaterThan(0);
    expect(probe(path)).toMatchObject({ codec_name: 'pcm_s16le', duration: '1.500000' });
  });

  test.each(['ogg', 'webm'])('a speaker’s Opus in .%s', async (extension) => {
    const path = join(directory, `speech.${extension}`);
    const exporter = new OpusExporter(path, START_MS);
    const packets = await opusPackets();
    for (const [index, payload] of packets.entries()) {
      const capturedAtMs = START_MS + 1_000 + index * 20;
      const format = { codec: 4, sampleRateHz: 48_000, channels: 2 };
      await exporter.write(frame({ ...format, payload, capturedAtMs }));
    }
    await exporter.close();
    // 50 packets of silence stand for the second before the first one.
    const count = packets.length + 50;
    expect(probe(path)).toMatchObject({
      codec_name: 'opus',
      sample_rate: '48000',
      channels: 2,
      nb_read_packets: String(count),
    });
  });

  test('a camera’s MP4, every picture of it', async () => {
    const path = join(directory, 'camera.mp4');
    const exporter = new Mp4Exporter(path, START_MS);
    const pictures = await camera();
    for (const [index, payload] of pictures.entries()) {
      await exporter.write(picture(payload, 1_000 + index * 66));
    }
    await exporter.close();
    const stream = probe(path);
    expect(stream).toMatchObject({
      codec_name: 'h264',
      width: 640,
      height: 360,
      nb_read_frames: String(pictures.length),
    });
    // Players and ffmpeg disagree about a track that begins later, so the first picture stands from zero on.
    expect(Number(stream.start_time)).toBe(0);
    const begins = pictures.map((_, index) => (index === 0 ? 0 : 1 + index * 0.066));
    expect(pictureTimes(path)).toEqual(begins.map((at) => at.toFixed(3)));
  });

  test('a camera’s raw H.264', async () => {
    const path = join(directory, 'camera.h264');
    const exporter = new H264Exporter(path);
    const pictures = await camera();
    for (const payload of pictures) await exporter.write(picture(payload, 0));
    await exporter.close();
    expect(probe(path)).toMatchObject({ nb_read_frames: String(pictures.length) });
  });

  test('a share’s JPG sequence', async () => {
    const path = join(directory, 'jpg');
    const slides = await Promise.all(
      [1, 2, 3].map((slide) => readFile(asset(`slides/${slide}.jpg`))),
    );
    await writeShare(path, 5, slides);
    const stream = probe(join(path, '%06d.jpg'), '-f', 'image2');
    expect(stream).toMatchObject({ codec_name: 'mjpeg', nb_read_frames: '3' });
  });

  test('a share’s PNG sequence', async () => {
    const path = join(directory, 'png');
    await writeShare(path, 6, [grayPng(16, 16, 20), grayPng(16, 16, 200)]);
    const stream = probe(join(path, '%06d.png'), '-f', 'image2');
    expect(stream).toMatchObject({ codec_name: 'png', width: 16, height: 16, nb_read_frames: '2' });
  });

  test.each([
    ['vtt', 'webvtt', vtt],
    ['srt', 'subrip', srt],
  ] as const)('captions in .%s', async (extension, codec, format: TranscriptFormat) => {
    const path = join(directory, `captions.${extension}`);
    const exporter = new TranscriptExporter(path, format, START_MS);
    for (const [index, text] of ['Good morning.\n\nShall we --> start?', 'A <b> & c'].entries()) {
      const [startMs, endMs] = [START_MS + index * 2_000 + 1_250, START_MS + index * 2_000 + 2_750];
      const line = { text, userId: 7, userName: 'Ada', startMs, endMs, timestampMs: startMs };
      await exporter.write(event('transcript', line, index + 1));
    }
    await exporter.close();
    expect(probe(path)).toMatchObject({ codec_name: codec, nb_read_packets: '2' });
    const packets = execFileSync(
      'ffprobe',
      ['-v', 'error', '-show_entries', 'packet=pts_time,duration_time', '-of', 'csv=p=0', path],
      { encoding: 'utf8' },
    );
    expect(packets.trim().split('\n')).toEqual(['1.250000,1.500000', '3.250000,1.500000']);
  });
});

async function opusPackets(): Promise<Buffer[]> {
  const input = new Input({
    source: new FilePathSource(asset('speech/01.ogg').pathname),
    formats: ALL_FORMATS,
  });
  const track = await input.getPrimaryAudioTrack();
  if (!track) throw new Error('no audio track');
  const packets: Buffer[] = [];
  for await (const { data } of new EncodedPacketSink(track).packets())
    packets.push(Buffer.from(data));
  input.dispose();
  return packets;
}

/** Access units of the asset, which has a delimiter before every picture. */
async function camera(): Promise<Buffer[]> {
  const units: Buffer[][] = [];
  for (const unit of nalUnits(await readFile(asset('camera/ada.h264')))) {
    if (((unit[0] as number) & 0x1f) === 9) units.push([]);
    units.at(-1)?.push(Buffer.from([0, 0, 0, 1]), unit);
  }
  return units.map((parts) => Buffer.concat(parts));
}

function picture(payload: Buffer, atMs: number) {
  return frame({ mediaType: 2, codec: 7, payload, capturedAtMs: START_MS + atMs });
}

async function writeShare(path: string, codec: number, pictures: readonly Buffer[]): Promise<void> {
  const exporter = new ImageSequenceExporter(path, START_MS);
  for (const [index, payload] of pictures.entries()) {
    const capturedAtMs = START_MS + index * 1_000;
    await exporter.write(frame({ mediaType: 4, codec, payload, capturedAtMs }));
  }
  await exporter.close();
  expect(await readdir(path)).toHaveLength(pictures.length + 1);
}
