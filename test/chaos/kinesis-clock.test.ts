import { beforeEach, expect, test, vi } from 'vitest';
import { Producer } from '../../runner/kinesis/producer.ts';
import type { PutRecordsClient } from '../../runner/kinesis/put-client.ts';
import { windClocks } from '../support/wound-clock.ts';
import { audio, Source, video } from './kinesis-traffic.ts';

/** The long run's phases on a clock that is wound by hand: the same figures on every machine. */
const STEP_MS = 10;
const SERVICE_MS = 20;

/** Takes everything after `SERVICE_MS`, or nothing while it is away; every key has a shard of its own. */
class Kinesis {
  isAway = false;

  client(): Pick<PutRecordsClient, 'putRecords'> {
    return {
      putRecords: async (_streamName, entries) => {
        await new Promise((resolve) => setTimeout(resolve, SERVICE_MS));
        if (this.isAway) throw Object.assign(new Error('no answer'), { name: 'TimeoutError' });
        return entries.map(({ partitionKey }) => ({
          SequenceNumber: '1',
          ShardId: `shard of ${partitionKey}`,
        }));
      },
    };
  }
}

let kinesis: Kinesis;
let producer: Producer;
windClocks();
beforeEach(() => {
  kinesis = new Kinesis();
  producer = new Producer({
    client: kinesis.client(),
    streamName: 'media',
    aggregate: true,
    random: () => 0.5,
  });
});

async function live(sources: readonly Source[], ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
    for (const source of sources) source.run(performance.now());
    await vi.advanceTimersByTimeAsync(STEP_MS);
  }
}

const join = (count: number, shape: typeof audio) =>
  Array.from({ length: count }, (_, index) => {
    return new Source(shape(`${shape.name}-${index}`), producer, performance.now());
  });

test('costs less than an eighth of one record per frame', async () => {
  const sources = [...join(10, audio), ...join(2, video)];
  await live(sources, 20_000);
  const closed = producer.close();
  await vi.advanceTimersByTimeAsync(1_000);
  await closed;
  const sum = (of: (source: Source) => number) =>
    sources.reduce((total, source) => total + of(source), 0);
  expect(sum(({ writtenUnits }) => writtenUnits)).toBe(sum(({ sent }) => sent));
  expect(sum(({ frameUnits }) => frameUnits)).toBeGreaterThan(8 * producer.stats().putUnits);
});

test('catches up at three times the live rate, and delays nobody who keeps up', async () => {
  const behind = join(4, audio);
  await live(behind, 2_000);
  const calmMs = Math.max(...behind.flatMap(({ latencies }) => latencies.splice(0)));
  kinesis.isAway = true;
  await live(behind, 20_000);
  kinesis.isAway = false;
  const late = [new Source(audio('late'), producer, performance.now())];
  const isBack = ({ latencies }: Source) => latencies.length > 0;
  for (let round = 0; round < 100 && !behind.every(isBack); round++) {
    await live([...behind, ...late], 100);
  }
  const [fromMs, fromBytes] = [performance.now(), behind.map(({ writtenBytes }) => writtenBytes)];
  await live([...behind, ...late], 3_000);
  const seconds = (performance.now() - fromMs) / 1_000;
  for (const [index, source] of behind.entries()) {
    const rate = (source.writtenBytes - (fromBytes[index] ?? 0)) / seconds;
    expect(rate).toBeGreaterThanOrEqual(3 * source.liveBytesPerSecond);
  }
  await live([...behind, ...late], 20_000);
  for (const { unacknowledged } of behind) expect(unacknowledged).toBeLessThan(25);
  expect(Math.max(...(late[0]?.latencies ?? []))).toBeLessThan(2 * calmMs);
});
