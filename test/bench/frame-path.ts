import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { MediaConnection } from '../../rtms/connection/media-connection.ts';
import type { RtmsClientEvents } from '../../rtms/events.ts';
import { Incoming } from '../../rtms/incoming.ts';
import { agreedMedia } from '../../rtms/protocol/agreed-media.ts';
import { decodeMessage } from '../../rtms/protocol/codec.ts';
import { parseMediaRequest } from '../../rtms/protocol/params.ts';
import { toWireParams } from '../../rtms/protocol/wire-params.ts';
import { Producer } from '../../runner/kinesis/producer.ts';
import type { PutRecordsClient } from '../../runner/kinesis/put-client.ts';
import { SessionWriter } from '../../runner/session/recording/session-writer.ts';
import { FrameUnits } from '../../runner/session/recording/source-writer.ts';
import { EmfEmitter } from '../../runner/task/metrics.ts';
import type { BackoffPolicy } from '../../shared/backoff.ts';
import { type MemoryPool, processMemory } from '../../shared/memory-pool.ts';
import { median } from './timing.ts';
import { WORKLOADS, type WorkloadName } from './workloads.ts';

const SESSIONS = 300;
const ROUNDS = 40;
const WARM_UP_ROUNDS = 40;
/** Frames of every session in one round: a fifth of a second of audio. */
const FRAMES = 10;

/**
 * What a frame costs between its WebSocket message and its PutRecords call, without sockets: decode, ledger,
 * metrics, record, lane, aggregate, receipts. The calls themselves are answered at once.
 */
export async function benchFramePath(): Promise<void> {
  for (const workload of ['audio', 'opus', 'video'] as const) {
    const us = await measure(workload);
    process.stdout.write(`${WORKLOADS[workload].title.padEnd(44)} ${us.toFixed(2)} µs a frame\n`);
  }
}

async function measure(workload: WorkloadName): Promise<number> {
  const path = new FramePath(workload, SESSIONS);
  const rounds: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const cpu = process.cpuUsage();
    for (let index = 0; index < FRAMES; index++) {
      path.send();
      await turn();
    }
    await path.flush();
    const { user, system } = process.cpuUsage(cpu);
    if (round >= 0) rounds.push((user + system) / (SESSIONS * FRAMES));
  }
  await path.close();
  return median(rounds);
}

export interface FramePathOptions {
  /** @default answers at once that everything is written */
  readonly client?: Pick<PutRecordsClient, 'putRecords'>;
  /** Of all memory that is used again. @default that of the process */
  readonly pool?: MemoryPool;
  readonly retry?: BackoffPolicy;
}

/** Sessions of one workload, from WebSocket messages to PutRecords calls that are answered at once. */
export class FramePath {
  readonly #producer: Producer;
  readonly #metrics = new EmfEmitter('bench');
  readonly #sessions: Incoming[];
  readonly #connection: MediaConnection;
  readonly #messages: readonly Buffer[];
  #next = 0;

  constructor(workload: WorkloadName, sessions: number, options: FramePathOptions = {}) {
    const metrics = this.#metrics;
    const { client = instantKinesis(), pool = processMemory, retry } = options;
    this.#producer = new Producer({
      client,
      streamName: 'media',
      aggregate: true,
      metrics,
      pool,
      ...(retry && { retry }),
    });
    const { flows, media } = WORKLOADS[workload];
    const asked = toWireParams(parseMediaRequest(JSON.stringify(media)));
    const agreed = agreedMedia({}, asked);
    this.#connection = { agreed } as MediaConnection;
    this.#messages = flows[0].moments.map(([message]) => Buffer.from(JSON.stringify(message)));
    const units = new FrameUnits(pool);
    this.#sessions = Array.from({ length: sessions }, (_, index) => {
      const writer = new SessionWriter({
        origin: { rtmsStreamId: `bench-${index}`, epoch: 1, product: 'meeting', entityId: 'bench' },
        media: this.#producer,
        events: this.#producer,
        maxRecordBytes: 1024 * 1024,
        maxLineBytes: 1024 * 1024,
        metrics,
        rest: { heldMs: 0 },
        units,
        mayWrite: () => true,
      });
      const events = new EventEmitter<RtmsClientEvents>();
      events.on('frame', (frame) => writer.frame(frame, agreed));
      return new Incoming('meeting', events, () => performance.now(), NOBODY, {});
    });
  }

  /** One message to every session. */
  send(): void {
    const bytes = this.#messages[this.#next] as Buffer;
    this.#next = (this.#next + 1) % this.#messages.length;
    const now = Date.now();
    for (const incoming of this.#sessions) {
      incoming.mediaMessage(this.#connection, decodeMessage(bytes, true), now);
    }
  }

  flush(): Promise<void> {
    return this.#producer.flush();
  }

  close(): Promise<void> {
    return this.#producer.close();
  }
}

const NOBODY = {
  streamState() {},
  mediaConnectionInterrupted() {},
  videoAnswered: () => true,
  streamCloseAnswered() {},
};

/** A client that has written everything the moment it is asked to. */
function instantKinesis(): Pick<PutRecordsClient, 'putRecords'> {
  const result = { SequenceNumber: '1', ShardId: 'shardId-000000000000' };
  return { putRecords: async (_streamName, entries) => entries.map(() => result) };
}
