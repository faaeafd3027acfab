import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { MediaRecord } from '../../../shared/record/media-record.ts';
import { splitOggPackets } from '../../../simulator/media/assets.ts';
import { countingRecords, type Said } from '../../../test/support/counting-speaker.ts';
import {
  expectContinuous,
  expectSaid,
  framesOf,
  hear,
  numbers,
} from '../../../test/support/heard-lanes.ts';
import { START_MS } from '../../../test/support/test-records.ts';

/**
 * Files that ffmpeg 5.1 encoded (`-f alaw`, `-f g722`, `-c:a libopus -frame_duration 20`) from a speaker who says these eight
 * numbers in 2.2 s.
 */
const SAID: readonly Said[] = Array.from({ length: 8 }, (_, index) => ({
  number: index * 60 + 1,
  atMs: 110 + index * 250,
}));
const LENGTH_MS = 2_200;
const encoded = (name: string) =>
  readFileSync(new URL(`../../../test/fixtures/speech/counting.${name}`, import.meta.url));

/** Twenty milliseconds of both codecs are 160 bytes. */
const pieces = (bytes: Buffer): Buffer[] =>
  Array.from({ length: bytes.length / 160 }, (_, index) =>
    bytes.subarray(index * 160, (index + 1) * 160),
  );

const CODECS: readonly [string, Partial<MediaRecord>, () => readonly Buffer[] | undefined][] = [
  ['L16 at 8,000 Hz', { codec: 1, sampleRateHz: 8_000 }, () => undefined],
  ['L16 at 16,000 Hz', { codec: 1, sampleRateHz: 16_000 }, () => undefined],
  ['L16 at 48,000 Hz', { codec: 1, sampleRateHz: 48_000 }, () => undefined],
  ['G.711, A-law', { codec: 2, sampleRateHz: 8_000 }, () => pieces(encoded('alaw'))],
  ['G.722', { codec: 3, sampleRateHz: 16_000 }, () => pieces(encoded('g722'))],
  ['Opus', { codec: 4, sampleRateHz: 48_000 }, () => splitOggPackets(encoded('ogg')).slice(2)],
];

function recordsOf(changes: Partial<MediaRecord>, payloads: readonly Buffer[] | undefined) {
  const records = countingRecords(SAID, LENGTH_MS, changes);
  if (payloads === undefined) return records;
  return records.map((record, index) => ({
    ...record,
    payload: payloads[index] ?? Buffer.alloc(0),
  }));
}

describe.each(CODECS)('%s', (_name, changes, payloads) => {
  test.each([16_000, 8_000, 48_000])(
    'numbers are heard at their times, at %i Hz',
    async (rateHz) => {
      const { lanes, notices } = await hear(framesOf(recordsOf(changes, payloads())), { rateHz });
      expect(notices).toEqual([]);
      const blocks = lanes[0]?.blocks ?? [];
      expectContinuous(blocks);
      expectSaid(numbers(blocks, rateHz), SAID);
      expect(Math.abs((blocks.at(-1)?.endMs ?? 0) - START_MS - LENGTH_MS)).toBeLessThan(10);
    },
  );

  test('a pause in which nothing comes moves nothing, and an owner that dies doubles nothing', async () => {
    const records = recordsOf(changes, payloads());
    const said = SAID.filter(({ number }) => number !== 121);
    // The third number lies in it: 610 to 730 ms.
    const paused = records.filter((_, index) => index < 29 || index >= 38);
    const again = paused
      .slice(40)
      .map((record, index) => ({ ...record, epoch: 2, sequence: index + 1 }));
    const { lanes } = await hear(framesOf([...paused.slice(0, 70), ...again]));
    const blocks = lanes[0]?.blocks ?? [];
    expectContinuous(blocks);
    expectSaid(numbers(blocks), said);
  });
});
