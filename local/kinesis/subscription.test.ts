import {
  CreateStreamCommand,
  DeregisterStreamConsumerCommand,
  type KinesisClient,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
  type SubscribeToShardEvent,
} from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from '../../test/support/kinesis-client.ts';
import { type KinesisServer, startKinesisServer } from './server.ts';

const SHARD = { ShardId: 'shardId-000000000000' };
const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/media';

let server: KinesisServer;
let client: KinesisClient;
let nowMs: number;
let ConsumerARN: string | undefined;

beforeEach(async () => {
  nowMs = Date.now();
  await serve();
});

/** @param subscriptionMs by the clock of the machine. One that a busy machine could end must not be able to end by itself */
async function serve(subscriptionMs = 600_000): Promise<void> {
  server = await startKinesisServer({ clock: () => nowMs, subscriptionMs });
  client = connect(server.url, 'h2c');
  await client.send(new CreateStreamCommand({ StreamName: 'media', ShardCount: 1 }));
  const { Consumer } = await client.send(
    new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'one' }),
  );
  ConsumerARN = Consumer?.ConsumerARN;
}

async function close(): Promise<void> {
  client.destroy();
  await server.close();
}
afterEach(close);

async function subscribe() {
  const StartingPosition = { Type: 'TRIM_HORIZON' } as const;
  const command = new SubscribeToShardCommand({ ConsumerARN, ...SHARD, StartingPosition });
  return (await client.send(command)).EventStream ?? [];
}

async function eventsOf(stream: Awaited<ReturnType<typeof subscribe>>) {
  const events: SubscribeToShardEvent[] = [];
  for await (const { SubscribeToShardEvent: event } of stream) if (event) events.push(event);
  return events;
}

async function put(count: number, sizeBytes: number): Promise<void> {
  const Data = Buffer.alloc(sizeBytes);
  const Records = Array.from({ length: count }, () => ({ PartitionKey: 'k', Data }));
  await client.send(new PutRecordsCommand({ StreamName: 'media', Records }));
}

test('a subscription ends after its time without an error, and tells where to continue', async () => {
  await close();
  await serve(200);
  await put(3, 10);
  const events = await eventsOf(await subscribe());
  const last = events.at(-1);
  expect(events.flatMap(({ Records }) => Records ?? [])).toHaveLength(3);
  expect(last?.ContinuationSequenceNumber).toBe(events[0]?.Records?.at(-1)?.SequenceNumber);
});

test('a subscription is replaced by one that comes five seconds later, and ends with an error', async () => {
  const first = eventsOf(await subscribe());
  nowMs += 4_999;
  await expect(subscribe()).rejects.toMatchObject({ name: 'ResourceInUseException' });
  nowMs += 1;
  const second = subscribe();
  await expect(first).rejects.toMatchObject({ name: 'ResourceInUseException' });
  await second;
});

test('a consumer gets 2 MiB a second of a shard, whatever others read', async () => {
  for (let call = 0; call < 4; call += 1) {
    nowMs += 1_000;
    await put(1, 1024 * 1024 - 1);
  }
  let count = 0;
  const all = (async () => {
    for await (const { SubscribeToShardEvent: event } of await subscribe()) {
      count += event?.Records?.length ?? 0;
      if (count === 2) await client.send(new DeregisterStreamConsumerCommand({ ConsumerARN }));
    }
  })();
  await expect(all).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  expect(count).toBe(2);
});
