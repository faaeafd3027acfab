import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { SampleClock } from './sample-clock.ts';

const START_MS = 1_800_000_000_000;
const FRAME_MS = 20;

interface Item {
  readonly capturedAt: Date;
  readonly receivedAt: Date;
  readonly epoch: number;
  readonly sequence: number;
  readonly payload: Buffer;
  readonly number: number;
}

/**
 * Places frames of 20 ms at 1 kHz, so that a sample is a millisecond.
 *
 * @param times of capture, since meeting zero
 * @param receipts since meeting zero
 */
function place(
  times: readonly number[],
  epochs: readonly number[] = [],
  receipts: readonly number[] = [],
) {
  const clock = new SampleClock<Item>({ rateHz: 1_000, startMs: START_MS });
  const placed = times.flatMap((atMs, number) => {
    const payload = Buffer.from(String(number));
    const capturedAt = new Date(START_MS + atMs);
    const receivedAt = new Date(START_MS + (receipts[number] ?? number * FRAME_MS));
    const epoch = epochs[number] ?? 1;
    const sequence = number + 1;
    const item = { capturedAt, receivedAt, epoch, sequence, payload, number };
    return clock.place(item, FRAME_MS);
  });
  const all = [...placed, ...clock.finish()];
  return { clock, all, at: all.map(({ at }) => at), kept: all.map(({ item }) => item.number) };
}

const steady = (count: number, fromMs = 0) =>
  Array.from({ length: count }, (_, index) => fromMs + index * FRAME_MS);

describe('one capture time that does not fit', () => {
  property.prop([
    fc.integer({ min: 1, max: 48 }),
    fc.integer({ min: 31, max: 20 * 3_600_000 }),
    fc.boolean(),
  ])('moves nothing and loses nothing, wherever it stands', (index, offMs, isAhead) => {
    const times = steady(50);
    times[index] = (times[index] as number) + (isAhead ? offMs : -offMs);
    const { at, clock } = place(times);
    expect(at).toEqual(steady(50));
    expect(clock.cutSamples).toBe(0);
  });

  test('at the very end moves nothing either', () => {
    expect(place([...steady(10), 600_000]).at).toEqual(steady(11));
  });
});

describe('capture times that the clock of the runner contradicts', () => {
  property.prop([
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 2, max: 50 }),
    fc.integer({ min: 700_000, max: 200 * 3_600_000 }),
    fc.boolean(),
  ])(
    'move nothing and lose nothing, however many follow each other',
    (index, count, offMs, isAhead) => {
      const times = steady(50).map((atMs, number) =>
        number >= index && number < index + count ? atMs + (isAhead ? offMs : -offMs) : atMs,
      );
      const { at, clock } = place(times);
      expect(at).toEqual(steady(50));
      expect(clock.cutSamples).toBe(0);
      expect(clock.moved).toBe(Math.min(count, 50 - index));
    },
  );

  test('keep the pauses between them', () => {
    const receipts = [...steady(5), ...steady(5, 100), ...steady(5, 90_000)];
    const times = receipts.map((atMs, number) => (number < 5 ? atMs : atMs + 600_000));
    expect(place(times, [], receipts).at).toEqual(receipts);
  });

  test('do not hide a pause of minutes that both clocks saw', () => {
    const times = [...steady(5), ...steady(5, 1_200_000)];
    const { at, clock } = place(times, [], times);
    expect([at, clock.moved]).toEqual([times, 0]);
  });
});

describe('a lasting step', () => {
  property.prop([fc.integer({ min: 40, max: 3_600_000 }), fc.integer({ min: 2, max: 40 })])(
    'back loses nothing: the speech goes on where it is',
    (stepMs, index) => {
      const times = steady(50).map((atMs, number) => (number < index ? atMs : atMs - stepMs));
      const { at, clock } = place(times.map((atMs) => atMs));
      expect(at).toEqual(steady(50));
      expect(clock.cutSamples).toBe(0);
    },
  );

  test('ahead is silence, as after a pause', () => {
    const times = [...steady(5), ...steady(5, 10_000)];
    expect(place(times).at).toEqual(times);
  });

  test('back keeps the pauses that follow, until the times fit again', () => {
    const times = [...steady(5), ...steady(5, -900), ...steady(3, 5_000)];
    const { at, kept } = place(times);
    expect(kept).toHaveLength(13);
    expect(at.slice(0, 10)).toEqual(steady(10));
    expect(at.slice(10)).toEqual(steady(3, 5_000));
  });
});

test('audio that Zoom sends again after a change of owner is cut and counted', () => {
  const times = [...steady(10), ...steady(10, 105)];
  const epochs = times.map((_, index) => (index < 10 ? 1 : 2));
  const { all, clock } = place(times, epochs);
  expect(clock.cutSamples).toBe(80);
  expect(all.at(10)).toMatchObject({ at: 200, skip: 0 });
  expect(all.at(-1)).toMatchObject({ at: 300, skip: 0 });
});

test('a frame with the same bytes and the same time as one before is cut', () => {
  const clock = new SampleClock<Item>({ rateHz: 1_000, startMs: START_MS });
  const [capturedAt, receivedAt] = [new Date(START_MS), new Date(START_MS)];
  const item = {
    capturedAt,
    receivedAt,
    epoch: 1,
    sequence: 1,
    payload: Buffer.from('x'),
    number: 0,
  };
  expect(clock.place(item, FRAME_MS)).toHaveLength(1);
  expect(clock.place(item, FRAME_MS)).toEqual([]);
  expect(clock.cutSamples).toBe(FRAME_MS);
});
