import { expect, test, vi } from 'vitest';
import { makeUnit, Tally } from '../../test/support/model-kinesis.ts';
import { windClocks } from '../../test/support/wound-clock.ts';
import { CallPace, callGapMs, LINE_GAPS, MEDIA_GAPS, TICK_MS } from './call-pace.ts';
import { Producer } from './producer.ts';
import type { Unit } from './unit.ts';

windClocks();

test.each([
  { name: 'a line alone', unitsPerSecond: 0, isFlushing: false, gaps: LINE_GAPS, gapMs: 20 },
  { name: '300 sessions', unitsPerSecond: 150, isFlushing: false, gaps: LINE_GAPS, gapMs: 20 },
  { name: 'at the limit', unitsPerSecond: 250, isFlushing: false, gaps: LINE_GAPS, gapMs: 20 },
  { name: 'above it', unitsPerSecond: 251, isFlushing: false, gaps: LINE_GAPS, gapMs: 50 },
  { name: 'a flush', unitsPerSecond: 9_999, isFlushing: true, gaps: LINE_GAPS, gapMs: 20 },
  { name: 'frames', unitsPerSecond: 9_999, isFlushing: false, gaps: MEDIA_GAPS, gapMs: 20 },
])('the gap between calls: $name', ({ unitsPerSecond, isFlushing, gaps, gapMs }) => {
  expect(callGapMs(unitsPerSecond, isFlushing, gaps)).toBe(gapMs);
});

/** A pace that has seen this many units a second, evenly, until `nowMs`, and made calls then. */
function paceAfter(unitsPerSecond: number, forMs: number): { pace: CallPace; nowMs: number } {
  const pace = new CallPace(LINE_GAPS);
  for (let at = 0; at < forMs; at += 1_000 / unitsPerSecond) pace.arrived(at);
  pace.called(forMs);
  return { pace, nowMs: forMs };
}

test.each([
  { name: 'before a rate is known', rate: 1_000, forMs: 400, afterMs: 0, waitMs: 20 },
  { name: 'few lines', rate: 100, forMs: 2_000, afterMs: 0, waitMs: 20 },
  { name: 'many lines', rate: 1_000, forMs: 2_000, afterMs: 0, waitMs: 50 },
  { name: 'many lines, some time ago', rate: 1_000, forMs: 2_000, afterMs: 30, waitMs: 20 },
  { name: 'many lines, a gap ago', rate: 1_000, forMs: 2_000, afterMs: 50, waitMs: 0 },
  {
    name: 'many lines, then a second of silence',
    rate: 1_000,
    forMs: 2_000,
    afterMs: 1_000,
    waitMs: -980,
  },
])('how long the next calls wait: $name', ({ rate, forMs, afterMs, waitMs }) => {
  const { pace, nowMs } = paceAfter(rate, forMs);
  expect(pace.waitMs(nowMs + afterMs, false)).toBe(waitMs);
});

test.each([
  { name: 'few lines, right after calls', rate: 100, afterMs: 0, isFlushing: false, may: true },
  {
    name: 'many lines, right after calls',
    rate: 1_000,
    afterMs: 20,
    isFlushing: false,
    may: false,
  },
  { name: 'many lines, a gap after calls', rate: 1_000, afterMs: 50, isFlushing: false, may: true },
  { name: 'many lines and a flush', rate: 1_000, afterMs: 0, isFlushing: true, may: true },
])('whether a tick makes calls: $name', ({ rate, afterMs, isFlushing, may }) => {
  const { pace, nowMs } = paceAfter(rate, 2_000);
  expect(pace.mayCall(nowMs + afterMs, isFlushing)).toBe(may);
});

/** Answers after 10 ms. Fails every third entry when told to. */
class LineKinesis {
  readonly callsAtMs: number[] = [];
  readonly texts = new Map<string, string>();
  isFailing = false;
  #entries = 0;

  async putRecords(
    _stream: string,
    entries: readonly { partitionKey: string; data: Uint8Array }[],
  ) {
    this.callsAtMs.push(performance.now());
    const answers = entries.map(({ partitionKey, data }) => {
      this.#entries += 1;
      if (this.isFailing && this.#entries % 3 === 0) return { ErrorCode: 'InternalFailure' };
      const before = this.texts.get(partitionKey) ?? '';
      this.texts.set(partitionKey, before + Buffer.from(data).toString());
      return { SequenceNumber: '1', ShardId: 'shardId-000000000000' };
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    return answers;
  }
}

function linesTo(kinesis: LineKinesis): {
  producer: Producer;
  tally: Tally;
  say: (key: string) => void;
} {
  const producer = new Producer({ client: kinesis, streamName: 'events', aggregate: false });
  const tally = new Tally();
  const said = new Map<string, number>();
  const say = (key: string) => {
    const sequence = (said.get(key) ?? 0) + 1;
    said.set(key, sequence);
    const unit: Unit = {
      ...makeUnit(sequence, tally, { key, class: 'text' }),
      records: [Buffer.from(`${sequence}\n`)],
    };
    producer.put(unit);
  };
  return { producer, tally, say };
}

const count = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join('');

/** One line of one of 500 sessions each millisecond. */
async function speak(say: (key: string) => void, forMs: number): Promise<void> {
  for (let ms = 0; ms < forMs; ms += 1) {
    say(`session-${ms % 500}`);
    await vi.advanceTimersByTimeAsync(1);
  }
}

test('a line that is alone leaves at once, also after many', async () => {
  const kinesis = new LineKinesis();
  const { producer, say } = linesTo(kinesis);
  await speak(say, 1_000);
  await vi.advanceTimersByTimeAsync(200);
  const calls = kinesis.callsAtMs.length;
  const saidAtMs = performance.now();
  say('alone');
  await vi.advanceTimersByTimeAsync(1);
  expect(kinesis.callsAtMs.slice(calls)).toEqual([saidAtMs]);
  const closed = producer.close();
  await vi.advanceTimersByTimeAsync(100);
  await closed;
});

test('a thousand lines a second of 500 sessions leave at 20 moments a second, each session in order', async () => {
  const kinesis = new LineKinesis();
  kinesis.isFailing = true;
  const { producer, tally, say } = linesTo(kinesis);
  await speak(say, 2_000);
  // Records that failed may leave in a second call of the same moment.
  const moments = new Set(kinesis.callsAtMs.filter((at) => at > performance.now() - 1_000));
  expect(moments.size).toBe(20);
  kinesis.isFailing = false;
  const closed = producer.close();
  await vi.advanceTimersByTimeAsync(10_000);
  await closed;
  expect(tally.writtenNames).toHaveLength(2_000);
  for (const text of kinesis.texts.values()) expect(text).toBe(count(1, 4));
});

test('a flush does not wait for company', async () => {
  const kinesis = new LineKinesis();
  const { producer, say } = linesTo(kinesis);
  await speak(say, 1_005);
  const sinceMs = performance.now();
  let tookMs = Number.NaN;
  const flushed = producer.flush(undefined, 'session-4').then(() => {
    tookMs = performance.now() - sinceMs;
  });
  await vi.advanceTimersByTimeAsync(100);
  await flushed;
  // At the next tick, or the one after when calls have just left; and the answer takes 10 ms.
  expect(tookMs).toBeLessThanOrEqual(2 * TICK_MS + 10);
  const closed = producer.close();
  await vi.advanceTimersByTimeAsync(100);
  await closed;
});
