import { expect, test, vi } from 'vitest';
import { makeUnit, Tally } from '../../test/support/model-kinesis.ts';
import { windClocks } from '../../test/support/wound-clock.ts';
import { CallBreaker } from './call-breaker.ts';
import { Producer } from './producer.ts';
import type { PutResult } from './put-client.ts';

const MEBIBYTE = 1024 * 1024;
const RETRY = { baseMs: 100, maxMs: 5_000 };

/** The longest pauses. */
function breakerAfter(failures: number): CallBreaker {
  const breaker = new CallBreaker(RETRY, () => 1);
  for (let count = 0; count < failures; count += 1) breaker.failed(0);
  return breaker;
}

test.each([
  { failures: 0, pauseMs: 0, atOnce: 8, bytes: 2 * MEBIBYTE },
  { failures: 1, pauseMs: 0, atOnce: 8, bytes: MEBIBYTE },
  { failures: 2, pauseMs: 0, atOnce: 8, bytes: MEBIBYTE / 2 },
  { failures: 3, pauseMs: 100, atOnce: 1, bytes: MEBIBYTE / 4 },
  { failures: 4, pauseMs: 200, atOnce: 1, bytes: MEBIBYTE / 4 },
  { failures: 7, pauseMs: 1_600, atOnce: 1, bytes: MEBIBYTE / 4 },
  { failures: 8, pauseMs: 2_000, atOnce: 1, bytes: MEBIBYTE / 4 },
  { failures: 99, pauseMs: 2_000, atOnce: 1, bytes: MEBIBYTE / 4 },
])('after $failures failures: $atOnce calls after $pauseMs ms', (wanted) => {
  const breaker = breakerAfter(wanted.failures);
  if (wanted.pauseMs > 0) expect(breaker.callsAtOnce(wanted.pauseMs - 1, 8)).toBe(0);
  expect(breaker.callsAtOnce(wanted.pauseMs, 8)).toBe(wanted.atOnce);
  expect(breaker.callBytes).toBe(wanted.bytes);
});

test('one call that is taken closes it, and calls grow again', () => {
  const breaker = breakerAfter(20);
  const grown = [1, 2, 3, 4].map(() => {
    breaker.taken();
    return breaker.callBytes / MEBIBYTE;
  });
  expect(grown).toEqual([0.5, 1, 2, 2]);
  expect(breaker.isOpen).toBe(false);
  expect(breaker.callsAtOnce(0, 8)).toBe(8);
});

test('a policy that waits less is kept to', () => {
  const breaker = new CallBreaker({ baseMs: 5, maxMs: 20 }, () => 1);
  for (let count = 0; count < 50; count += 1) breaker.failed(0);
  expect(breaker.callsAtOnce(19, 8)).toBe(0);
  expect(breaker.callsAtOnce(20, 8)).toBe(1);
});

const KEYS = 40;
const FRAME_MS = 1_000;

/** Takes nothing while it is away: each call fails, or each entry of it, or nobody answers for five seconds. */
class AwayKinesis {
  how: 'here' | 'calls' | 'entries' | 'silent' = 'here';
  readonly calls: { readonly atMs: number; readonly entries: number }[] = [];
  readonly written = new Map<string, number>();

  async putRecords(
    _stream: string,
    entries: readonly { partitionKey: string }[],
  ): Promise<readonly PutResult[]> {
    this.calls.push({ atMs: performance.now(), entries: entries.length });
    const { how } = this;
    await new Promise((resolve) => setTimeout(resolve, how === 'silent' ? 5_000 : 10));
    if (how === 'calls' || how === 'silent') throw new Error('away');
    return entries.map(({ partitionKey }) => {
      if (how === 'entries') return { ErrorCode: 'InternalFailure' };
      this.written.set(partitionKey, performance.now());
      return { SequenceNumber: '1', ShardId: 'shardId-000000000000' };
    });
  }
}

windClocks();

/** Before there was a breaker: 8 calls at once, and thousands in a minute. */
test.each([
  { how: 'calls' as const, callsAMinute: 60, backWithinMs: 2_000 },
  { how: 'entries' as const, callsAMinute: 60, backWithinMs: 2_000 },
  // Nobody knows before its deadline that a call will not be answered.
  { how: 'silent' as const, callsAMinute: 20, backWithinMs: 7_000 },
])(
  'a stream that is away ($how) is tried by few calls, and all keys go on when it is back',
  async (outage) => {
    const kinesis = new AwayKinesis();
    const producer = new Producer({ client: kinesis, streamName: 'media', aggregate: true });
    const tally = new Tally();
    let sequence = 0;
    const speak = async (forMs: number) => {
      for (let ms = 0; ms < forMs; ms += FRAME_MS) {
        sequence += 1;
        for (let key = 0; key < KEYS; key += 1) {
          producer.put(makeUnit(sequence, tally, { key: `key-${key}`, bytes: 100 }));
        }
        await vi.advanceTimersByTimeAsync(FRAME_MS);
      }
    };
    await speak(1_000);
    kinesis.how = outage.how;
    // What is known of the outage is known after some seconds.
    await speak(10_000);
    const before = kinesis.calls.length;
    await speak(60_000);
    expect(kinesis.calls.length - before).toBeLessThanOrEqual(outage.callsAMinute);
    expect(kinesis.calls.length - before).toBeGreaterThan(5);

    kinesis.how = 'here';
    const backAtMs = performance.now();
    await speak(outage.backWithinMs + 1_000);
    for (let key = 0; key < KEYS; key += 1) {
      expect(kinesis.written.get(`key-${key}`)).toBeGreaterThan(backAtMs);
    }
    const closed = producer.close();
    await vi.advanceTimersByTimeAsync(10_000);
    await closed;
    expect(tally.writtenNames).toHaveLength(KEYS * sequence);
  },
);

test('a key that is new when the stream is back does not wait for the others', async () => {
  const kinesis = new AwayKinesis();
  const producer = new Producer({ client: kinesis, streamName: 'media', aggregate: true });
  const tally = new Tally();
  for (let key = 0; key < KEYS; key += 1) {
    producer.put(makeUnit(1, tally, { key: `key-${key}`, bytes: 100 }));
  }
  kinesis.how = 'calls';
  await vi.advanceTimersByTimeAsync(60_000);
  // Right behind a call that has failed, so that the next one would come in a second at the earliest.
  const calls = kinesis.calls.length;
  while (kinesis.calls.length === calls) await vi.advanceTimersByTimeAsync(1);
  await vi.advanceTimersByTimeAsync(20);
  kinesis.how = 'here';
  const backAtMs = performance.now();
  producer.put(makeUnit(1, tally, { key: 'new', bytes: 100 }));
  await vi.advanceTimersByTimeAsync(300);
  expect(kinesis.written.get('new') ?? Number.NaN).toBeLessThanOrEqual(backAtMs + 300);
  expect(kinesis.written.size).toBe(KEYS + 1);
  const closed = producer.close();
  await vi.advanceTimersByTimeAsync(1_000);
  await closed;
});
