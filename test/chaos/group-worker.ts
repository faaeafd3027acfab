/**
 * One worker of a consumer group as a process of its own, so that it can be killed and frozen:
 * `node test/chaos/group-worker.ts <json of GroupWorkerOptions>`. Stops on SIGTERM.
 *
 * Sends every batch as one JSON line to the sink and waits for its answer, as a consumer that writes to a store would.
 */
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { createInterface } from 'node:readline';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttp2Handler } from '@smithy/node-http-handler';
import { consumerGroup } from '../../sdk/consumer/index.ts';

export interface GroupWorkerOptions {
  readonly workerId: string;
  readonly kinesis: string;
  readonly dynamodb: string;
  readonly table: string;
  readonly consumer?: string;
  readonly sinkPort: number;
}

/** One batch as the sink gets it. */
export interface SunkBatch {
  readonly workerId: string;
  readonly shardId: string;
  readonly fence: number;
  /** Partition key and sequence number of each frame. */
  readonly frames: readonly (readonly [string, number])[];
  /** The fence token let this batch go, by the clock, right before it was sent. */
  readonly millisBehindLatest: number | undefined;
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? '') as GroupWorkerOptions);

async function main(options: GroupWorkerOptions): Promise<void> {
  const { workerId, kinesis, dynamodb, table, consumer, sinkPort } = options;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const aws = { region: 'us-east-1', credentials };
  const sink = connectSocket(sinkPort, '127.0.0.1').setNoDelay(true);
  await once(sink, 'connect');
  // The sink ends when the run does, and nothing is left to be done then.
  sink.on('close', () => process.exit());
  sink.on('error', () => process.exit());
  const waiting: (() => void)[] = [];
  const answers = createInterface(sink).on('line', () => waiting.shift()?.());
  answers.on('error', () => process.exit());
  const group = consumerGroup({
    client: new KinesisClient({
      ...aws,
      endpoint: kinesis,
      requestHandler: new NodeHttp2Handler(),
    }),
    streamName: 'chaos',
    table,
    workerId,
    dynamodb: { ...aws, endpoint: dynamodb },
    pollMs: 210,
    ...(consumer !== undefined && { consumer }),
    async onFrames(frames, batch) {
      const sunk: SunkBatch = {
        workerId,
        shardId: batch.shardId,
        fence: batch.fence,
        frames: frames.map(({ partitionKey, sequence }) => [partitionKey, sequence]),
        millisBehindLatest: batch.millisBehindLatest,
      };
      const line = `${JSON.stringify(sunk)}\n`;
      const { promise, resolve } = Promise.withResolvers<void>();
      // Asked last, because the process may have been frozen since the batch was handed out.
      if (!batch.holds()) return;
      waiting.push(resolve);
      sink.write(line);
      await promise;
    },
  });
  process.once('SIGTERM', () => void group.stop());
  await group.done;
  process.exit();
}
