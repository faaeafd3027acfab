import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input } from 'mediabunny';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { frame, START_MS } from '../../../../test/support/test-records.ts';
import { opusSamples } from '../../records/frame-length.ts';
import { OpusExporter } from './opus.ts';

let directory: string;
let speech: Buffer[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rtms-opus-'));
  const asset = fileURLToPath(
    new URL('../../../../simulator/assets/speech/01.ogg', import.meta.url),
  );
  speech = (await read(asset)).map(({ data }) => data);
});
afterAll(() => rm(directory, { recursive: true }));

const packet = (payload: Buffer, atMs: number) =>
  frame({ codec: 4, sampleRateHz: 48_000, channels: 2, payload, capturedAtMs: START_MS + atMs });

async function read(path: string) {
  const input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS });
  const track = await input.getPrimaryAudioTrack();
  if (!track) throw new Error('no audio track');
  const packets: { data: Buffer; atMs: number }[] = [];
  for await (const each of new EncodedPacketSink(track).packets()) {
    packets.push({ data: Buffer.from(each.data), atMs: Math.round(each.timestamp * 1000) });
  }
  input.dispose();
  return packets;
}

async function write(path: string, packets: ReturnType<typeof packet>[]): Promise<void> {
  const exporter = new OpusExporter(path, START_MS);
  for (const each of packets) await exporter.write(each);
  await exporter.close();
}

describe('OpusExporter', () => {
  test.each(['ogg', 'webm'])('keeps every packet and fills gaps in .%s', async (extension) => {
    const path = join(directory, `speech.${extension}`);
    const times = speech.map((_, index) => 200 + index * 20 + (index < 50 ? 0 : 1_000));
    await write(
      path,
      speech.map((payload, index) => packet(payload, times[index] ?? 0)),
    );
    const packets = await read(path);
    const isSilence = ({ data }: { data: Buffer }) => data.toString('hex') === 'f8fffe';
    const kept = packets.filter((each) => !isSilence(each));
    expect(kept.map(({ data }) => data.toString('hex'))).toEqual(
      speech.map((payload) => payload.toString('hex')),
    );
    expect(packets.filter(isSilence)).toHaveLength(10 + 50);
    for (const [index, { atMs }] of kept.entries()) {
      // The container counts from the start of what is heard: 312 samples after that of the first packet.
      expect(Math.abs(atMs - (times[index] ?? 0))).toBeLessThanOrEqual(7);
    }
  });

  test('leaves out what overlaps', async () => {
    const path = join(directory, 'overlap.ogg');
    const [a, b, c] = speech as [Buffer, Buffer, Buffer];
    await write(path, [packet(a, 0), packet(b, 20), packet(c, -100)]);
    expect(await read(path)).toHaveLength(2);
  });

  test('leaves no file when all of it lies before meeting zero', async () => {
    const path = join(directory, 'before.ogg');
    await write(path, [packet(speech[0] as Buffer, -60_000)]);
    expect(existsSync(path)).toBe(false);
    expect(existsSync(`${path}.partial`)).toBe(false);
  });

  test('does not believe a first packet that was received a day before it was captured', async () => {
    const path = join(directory, 'ahead.ogg');
    await write(path, [packet(speech[0] as Buffer, 24 * 3_600_000)]);
    expect(await read(path)).toHaveLength(1);
  });

  test('refuses other codecs', async () => {
    const exporter = new OpusExporter(join(directory, 'none.ogg'), START_MS);
    await expect(exporter.write(frame())).rejects.toMatchObject({ code: 'export/unsupported' });
    await exporter.close();
  });

  test('refuses a payload that is no packet, and writes the next one', async () => {
    const path = join(directory, 'odd.ogg');
    const exporter = new OpusExporter(path, START_MS);
    const [a, b] = speech as [Buffer, Buffer];
    await exporter.write(packet(a, 0));
    for (const odd of [Buffer.alloc(0), Buffer.from([0xff])])
      await expect(exporter.write(packet(odd, 20))).rejects.toMatchObject({
        code: 'export/unsupported',
      });
    await exporter.write(packet(b, 20));
    await exporter.close();
    expect(await read(path)).toHaveLength(2);
  });
});

// RFC 6716, tables 2 and 4: configuration, frame count code, samples at 48 kHz.
test.each([
  [0, 0, 480],
  [3, 0, 2880],
  [12, 1, 960],
  [15, 2, 1920],
  [16, 0, 120],
  [31, 0, 960],
])('a packet of configuration %i, code %i has %i samples', (config, code, samples) => {
  expect(opusSamples(Buffer.from([(config << 3) | code, 0]))).toBe(samples);
});

test('a packet of code 3 says itself how many frames it has', () => {
  expect(opusSamples(Buffer.from([(31 << 3) | 3, 3]))).toBe(2880);
  expect(opusSamples(Buffer.from([(31 << 3) | 3]))).toBe(0);
  expect(opusSamples(Buffer.alloc(0))).toBe(0);
});
