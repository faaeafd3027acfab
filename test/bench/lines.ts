import { setTimeout as sleep } from 'node:timers/promises';
import { CreateStreamCommand } from '@aws-sdk/client-kinesis';
import { startKinesisServer } from '../../local/kinesis/server.ts';
import { Producer } from '../../runner/kinesis/producer.ts';
import { createKinesisClient, createPutClient } from '../../runner/kinesis/transport.ts';
import type { Unit } from '../../runner/kinesis/unit.ts';
import { makeUnit, Tally } from '../support/model-kinesis.ts';

/** A PutRecords call within a region takes about this long. */
const CALL_MS = 13;
const LONE_LINES = 100;
const FLOOD_LINES = 10_000;
/** As they were before lines shared records: the next leaves when the one before is written. */
const ONE_BY_ONE_LINES = 300;
/** So small that a shard's megabyte a second is not what is measured. */
const TEXT = 'x'.repeat(60);

const lineOf = (sequence: number, tally: Tally): Unit => ({
  ...makeUnit(sequence, tally, { class: 'text', key: 'one session' }),
  records: [Buffer.from(`{"n":${sequence},"text":"${TEXT}"}\n`)],
});

/** How many lines of one session leave in a second, and how long a lone one takes, one by one and sharing records. */
export async function benchLines(): Promise<void> {
  const server = await startKinesisServer();
  const client = createKinesisClient({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestTimeoutMs: 10_000,
  });
  await client.send(new CreateStreamCommand({ StreamName: 'events', ShardCount: 1 }));
  server.faults.set({ rules: [{ operation: 'PutRecords', latencyMs: CALL_MS }] });
  const producer = new Producer({
    client: createPutClient({ sdk: client }),
    streamName: 'events',
    aggregate: false,
  });
  const tally = new Tally();
  let sequence = 0;
  const put = (count: number) => {
    for (let index = 0; index < count; index += 1) producer.put(lineOf(++sequence, tally));
  };
  const rate = (lines: number, sinceMs: number) =>
    Math.round((1_000 * lines) / (performance.now() - sinceMs));
  const say = (what: string, figure: string) =>
    process.stdout.write(`  ${what.padEnd(52)} ${figure}\n`);
  process.stdout.write(`lines of one session, calls of ${CALL_MS} ms, one shard\n`);
  try {
    const lone: number[] = [];
    for (let index = 0; index < LONE_LINES; index += 1) {
      const sinceMs = performance.now();
      put(1);
      await producer.flush();
      lone.push(performance.now() - sinceMs);
      await sleep(5);
    }
    lone.sort((a, b) => a - b);
    say('lone line until written, p50', `${lone[LONE_LINES / 2]?.toFixed(1)} ms`);
    say('lone line until written, p99', `${lone[Math.floor(LONE_LINES * 0.99)]?.toFixed(1)} ms`);
    const beforeMs = performance.now();
    for (let index = 0; index < ONE_BY_ONE_LINES; index += 1) {
      put(1);
      await producer.flush();
    }
    say(
      'one by one, as before lines shared records',
      `${rate(ONE_BY_ONE_LINES, beforeMs)} lines/s`,
    );
    const sinceMs = performance.now();
    put(FLOOD_LINES);
    await producer.flush();
    say('at once', `${rate(FLOOD_LINES, sinceMs)} lines/s`);
    if (tally.writtenNames.length !== sequence) throw new Error('not all lines were written');
  } finally {
    await producer.close();
    client.destroy();
    await server.close();
  }
}
