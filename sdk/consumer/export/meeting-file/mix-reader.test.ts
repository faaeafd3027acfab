import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { frame, START_MS } from '../../../../test/support/test-records.ts';
import { WavExporter } from '../audio/wav.ts';
import { MIX_RATE_HZ, MixReader } from './mix-reader.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rtms-mix-'));
});
afterAll(() => rm(root, { recursive: true }));

/** Two seconds of one value. */
async function steady(name: string, level: number, sampleRateHz: number): Promise<string> {
  const path = join(root, name);
  const exporter = new WavExporter(path, { startMs: START_MS });
  const payload = Buffer.from(new Int16Array(sampleRateHz / 50).fill(level * 32_768).buffer);
  for (let index = 0; index < 100; index++) {
    const capturedAtMs = START_MS + index * 20;
    const own = { sampleRateHz, payload, sequence: index + 1, capturedAtMs };
    await exporter.write(frame({ ...own, receivedAtMs: capturedAtMs }));
  }
  await exporter.close();
  return path;
}

const RATES = [8_000, 16_000, 48_000];

describe.each(RATES)('sound at %i Hz', (rate) => {
  test('is in the mix and, where it is asked for, alone', async () => {
    const files = [
      { path: await steady(`loud-${rate}.wav`, 0.25, rate), speaker: 'user 7' },
      { path: await steady(`other-${rate}.wav`, 0.125, 16_000), speaker: 'user 8' },
      { path: await steady(`again-${rate}.wav`, 0.125, rate), speaker: 'user 8' },
    ];
    for (const isSplit of [false, true]) {
      const mix = await MixReader.open(files, isSplit);
      const { samples, voices } = await mix.next();
      await mix.close();
      // In the middle, as before the first sample there is silence.
      expect(samples[MIX_RATE_HZ / 2]).toBeCloseTo(0.5, 2);
      expect([...voices.keys()]).toEqual(isSplit ? ['user 7', 'user 8'] : []);
      for (const own of voices.values()) expect(own[MIX_RATE_HZ / 2]).toBeCloseTo(0.25, 2);
    }
  });

  test('a file that cannot be read any further is left out and named, and the others go on', async () => {
    const good = await steady(`good-${rate}.wav`, 0.25, rate);
    const bad = await steady(`bad-${rate}.wav`, 0.5, rate);
    const mix = await MixReader.open([
      { path: bad, speaker: 'user 7' },
      { path: good, speaker: 'user 8' },
    ]);
    expect((await mix.next()).samples[MIX_RATE_HZ / 2]).toBeCloseTo(0.75, 2);
    await truncate(bad, 1_000);
    const { samples, levels } = await mix.next();
    expect(samples[MIX_RATE_HZ / 2]).toBeCloseTo(0.25, 2);
    expect([...levels.keys()]).toEqual(['user 8']);
    await mix.close();
    expect(mix.unread).toEqual([{ path: bad }]);
  });
});
