import { expect, test } from 'vitest';
import type { MediaRecord } from '../../../shared/record/media-record.ts';
import {
  CountingListener,
  countingRecords,
  NUMBERS,
  type Said,
  takenOver,
} from '../../../test/support/counting-speaker.ts';
import { mediaRecord, packed } from '../../../test/support/test-records.ts';
import type { Frame } from '../records/frame.ts';
import { FrameDecoder } from '../records/records.ts';
import { speakers } from './speakers.ts';

const TWO_HOURS_MS = 7_200_000;

/** Speakers count 1 to 500, evenly over two hours, not on the beginning of a frame. */
const said = (offsetMs: number): Said[] =>
  Array.from({ length: NUMBERS }, (_, index) => ({
    number: index + 1,
    atMs: offsetMs + index * 14_397,
  }));

/** What a reader makes of the records from a moment on. */
async function* read(records: Iterable<MediaRecord>, fromMs: number): AsyncGenerator<Frame> {
  const decoder = new FrameDecoder();
  for (const record of records) {
    if (record.receivedAtMs >= fromMs) yield* decoder.decode(packed([record]));
  }
}

test.each([
  ['L16, 16,000 Hz', {}],
  ['L16, 48,000 Hz', { sampleRateHz: 48_000 }],
  ['L16, 44,100 Hz', { sampleRateHz: 44_100 }],
] as const)(
  'three owners and three consumers die in two hours, and each number is heard once: %s',
  async (_format, changes) => {
    const counted = said(213);
    const owners = [1_800_000, 3_655_050, 6_000_117];
    const records = countingRecords(counted, TWO_HOURS_MS, changes);
    // A microphone that sends nothing while nobody speaks.
    const spoken = records.filter(
      ({ payload }, index) => payload.some((byte) => byte !== 0) || index % 50 === 0,
    );
    const listener = new CountingListener();
    let position: { atMs: number } | undefined;
    // The last consumer is not killed. The second death is in the middle of a number.
    for (const blocks of [14_000, 22_012, 9_001, Number.POSITIVE_INFINITY]) {
      const resume = position ? [{ rtmsStreamId: 'stream-1', userId: 7, ...position }] : [];
      const fromMs = position ? position.atMs - 60_000 : 0;
      const reader = read(takenOver(spoken, owners), fromMs);
      for await (const lane of speakers({ reader, resume, whenFull: 'wait' })) {
        let taken = 0;
        for await (const block of lane) {
          if (position) expect(block.atMs).toBe(position.atMs);
          listener.hear(block.samples, block.atMs, block.isSilence);
          position = { atMs: block.endMs };
          taken += 1;
          if (taken === blocks) break;
        }
        break;
      }
    }
    listener.end();
    expect(listener.heard.map(({ number }) => number)).toEqual(counted.map(({ number }) => number));
    const offsets = listener.heard.map(({ atMs }, i) => Math.abs(atMs - (counted[i]?.atMs ?? 0)));
    expect(Math.max(...offsets)).toBeLessThanOrEqual(20);
  },
);

test('10,000 speakers at once are 10,000 lanes', async () => {
  const records = Array.from({ length: 20_000 }, (_, index) =>
    mediaRecord({ userId: index % 10_000, sequence: index < 10_000 ? 1 : 2 }),
  );
  const lengths: number[] = [];
  const tasks: Promise<void>[] = [];
  for await (const lane of speakers({ reader: read(records, 0), whenFull: 'wait' })) {
    tasks.push(
      (async () => {
        let samples = 0;
        for await (const block of lane) samples += block.samples.length;
        lengths.push(samples);
      })(),
    );
  }
  await Promise.all(tasks);
  expect(lengths).toHaveLength(10_000);
  expect(new Set(lengths)).toEqual(new Set([640]));
});
