import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { framesOfObject } from '../../sdk/consumer/archive/media-object.ts';
import type { Batch, Frame } from '../../sdk/consumer/index.ts';
import { frame, START_MS } from '../../test/support/test-records.ts';
import { type ClosedSlice, Gatherer } from './gatherer.ts';
import { MEDIA } from './kinds.ts';

/** Which frames go into which object, when it is closed, and which batches its end lets go. Time is moved by hand. */

beforeEach(() => void vi.useFakeTimers({ now: START_MS }));
afterEach(() => void vi.useRealTimers());

const MAX_AGE_MS = 90_000;

function setUp() {
  const closed: ClosedSlice[] = [];
  const gatherer = new Gatherer<Frame>(MEDIA, MAX_AGE_MS, (slice) => void closed.push(slice));
  const done: string[] = [];
  let holds = true;
  const lost = new AbortController();
  const take = (
    name: string,
    frames: readonly Frame[],
    fence = 1,
    behindMs = 0,
    arrivedAtMs = Date.now() - behindMs,
  ) => {
    const batch: Batch<Frame> = {
      shardId: 'shard',
      fence,
      signal: lost.signal,
      holds: () => holds,
      millisBehindLatest: behindMs,
      arrivedAtMs,
      checkpoint: () => Promise.resolve(),
      hold: () => () => {
        done.push(name);
        return Promise.resolve();
      },
    };
    gatherer.take(frames, batch);
  };
  const lose = () => {
    holds = false;
  };
  const wait = (ms: number) => {
    vi.advanceTimersByTime(ms);
    gatherer.tick();
  };
  /** What was closed since the last call: its name, and the sequence numbers in it. */
  const written = async () => {
    const slices = closed.splice(0);
    const read = slices.map(({ rtmsStreamId, name, bytes }) => [
      `${rtmsStreamId}/${name.replace(/^media.audio.user-|\.rtms$/g, '')}`,
      [...framesOfObject(bytes())].map(({ sequence }) => sequence),
    ]);
    for (const slice of slices) await slice.done();
    return Object.fromEntries(read) as Record<string, number[]>;
  };
  return { gatherer, take, lose, wait, written, done, closed };
}

/** Frame `sequence` of a user, received `seconds` after the start. */
const at = (
  seconds: number,
  sequence: number,
  changes: Partial<Parameters<typeof frame>[0]> = {},
) => frame({ sequence, receivedAtMs: START_MS + seconds * 1_000, ...changes });

test('a minute is closed 5 s after the next one of its session has begun, with what was late in it', async () => {
  const { take, wait, written, done } = setUp();
  take('a', [at(0, 1), at(59, 2)]);
  take('b', [at(60, 3)]);
  wait(4_999);
  take('c', [at(59.5, 4)]);
  expect(await written()).toEqual({});
  wait(1);
  expect(await written()).toEqual({ 'stream-1/7/2027-01-15T08-00Z': [1, 2, 4] });
  expect(done).toEqual(['a', 'c']);
});

test('a minute is closed at once when a later than the next one has begun: a worker that catches up', async () => {
  const { take, written, done } = setUp();
  take('a', [at(0, 1)]);
  take('b', [at(61, 2)]);
  take('c', [at(121, 3)]);
  expect(await written()).toEqual({ 'stream-1/7/2027-01-15T08-00Z': [1] });
  expect(done).toEqual(['a']);
});

test('another session, by a clock that is an hour ahead, closes nothing', async () => {
  const { take, wait, written } = setUp();
  take('a', [at(0, 1), at(3_600, 1, { rtmsStreamId: 'other' })]);
  wait(10_000);
  expect(await written()).toEqual({});
});

test('what is old is closed, and what comes then goes into a slice of its own', async () => {
  const { take, wait, written, done, gatherer } = setUp();
  take('a', [at(0, 1)]);
  wait(MAX_AGE_MS - 1);
  take('b', [at(1, 2)]);
  wait(1);
  take('c', [at(2, 3)]);
  expect(await written()).toEqual({ 'stream-1/7/2027-01-15T08-00Z': [1, 2] });
  expect(done).toEqual(['a', 'b']);
  gatherer.closeShard('shard');
  expect(await written()).toEqual({ 'stream-1/7/2027-01-15T08-00Z': [3] });
  expect(done).toEqual(['a', 'b', 'c']);
  expect(gatherer.openBytes).toBe(0);
});

test('a worker that begins late does not take what waited in the shard for durable before it is written', () => {
  const { take, gatherer } = setUp();
  // Read to the tip, after the end of the session was read elsewhere: a manifest made now would lack these frames.
  take('a', [at(0, 1)], 1, 0, START_MS - 60_000);
  expect(gatherer.durableThroughMs('shard')).toBe(START_MS - 61_000);
});

test('a batch goes when all objects that it is in are written, and the shard is durable up to the oldest that is not', async () => {
  const { take, gatherer, closed, done } = setUp();
  take('a', [at(0, 1), at(0, 1, { userId: 8 })]);
  vi.advanceTimersByTime(10_000);
  take('b', [at(10, 2)]);
  const readAtMs = START_MS - 1_000;
  expect(gatherer.durableThroughMs('shard')).toBe(readAtMs);
  gatherer.closeAll();
  const [first, second] = closed;
  await first?.done();
  expect(done).toEqual(['b']);
  expect(gatherer.durableThroughMs('shard')).toBe(readAtMs);
  await second?.done();
  expect(done).toEqual(['b', 'a']);
  expect(gatherer.durableThroughMs('shard')).toBeUndefined();
});

test('sessions are closed by themselves', async () => {
  const { take, gatherer, written } = setUp();
  take('a', [at(0, 1), at(0, 1, { rtmsStreamId: 'other' })]);
  gatherer.closeSession('other');
  expect(Object.keys(await written())).toEqual(['other/7/2027-01-15T08-00Z']);
  take('b', [at(1, 2)], 1, 60_000);
  gatherer.closeSession('stream-1');
  expect(await written()).toEqual({});
  take('c', [at(2, 3)]);
  gatherer.closeSession('stream-1');
  expect(await written()).toEqual({ 'stream-1/7/2027-01-15T08-00Z': [1, 2, 3] });
});

test('a shard that is lost is dropped with its memory, and so is that of an earlier claim', async () => {
  const { take, lose, wait, gatherer, written, done } = setUp();
  take('a', [at(0, 1)]);
  take('b', [at(0, 1)], 2);
  gatherer.closeShard('shard');
  expect(await written()).toEqual({ 'stream-1/7/2027-01-15T08-00Z': [1] });
  expect(done).toEqual(['b']);
  take('c', [at(1, 2)], 2);
  lose();
  wait(1_000);
  expect(gatherer.openBytes).toBe(0);
  gatherer.closeAll();
  expect(await written()).toEqual({});
});
