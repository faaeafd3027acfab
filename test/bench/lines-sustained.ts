import { setTimeout as sleep } from 'node:timers/promises';
import { CreateStreamCommand } from '@aws-sdk/client-kinesis';
import { startKinesisServer } from '../../local/kinesis/server.ts';
import { Producer } from '../../runner/kinesis/producer.ts';
import { createKinesisClient, createPutClient } from '../../runner/kinesis/transport.ts';
import type { Sink, Unit } from '../../runner/kinesis/unit.ts';
import { transcriptEvent } from '../../runner/session/recording/events.ts';
import { SessionWriter } from '../../runner/session/recording/session-writer.ts';
import { FrameUnits } from '../../runner/session/recording/source-writer.ts';
import { KINESIS_LIMITS } from '../../shared/kinesis-rules.ts';
import { processMemory } from '../../shared/memory-pool.ts';
import { NO_METRICS } from '../../shared/metrics.ts';

/** A PutRecords call within a region takes about this long. */
const CALL_MS = 13;
/** A shard takes more in its first second; only what comes after that lasts. */
const WARM_UP_MS = 3_000;
const RUN_MS = 10_000;
/** Lines that wait for Kinesis at any time: of all sessions a second and a half of four shards, of one what its memory holds. */
const WAITING_LINES = 10_000;
const WAITING_LINES_OF_ONE = 2_000;
const TICK_MS = 10;
/** What is aimed for; below what four shards take. */
const TARGET_RATE = 5_000;
/** As of Zoom. */
const STREAM_ID = '4f3a8b6c9d0e4f5a8b7c6d5e4f3a2b1c';
const MEETING = 'Qx7w9Yt0RkKpZ2mNvB3c4g==';

interface Load {
  readonly name: string;
  readonly sessions: number;
  readonly shards: number;
  /** Lines a second, all sessions together. @default as many as are taken */
  readonly rate?: number;
}

const LOADS: readonly Load[] = [
  { name: 'one session, one shard', sessions: 1, shards: 1 },
  { name: '64 sessions, one shard', sessions: 64, shards: 1 },
  { name: '64 sessions, four shards', sessions: 64, shards: 4 },
  { name: '64 sessions, 32 shards: the process itself', sessions: 64, shards: 32 },
  {
    name: `64 sessions, four shards, ${TARGET_RATE}/s`,
    sessions: 64,
    shards: 4,
    rate: TARGET_RATE,
  },
];

/**
 * How many transcript lines of 80 to 120 characters leave in each second that lasts, written as a session writes
 * them. Not measured in a burst, as `lines` is: there the shard's first second is a gift.
 */
export async function benchSustainedLines(): Promise<void> {
  process.stdout.write(`transcript lines of 80 to 120 characters, ${RUN_MS / 1_000} s each\n`);
  for (const load of LOADS)
    process.stdout.write(`  ${load.name.padEnd(46)} ${await measure(load)}\n`);
}

async function measure({ sessions, shards, rate }: Load): Promise<string> {
  const server = await startKinesisServer();
  const client = createKinesisClient({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestTimeoutMs: 10_000,
  });
  await client.send(new CreateStreamCommand({ StreamName: 'events', ShardCount: shards }));
  server.faults.set({ rules: [{ operation: 'PutRecords', latencyMs: CALL_MS }] });
  const producer = new Producer({
    client: createPutClient({ sdk: client }),
    streamName: 'events',
    aggregate: false,
  });
  const meter = new Meter(producer);
  const writers = Array.from({ length: sessions }, (_, index) => meteredWriter(index, meter));
  try {
    await feed(writers, WARM_UP_MS, rate);
    const [lines, bytes, sinceMs] = [meter.lines, meter.bytes, performance.now()];
    meter.waitsMs = [];
    await feed(writers, RUN_MS, rate);
    const seconds = (performance.now() - sinceMs) / 1_000;
    const perSecond = (meter.lines - lines) / seconds;
    const lineBytes = (meter.bytes - bytes) / (meter.lines - lines);
    const limit = (shards * KINESIS_LIMITS.shardBytesPerSecond) / lineBytes;
    const share = Math.round((100 * perSecond) / limit);
    return [
      `${Math.round(perSecond)} lines/s of ${Math.round(lineBytes)} bytes`,
      `${share} % of what ${shards} MiB/s hold`,
      ...(rate === undefined
        ? []
        : [`late p50 ${meter.percentile(0.5)} ms, p99 ${meter.percentile(0.99)} ms`]),
    ].join(', ');
  } finally {
    for (const { writer } of writers) writer.drop('write_failed');
    await producer.close();
    client.destroy();
    await server.close();
  }
}

/** Counts what is written, and how long it took. */
class Meter implements Sink {
  lines = 0;
  bytes = 0;
  waitsMs: number[] = [];
  readonly #producer: Producer;

  constructor(producer: Producer) {
    this.#producer = producer;
  }

  put(unit: Unit): void {
    const putAtMs = performance.now();
    const { receipt, payloadBytes } = unit;
    const metered = {
      written: (written: Unit) => {
        this.lines += 1;
        this.bytes += payloadBytes;
        this.waitsMs.push(performance.now() - putAtMs);
        receipt.written(written);
      },
      dropped: (...[dropped, cause]: Parameters<typeof receipt.dropped>) =>
        receipt.dropped(dropped, cause),
    };
    this.#producer.put({ ...unit, receipt: metered });
  }

  flush(signal: AbortSignal, session: string): Promise<void> {
    return this.#producer.flush(signal, session);
  }

  drop(...args: Parameters<Sink['drop']>): void {
    this.#producer.drop(...args);
  }

  percentile(share: number): number {
    const sorted = this.waitsMs.toSorted((a, b) => a - b);
    return Math.round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN);
  }
}

interface Speaker {
  readonly writer: SessionWriter;
  said: number;
}

function meteredWriter(index: number, meter: Meter): Speaker {
  const rtmsStreamId = STREAM_ID.slice(0, -3) + String(100 + index);
  const writer = new SessionWriter({
    origin: { rtmsStreamId, epoch: 1, product: 'meeting', entityId: MEETING },
    media: meter,
    events: meter,
    maxRecordBytes: 1024 * 1024,
    maxLineBytes: 1024 * 1024,
    metrics: NO_METRICS,
    rest: { heldMs: 0 },
    units: new FrameUnits(processMemory),
    mayWrite: () => true,
  });
  return { writer, said: 0 };
}

/** Has everybody speak for so long: at a rate, or as much as is taken. */
async function feed(speakers: readonly Speaker[], forMs: number, rate?: number): Promise<void> {
  const most = Math.min(WAITING_LINES_OF_ONE, WAITING_LINES / speakers.length);
  const sinceMs = performance.now();
  let said = 0;
  let spent = 0;
  for (; spent < forMs; spent = performance.now() - sinceMs) {
    if (rate === undefined) {
      for (const speaker of speakers) while (waiting(speaker) < most) say(speaker);
    } else {
      for (; said < (rate * spent) / 1_000; said += 1)
        say(speakers[said % speakers.length] as Speaker);
    }
    await sleep(TICK_MS);
  }
}

function waiting({ writer }: Speaker): number {
  const { received, written, lost } = writer.ledger.source('transcript');
  if (lost > 0) throw new Error(`${lost} lines were lost`);
  return received - written;
}

function say(speaker: Speaker): void {
  speaker.said += 1;
  const nowMs = Date.now();
  const { name, timeMs, data } = transcriptEvent({
    text: 'x'.repeat(80 + (speaker.said % 41)),
    userId: 16_778_240,
    userName: 'Ada Lovelace',
    startMs: nowMs,
    endMs: nowMs + 3_000,
    timestampMs: nowMs,
    language: 9,
    attribute: 0,
  });
  speaker.writer.event(name, timeMs, data);
}
