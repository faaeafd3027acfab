/**
 * The real thing: `runner/`'s sessions, client, writer and producers with spool and metrics, wired as
 * `runner/runner.ts` does. Only the ownership of rows is left out: nobody else is there to own any.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Producer } from '../../../runner/kinesis/producer.ts';
import { openSpool } from '../../../runner/kinesis/spool/spool.ts';
import { createKinesisClient, createPutClient } from '../../../runner/kinesis/transport.ts';
import { FrameUnits } from '../../../runner/session/recording/source-writer.ts';
import { Session } from '../../../runner/session/session.ts';
import { DrainDeadline } from '../../../runner/task/drain-deadline.ts';
import { EmfEmitter } from '../../../runner/task/metrics.ts';
import { DEFAULT_PUT_MODE, type PutMode, parsePutMode } from '../../../shared/env.ts';
import { SILENT_LOGGER } from '../../../shared/logger.ts';
import { processMemory } from '../../../shared/memory-pool.ts';
import type { Counter, CounterMetrics, MetricName } from '../../../shared/metrics.ts';
import { type Build, noteDelay, type StartBuild, type Tally } from './build.ts';

const METRICS_INTERVAL_MS = 10_000;
const SPOOL_BYTES = 1024 * 1024 * 1024;

/** The runner's own metrics; two of them say what the bench wants to know. */
class TallyingMetrics implements CounterMetrics {
  readonly emf = new EmfEmitter('bench');
  readonly #tally: Tally;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  count(name: MetricName, value?: number, by?: string): void {
    this.emf.count(name, value, by);
  }

  counter(name: MetricName, by?: string): Counter {
    const counter = this.emf.counter(name, by);
    if (name !== 'FramesOut' || by === 'events') return counter;
    const tally = this.#tally;
    return {
      add(value) {
        tally.frames += value;
        counter.add(value);
      },
    };
  }

  observe(name: MetricName, value: number, by?: string): void {
    if (name === 'CaptureToKinesis') noteDelay(this.#tally, value);
    this.emf.observe(name, value, by);
  }
}

export const start: StartBuild = (endpoint, tally) =>
  startRunnerBuild(endpoint, tally, parsePutMode(process.env['PUT_RECORDS'] ?? DEFAULT_PUT_MODE));

/** @param mode how PutRecords calls are made */
export async function startRunnerBuild(
  endpoint: string,
  tally: Tally,
  mode: PutMode,
): Promise<Build> {
  const metrics = new TallyingMetrics(tally);
  const directory = await mkdtemp(join(tmpdir(), 'rtms-bench-'));
  const producer = async (streamName: string, aggregate: boolean) =>
    new Producer({
      client: createPutClient({
        sdk: createKinesisClient({ region: 'us-east-1', endpoint }),
        mode,
      }),
      streamName,
      aggregate,
      pool: processMemory,
      spool: await openSpool({ directory: join(directory, streamName), maxBytes: SPOOL_BYTES }),
      metrics,
    });
  const [media, events] = await Promise.all([producer('media', true), producer('events', false)]);
  setInterval(() => {
    media.observeLevels();
    events.observeLevels();
    metrics.emf.flush();
  }, METRICS_INTERVAL_MS);

  const deadline = new DrainDeadline();
  const units = new FrameUnits(processMemory);
  return {
    async join({ rtmsStreamId, signalingUrl, media: mediaRequest }) {
      const now = Date.now();
      const row = {
        pk: `SESSION#${rtmsStreamId}`,
        rtmsStreamId,
        startEventTsMs: now,
        serverUrls: [signalingUrl],
        product: 'meeting',
        entityId: 'bench',
        app: 'default',
        requestedAtMs: now,
      } as const;
      const session = new Session(
        { row, epoch: 1, cause: undefined, holds: () => true },
        {
          taskId: 'bench',
          mediaRequest,
          allowedHosts: ['localhost'],
          credentials: async () => ({ clientId: 'bench', clientSecret: 'bench' }),
          renewedCredentials: async () => ({ clientId: 'bench', clientSecret: 'bench' }),
          media,
          events,
          maxRecordBytes: 1024 * 1024,
          maxLineBytes: 1024 * 1024,
          units,
          deadline,
          logger: SILENT_LOGGER,
          metrics,
        },
      );
      session.start();
      await session.connected;
    },
  };
}
