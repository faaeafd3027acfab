import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { frame, START_MS } from '../../../../test/support/test-records.ts';
import { MixExporter } from './mix.ts';
import { WavExporter, wavHeader } from './wav.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rtms-wav-'));
});
afterAll(() => rm(directory, { recursive: true }));

let files = 0;
const newPath = () => join(directory, `${++files}.wav`);

/** Samples of one value; 320 of them last 20 ms. */
const samples = (value: number, count = 320) => {
  const payload = Buffer.alloc(count * 2);
  for (let i = 0; i < count; i++) payload.writeInt16LE(value, i * 2);
  return payload;
};
const audio = (atMs: number, value: number, changes: object = {}) =>
  frame({ capturedAtMs: START_MS + atMs, payload: samples(value), ...changes });

async function write(exporter: WavExporter | MixExporter, frames: ReturnType<typeof frame>[]) {
  for (const each of frames) await exporter.write(each);
  await exporter.close();
}
async function read(path: string) {
  const bytes = await readFile(path);
  const data = bytes.subarray(44);
  expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
  expect(bytes.readUInt32LE(40)).toBe(data.length);
  const at = (ms: number) => data.readInt16LE(ms * 32);
  return { bytes, data, at, lengthMs: data.length / 32 };
}

describe('WavExporter without a time base', () => {
  test('writes exactly the samples that came, whatever their times', async () => {
    const path = newPath();
    const payloads = [samples(100), samples(-200), samples(300)];
    const times = [0, 500, 100];
    const frames = payloads.map((payload, i) => audio(times[i] ?? 0, 0, { payload }));
    await write(new WavExporter(path), frames);
    expect((await read(path)).data.equals(Buffer.concat(payloads))).toBe(true);
  });

  test('writes a header that says 16-bit PCM in the given format', async () => {
    const path = newPath();
    await write(new WavExporter(path), [audio(0, 1, { sampleRateHz: 48_000, channels: 2 })]);
    expect((await read(path)).bytes.subarray(0, 44).toString('hex')).toBe(
      `52494646${'a4020000'}57415645666d74201000000001000200${'80bb0000'}${'00ee0200'}0400100064617461${'80020000'}`,
    );
  });

  test('decodes G.711 and G.722', async () => {
    const alaw = newPath();
    const g711 = { codec: 2, sampleRateHz: 8_000, payload: Buffer.alloc(160, 0xd5) };
    await write(new WavExporter(alaw), [audio(0, 0, g711)]);
    const { bytes, data } = await read(alaw);
    expect([bytes.readUInt32LE(24), data.length, data.readInt16LE(0)]).toEqual([8_000, 320, 8]);
    const wide = newPath();
    const g722 = { codec: 3, sampleRateHz: 16_000, payload: Buffer.alloc(160, 0xfa) };
    await write(new WavExporter(wide), [audio(0, 0, g722), audio(20, 0, g722)]);
    const second = await read(wide);
    expect([second.bytes.readUInt32LE(24), second.data.length]).toEqual([16_000, 1280]);
  });

  test('leaves no file without frames', async () => {
    const path = newPath();
    await write(new WavExporter(path), []);
    expect(await readdir(directory)).not.toContain(path);
  });

  test.each([
    ['Opus', { codec: 4 }],
    ['video', { mediaType: 2, codec: 7 }],
  ])('refuses %s', async (_what, changes) => {
    const exporter = new WavExporter(newPath());
    await expect(exporter.write(audio(0, 0, changes))).rejects.toMatchObject({
      code: 'export/unsupported',
    });
  });

  test('refuses a second format in one file', async () => {
    const exporter = new WavExporter(newPath());
    await exporter.write(audio(0, 0));
    const changed = exporter.write(audio(20, 0, { sampleRateHz: 8_000 }));
    await expect(changed).rejects.toMatchObject({ code: 'export/unsupported' });
    await exporter.close();
  });

  test('writes RF64 where 32 bits do not reach', async () => {
    const path = newPath();
    await write(new WavExporter(path, { maxRiffBytes: 1_000 }), [audio(0, 7), audio(20, 8)]);
    const bytes = await readFile(path);
    const data = bytes.subarray(80);
    expect([bytes.toString('latin1', 0, 4), bytes.toString('latin1', 12, 16)]).toEqual([
      'RF64',
      'ds64',
    ]);
    expect([20, 28, 36].map((at) => Number(bytes.readBigUInt64LE(at)))).toEqual([
      bytes.length - 8,
      data.length,
      data.length / 2,
    ]);
    expect([data.length, data.readInt16LE(0), data.readInt16LE(640)]).toEqual([1_280, 7, 8]);
  });

  test('gives the largest size in the header where 32 bits do not reach', () => {
    const header = wavHeader({ sampleRateHz: 48_000, channels: 2 }, 5_000_000_000);
    expect([header.readUInt32LE(4), header.readUInt32LE(40)]).toEqual([0xffffffff, 0xffffffff]);
  });
});

describe('WavExporter on the time base of the meeting', () => {
  const timed = (path: string) => new WavExporter(path, { startMs: START_MS });

  test('begins with silence and fills gaps at the right place', async () => {
    const path = newPath();
    await write(timed(path), [audio(100, 11), audio(120, 12), audio(500, 13)]);
    const { at, lengthMs } = await read(path);
    expect([0, 99, 100, 119, 120, 140, 499, 500, 519].map(at)).toEqual([
      0, 0, 11, 11, 12, 0, 0, 13, 13,
    ]);
    expect(lengthMs).toBe(520);
  });

  test('does not cut or pad for jitter, and does not drift away with it', async () => {
    const path = newPath();
    const jitter = [0, 9, -8, 14, 3, -12, 20, 0, 5, -5];
    const frames = Array.from({ length: 500 }, (_, i) =>
      audio(Math.max(i * 20 + (jitter[i % 10] ?? 0), 0), i + 1),
    );
    await write(timed(path), frames);
    const { at, lengthMs } = await read(path);
    expect(lengthMs).toBe(10_000);
    expect(at(9_980)).toBe(500);
  });

  test('cuts what overlaps, and what lies before the start', async () => {
    const path = newPath();
    const long = { payload: samples(21, 1600) };
    await write(timed(path), [audio(-60, 20, long), audio(0, 22, long), audio(200, 23)]);
    const { at, lengthMs } = await read(path);
    expect([at(0), at(39), at(41), at(99), at(200)]).toEqual([21, 21, 21, 21, 23]);
    expect(lengthMs).toBe(220);
  });

  test('does not believe a capture time outside any meeting', async () => {
    const path = newPath();
    await write(timed(path), [audio(0, 1), audio(40 * 3_600_000, 2), audio(40, 3)]);
    expect((await read(path)).lengthMs).toBe(60);
  });

  test('keeps stereo samples together', async () => {
    const path = newPath();
    await write(timed(path), [audio(100, 5, { channels: 2 })]);
    const { data } = await read(path);
    expect([data.length, data.readInt16LE(100 * 64)]).toEqual([100 * 64 + 640, 5]);
  });
});

describe('MixExporter', () => {
  const mix = (path: string) => new MixExporter(path, START_MS);

  test('adds speakers where they overlap, however late they come', async () => {
    const path = newPath();
    await write(mix(path), [
      audio(1_000, 1_000),
      audio(1_020, 1_000),
      audio(1_010, 200, { userId: 8 }),
      audio(0, 30, { userId: 9 }),
    ]);
    const { at, lengthMs } = await read(path);
    expect([0, 19, 20, 1_000, 1_010, 1_029, 1_030].map(at)).toEqual([
      30, 30, 0, 1_000, 1_200, 1_200, 1_000,
    ]);
    expect(lengthMs).toBe(1_040);
  });

  test('clips what does not fit', async () => {
    const path = newPath();
    await write(mix(path), [
      audio(0, 30_000),
      audio(0, 30_000, { userId: 8 }),
      audio(20, -30_000),
      audio(20, -30_000, { userId: 8 }),
    ]);
    const { at } = await read(path);
    expect([at(0), at(20)]).toEqual([32_767, -32_768]);
  });

  test('counts what was cut and moved of all speakers together', async () => {
    const exporter = mix(newPath());
    expect(exporter.adjusted).toEqual({ cutMs: 0, moved: 0 });
    const ahead = [audio(0, 1), audio(600_000, 1), audio(20, 1)];
    const replayed = [audio(0, 2, { userId: 8 }), audio(0, 2, { userId: 8, epoch: 2 })];
    await write(exporter, [...ahead, ...replayed, audio(-40, 3, { userId: 9 })]);
    expect(exporter.adjusted).toEqual({ cutMs: 40, moved: 1 });
  });

  test('refuses speakers with another rate', async () => {
    const exporter = mix(newPath());
    await exporter.write(audio(0, 1));
    const other = exporter.write(audio(0, 1, { userId: 8, sampleRateHz: 8_000 }));
    await expect(other).rejects.toMatchObject({ code: 'export/unsupported' });
    await exporter.close();
  });
});
