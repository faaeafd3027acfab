import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttp2Handler } from '@smithy/node-http-handler';
import { startStack } from '../../local/stack.ts';
import { consumerGroup } from '../../sdk/consumer/index.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { startSimulator } from '../../simulator/simulator.ts';
import { createGroupTable } from '../support/group-table.ts';
import { AUDIO_AND_TEXT, CREDENTIALS } from '../support/world.ts';

const MEETINGS = 1;
const WARM_UP_MS = 10_000;
const MEASURED_MS = 20_000;

/**
 * How long a frame takes from its capture at Zoom to a consumer's handler: through the runner and Kinesis, to a group that
 * is pushed to and to one that polls, in one run over the same frames. The local Kinesis pushes at once and answers at
 * once; AWS adds what its own two ways take.
 */
export async function benchPush(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const webhookUrls: string[] = [];
  const simulator = await startSimulator({ webhookUrls });
  closing.defer(() => simulator.close());
  const stack = await startStack({
    credentials: CREDENTIALS,
    api: { apiUrl: simulator.apiUrl, oauthUrl: simulator.oauthUrl },
    allowedHosts: '127.0.0.1',
    media: AUDIO_AND_TEXT,
    runners: 1,
    port: 0,
    path: '/webhook',
    onLog() {},
  });
  closing.defer(() => stack.close());
  webhookUrls.push(stack.webhookUrl);
  const { region, credentials, endpoints, streams } = stack.aws;
  const dynamodb = { region, credentials, endpoint: endpoints.dynamodb };
  const tables = new DynamoDBClient(dynamodb);
  closing.defer(() => tables.destroy());
  const client = new KinesisClient({
    region,
    credentials,
    endpoint: endpoints.kinesis,
    requestHandler: new NodeHttp2Handler(),
  });
  closing.defer(() => client.destroy());
  const delays = { push: [] as number[], poll: [] as number[] };
  let isMeasuring = false;
  for (const [how, noted] of Object.entries(delays)) {
    await createGroupTable(tables, `bench-${how}`);
    const group = consumerGroup({
      client,
      streamName: streams.media,
      table: `bench-${how}`,
      workerId: how,
      dynamodb,
      ...(how === 'push' && { consumer: 'bench' }),
      onFrames(frames) {
        const nowMs = Date.now();
        if (!isMeasuring) return;
        for (const { capturedAt } of frames) noted.push(nowMs - capturedAt.getTime());
      },
    });
    closing.defer(() => group.stop());
  }
  const durationMs = WARM_UP_MS + MEASURED_MS + 20_000;
  for (let count = 0; count < MEETINGS; count += 1)
    simulator.start(syntheticMeeting({ participants: 2, durationMs }));
  await sleep(WARM_UP_MS);
  isMeasuring = true;
  await sleep(MEASURED_MS);
  isMeasuring = false;
  process.stdout.write('capture to consumer, ms\n');
  for (const [how, noted] of Object.entries(delays)) {
    const sorted = noted.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
    const figures = `p50 ${at(0.5)}  p99 ${at(0.99)}  most ${at(1)}  (${sorted.length} frames)`;
    process.stdout.write(`  ${how.padEnd(6)}${figures}\n`);
  }
}
