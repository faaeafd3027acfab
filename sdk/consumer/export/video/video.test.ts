import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input } from 'mediabunny';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import smallKeyFrame from '../../../../test/fixtures/rtms/media/15-video.h264-keyframe.json' with {
  type: 'json',
};
import { frame, START_MS } from '../../../../test/support/test-records.ts';
import { nalUnits } from './h264.ts';
import { Mp4Exporter } from './mp4.ts';

let directory: string;
let camera: Buffer[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rtms-mp4-'));
  const asset = new URL('../../../../simulator/assets/camera/ada.h264', import.meta.url);
  camera = accessUnits(await readFile(asset));
});
afterAll(() => rm(directory, { recursive: true }));

const small = Buffer.from(smallKeyFrame.content.data, 'base64');

/** Cuts at access unit delimiters, which the asset has before every picture. */
function accessUnits(stream: Buffer): Buffer[] {
  const delimiter = Buffer.from([0, 0, 0, 1, 9]);
  const units: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const next = stream.indexOf(delimiter, at + 1);
    units.push(stream.subarray(at, next === -1 ? stream.length : next));
    at = next === -1 ? stream.length : next;
  }
  return units;
}
const picture = (payload: Buffer, atMs: number) =>
  frame({ mediaType: 2, codec: 7, payload, capturedAtMs: START_MS + atMs });

/** A key frame that says its size in macroblocks. @see ITU-T H.264, 7.3.2.1.1 */
function oddKeyFrame(width: number, height: number): Buffer {
  const golomb = (value: number) => {
    const bits = (value + 1).toString(2);
    return '0'.repeat(bits.length - 1) + bits;
  };
  const fields = [0, 0, 2, 1].map(golomb).join('');
  const bits = `${fields}0${golomb(width - 1)}${golomb(height - 1)}11001`;
  const bytes = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? [];
  const sps = Buffer.from([0x67, 66, 0, 30, ...bytes.map((byte) => Number.parseInt(byte, 2))]);
  const start = Buffer.from([0, 0, 0, 1]);
  const units = [sps, Buffer.from([0x68, 0xce, 0x3c, 0x80]), Buffer.from([0x65, 0x88, 1, 2])];
  return Buffer.concat(units.flatMap((unit) => [start, unit]));
}

async function write(path: string, frames: ReturnType<typeof frame>[]): Promise<Mp4Exporter> {
  const exporter = new Mp4Exporter(path, START_MS);
  for (const each of frames) await exporter.write(each);
  await exporter.close();
  return exporter;
}

/** Samples of an MP4 file: NAL units joined, time in ms, key or not. */
async function read(path: string) {
  const input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS });
  const track = await input.getPrimaryVideoTrack();
  if (!track) throw new Error('no video track');
  const samples: { units: Buffer[]; atMs: number; isKey: boolean }[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) {
    const data = Buffer.from(packet.data);
    const units: Buffer[] = [];
    for (let at = 0; at < data.length; at += 4 + data.readUInt32BE(at)) {
      units.push(data.subarray(at + 4, at + 4 + data.readUInt32BE(at)));
    }
    const atMs = Math.round(packet.timestamp * 1000);
    samples.push({ units, atMs, isKey: packet.type === 'key' });
  }
  input.dispose();
  return samples;
}

describe('Mp4Exporter', () => {
  test('keeps every NAL unit and every capture time, the first picture from meeting zero on', async () => {
    const path = join(directory, 'camera.mp4');
    const times = camera.map((_, index) => 3_000 + Math.round((index * 1000) / 15));
    await write(
      path,
      camera.map((payload, index) => picture(payload, times[index] ?? 0)),
    );
    const samples = await read(path);
    expect(samples.map(({ atMs }) => atMs)).toEqual([0, ...times.slice(1)]);
    expect(samples.filter(({ isKey }) => isKey)).toHaveLength(3);
    for (const [index, { units }] of samples.entries()) {
      const sent = [...nalUnits(camera[index] as Buffer)];
      expect(Buffer.concat(units).equals(Buffer.concat(sent))).toBe(true);
    }
  });

  test('begins with the first picture that can be decoded', async () => {
    const path = join(directory, 'late.mp4');
    const frames = camera.slice(25, 40).map((payload, index) => picture(payload, index * 66));
    const exporter = await write(path, frames);
    const samples = await read(path);
    expect([exporter.skipped, samples.length]).toEqual([5, 10]);
    expect(samples[0]).toMatchObject({ isKey: true, atMs: 0 });
    expect(samples[1]).toMatchObject({ isKey: false, atMs: 6 * 66 });
  });

  test('begins a second file when the picture size changes', async () => {
    const path = join(directory, 'sizes.mp4');
    const { paths } = await write(path, [
      picture(camera[0] as Buffer, 0),
      picture(camera[1] as Buffer, 66),
      picture(small, 133),
    ]);
    expect(paths).toEqual([path, join(directory, 'sizes-2.mp4')]);
    const [first, second] = await Promise.all(paths.map(read));
    expect(first?.map(({ atMs }) => atMs)).toEqual([0, 66]);
    expect(second?.map(({ atMs }) => atMs)).toEqual([0]);
  });

  test('keeps the order of pictures when one capture time goes back', async () => {
    const path = join(directory, 'back.mp4');
    const times = [100, 50, 50, 200];
    await write(
      path,
      times.map((atMs, index) => picture(camera[index] as Buffer, atMs)),
    );
    expect((await read(path)).map(({ atMs }) => atMs)).toEqual([0, 50, 51, 200]);
  });

  test('is not moved by one capture time far ahead', async () => {
    const path = join(directory, 'ahead.mp4');
    const times = [0, 66, 600_000, 200, 266];
    const exporter = await write(
      path,
      times.map((atMs, index) => picture(camera[index] as Buffer, atMs)),
    );
    expect((await read(path)).map(({ atMs }) => atMs)).toEqual([0, 66, 67, 200, 266]);
    expect(exporter.adjusted.moved).toBe(1);
  });

  test('waits for a key frame after a lost picture, and counts what it leaves out', async () => {
    const path = join(directory, 'lost.mp4');
    const frames = camera.slice(0, 40).map((payload, index) => ({
      ...picture(payload, index * 66),
      sequence: index + 1,
    }));
    const exporter = await write(path, [...frames.slice(0, 5), ...frames.slice(6)]);
    const samples = await read(path);
    // The asset has a key frame every two seconds, as its picture 31.
    expect([samples.length, exporter.skipped]).toEqual([5 + 10, 24]);
    expect(samples[5]).toMatchObject({ isKey: true, atMs: 30 * 66 });
  });

  test('begins a second file when the parameter sets change and the size does not', async () => {
    const path = join(directory, 'sets.mp4');
    const changed = Buffer.from(camera[0] as Buffer);
    const pps = changed.indexOf(Buffer.from([0, 0, 1, 0x68]));
    // Another PPS: its last byte of payload, which no decoder of this test looks at.
    changed[pps + 5] = (changed[pps + 5] as number) ^ 1;
    const { paths } = await write(path, [
      picture(camera[0] as Buffer, 0),
      picture(camera[1] as Buffer, 66),
      picture(changed, 133),
    ]);
    expect(paths).toHaveLength(2);
  });

  test.each([
    ['wider than any picture', 5_000, 1],
    ['higher than any picture', 1, 100_000],
  ])('begins no file with a parameter set %s', async (name, width, height) => {
    const path = join(directory, `${name}.mp4`);
    const odd = picture(oddKeyFrame(width, height), 0);
    const exporter = await write(path, [odd, picture(camera[0] as Buffer, 40)]);
    expect([exporter.paths, exporter.skipped]).toEqual([[path], 1]);
    expect(await read(path)).toHaveLength(1);
  });

  test('takes parameter sets that come in a message of their own', async () => {
    const path = join(directory, 'apart.mp4');
    const units = [...nalUnits(camera[0] as Buffer)];
    const annexB = (all: Buffer[]) =>
      Buffer.concat(all.flatMap((unit) => [Buffer.from([0, 0, 0, 1]), unit]));
    const isSet = (unit: Buffer) => [7, 8].includes((unit[0] as number) & 0x1f);
    await write(path, [
      picture(annexB(units.filter(isSet)), 0),
      picture(annexB(units.filter((unit) => !isSet(unit))), 0),
      picture(camera[1] as Buffer, 66),
    ]);
    expect((await read(path)).map(({ isKey }) => isKey)).toEqual([true, false]);
  });

  test.each([
    ['an empty picture', Buffer.alloc(0)],
    ['a picture without a start code', Buffer.from('nothing of the kind')],
  ])('refuses %s, and goes on with the next key frame', async (_title, payload) => {
    const path = join(directory, 'odd.mp4');
    const exporter = new Mp4Exporter(path, START_MS);
    await exporter.write(picture(camera[0] as Buffer, 0));
    const odd = exporter.write(picture(payload, 66));
    await expect(odd).rejects.toMatchObject({ code: 'export/unsupported' });
    await exporter.write(picture(camera[2] as Buffer, 133));
    await exporter.write(picture(camera[30] as Buffer, 2_000));
    await exporter.close();
    expect((await read(path)).map(({ atMs }) => atMs)).toEqual([0, 2_000]);
    expect(exporter.skipped).toBe(1);
  });

  test('leaves no file when nothing can be decoded, and refuses other codecs', async () => {
    const path = join(directory, 'none.mp4');
    expect((await write(path, [picture(camera[1] as Buffer, 0)])).paths).toEqual([]);
    const jpg = new Mp4Exporter(path, START_MS).write(frame({ mediaType: 4, codec: 5 }));
    await expect(jpg).rejects.toMatchObject({ code: 'export/unsupported' });
  });
});

describe('one time base', () => {
  test('puts click and flash of the same instant within 40 ms', async () => {
    const asset = new URL('../../../../simulator/assets/camera/flash.h264', import.meta.url);
    const flash = accessUnits(await readFile(asset));
    const { WavExporter } = await import('../audio/wav.ts');
    const wavPath = join(directory, 'click.wav');
    const wav = new WavExporter(wavPath, { startMs: START_MS });
    const mp4Path = join(directory, 'flash.mp4');
    const mp4 = new Mp4Exporter(mp4Path, START_MS);
    // The camera is on from 1 s. The speaker is heard from 2 s, is silent for a second, and jitters by 12 ms.
    const clicks = [2_000, 4_000, 5_000];
    for (let atMs = 1_000; atMs < 6_000; atMs += 1_000) {
      for (const [index, payload] of flash.entries()) {
        await mp4.write(picture(payload, atMs + Math.round((index * 1000) / 15)));
      }
      for (let ms = atMs; clicks.includes(atMs) && ms < atMs + 1_000; ms += 20) {
        const payload = Buffer.alloc(640);
        if (ms === atMs) payload.writeInt16LE(20_000, 0);
        const jitterMs = (ms / 20) % 3 === 0 ? 12 : 0;
        await wav.write(frame({ payload, capturedAtMs: START_MS + ms + jitterMs }));
      }
    }
    await wav.close();
    await mp4.close();
    const data = (await readFile(wavPath)).subarray(44);
    const heard: number[] = [];
    for (let i = 0; i < data.length; i += 2) if (data.readInt16LE(i) === 20_000) heard.push(i / 32);
    const seen = (await read(mp4Path)).filter(({ isKey }) => isKey).map(({ atMs }) => atMs);
    expect(heard).toHaveLength(clicks.length);
    for (const click of heard) {
      expect(Math.min(...seen.map((atMs) => Math.abs(atMs - click)))).toBeLessThanOrEqual(40);
    }
  });
});
