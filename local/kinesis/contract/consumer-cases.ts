import assert from 'node:assert/strict';
import {
  DeleteStreamCommand,
  DeregisterStreamConsumerCommand,
  DescribeStreamConsumerCommand,
  type KinesisClient,
  ListStreamConsumersCommand,
  RegisterStreamConsumerCommand,
  SplitShardCommand,
  type StartingPosition,
  SubscribeToShardCommand,
  type SubscribeToShardEvent,
} from '@aws-sdk/client-kinesis';
import {
  type ContractCase,
  create,
  FIRST,
  MAX_HASH,
  put,
  rejects,
  summary,
} from './contract-case.ts';

/** Far more than any case takes. An implementation that never ends a subscription fails its case after that. */
const SUBSCRIBED_MS = 4_000;

/** Enhanced fan-out. What takes five seconds or minutes is in server.test.ts. */
export const CONSUMER_CASES: readonly ContractCase[] = [
  {
    title: 'registers, describes, lists and deregisters a consumer',
    async run(client, name) {
      await create(client, name);
      const { StreamARN = '' } = await summary(client, name);
      const { arn, status } = await registered(client, StreamARN, 'one');
      assert.match(arn, new RegExp(`^${StreamARN}/consumer/one:\\d+$`));
      assert.equal(status, 'ACTIVE');
      await registered(client, StreamARN, 'two');
      const listed = await client.send(new ListStreamConsumersCommand({ StreamARN }));
      const names = (listed.Consumers ?? []).map((consumer) => consumer.ConsumerName);
      assert.deepEqual(names.sort(), ['one', 'two']);
      await client.send(new DeregisterStreamConsumerCommand({ ConsumerARN: arn }));
      await gone(client, arn);
    },
  },
  {
    title: 'refuses a second consumer of one name, and a consumer that does not exist',
    async run(client, name) {
      await create(client, name);
      const { StreamARN = '' } = await summary(client, name);
      await registered(client, StreamARN, 'one');
      const again = new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'one' });
      await rejects(client.send(again), 'ResourceInUseException');
      const unknown = new DescribeStreamConsumerCommand({ StreamARN, ConsumerName: 'none' });
      await rejects(client.send(unknown), 'ResourceNotFoundException');
    },
  },
  {
    title: 'allows 20 consumers of a stream',
    async run(client, name) {
      await create(client, name);
      const { StreamARN = '' } = await summary(client, name);
      for (let count = 0; count < 20; count += 1)
        await registered(client, StreamARN, `consumer-${count}`);
      const another = new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'another' });
      await rejects(client.send(another), 'LimitExceededException');
    },
  },
  {
    title: 'pushes what is there and what comes, and says where to continue',
    async run(client, name) {
      const consumer = await consumerOf(client, name);
      const [first = '', second = ''] = await put(client, name, 'a', 'b');
      const events = await subscribe(client, consumer, { Type: 'TRIM_HORIZON' });
      const one = await withRecords(events);
      assert.deepEqual(texts(one), ['a', 'b']);
      assert.equal(one.ContinuationSequenceNumber, second);
      assert.equal(one.Records?.[0]?.SequenceNumber, first);
      assert.equal(one.MillisBehindLatest, 0);
      await put(client, name, 'c');
      assert.deepEqual(texts(await withRecords(events)), ['c']);
      await events.return?.(undefined);
    },
  },
  {
    title: 'starts a subscription behind a record, at one, and at the newest',
    async run(client, name) {
      const starts = await Promise.all([1, 2, 3].map((count) => consumerOf(client, name, count)));
      const [behind = '', at = '', latest = ''] = starts;
      const [first = ''] = await put(client, name, 'a', 'b');
      const SequenceNumber = first;
      const after = { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber } as const;
      const events = await subscribe(client, behind, after);
      assert.deepEqual(texts(await withRecords(events)), ['b']);
      const from = await subscribe(client, at, { Type: 'AT_SEQUENCE_NUMBER', SequenceNumber });
      assert.deepEqual(texts(await withRecords(from)), ['a', 'b']);
      const tip = await subscribe(client, latest, { Type: 'LATEST' });
      // The answer of a call may be there before its first event, and LATEST is the time of the call.
      await put(client, name, 'c');
      assert.deepEqual(texts(await withRecords(tip)), ['c']);
      for (const each of [events, from, tip]) await each.return?.(undefined);
    },
  },
  {
    title: 'refuses a second subscription of a consumer and shard within five seconds',
    async run(client, name) {
      const consumer = await consumerOf(client, name);
      const events = await subscribe(client, consumer, { Type: 'LATEST' });
      await rejects(subscribe(client, consumer, { Type: 'LATEST' }), 'ResourceInUseException');
      await events.return?.(undefined);
    },
  },
  {
    title: 'ends a subscription with the children of a shard that was split',
    peerDeviates: 'keeps the subscription of a closed shard open',
    async run(client, name) {
      const consumer = await consumerOf(client, name);
      await put(client, name, 'a');
      const events = await subscribe(client, consumer, { Type: 'TRIM_HORIZON' });
      assert.deepEqual(texts(await withRecords(events)), ['a']);
      const NewStartingHashKey = String(MAX_HASH / 2n);
      await client.send(
        new SplitShardCommand({ StreamName: name, ShardToSplit: FIRST, NewStartingHashKey }),
      );
      let last: SubscribeToShardEvent | undefined;
      for await (const event of iterate(events)) last = event;
      assert.equal(last?.ContinuationSequenceNumber, undefined);
      const children = (last?.ChildShards ?? []).map((child) => child.ParentShards);
      assert.deepEqual(children, [[FIRST], [FIRST]]);
    },
  },
  {
    title: 'ends the subscriptions of a stream that is deleted with an error',
    peerDeviates: 'keeps the subscription of a deleted stream open',
    async run(client, name) {
      const consumer = await consumerOf(client, name);
      const events = await subscribe(client, consumer, { Type: 'LATEST' });
      const command = new DeleteStreamCommand({ StreamName: name, EnforceConsumerDeletion: true });
      await client.send(command);
      const rest = (async () => {
        for await (const _event of iterate(events));
      })();
      await rejects(rest, 'ResourceNotFoundException');
    },
  },
];

async function registered(client: KinesisClient, StreamARN: string, ConsumerName: string) {
  const command = new RegisterStreamConsumerCommand({ StreamARN, ConsumerName });
  await client.send(command);
  for (;;) {
    const { ConsumerDescription: found } = await client.send(
      new DescribeStreamConsumerCommand({ StreamARN, ConsumerName }),
    );
    const { ConsumerStatus: status, ConsumerARN: arn = '' } = found ?? {};
    if (status !== 'CREATING') return { arn, status };
  }
}

/** Waits until a consumer is deregistered. */
async function gone(client: KinesisClient, ConsumerARN: string): Promise<void> {
  const command = new DescribeStreamConsumerCommand({ ConsumerARN });
  while (await client.send(command).catch((error: Error) => notFound(error)));
}

function notFound(error: Error): undefined {
  assert.equal(error.name, 'ResourceNotFoundException');
  return undefined;
}

/** Makes the stream, unless it is there, and a consumer. @returns the consumer's ARN */
async function consumerOf(client: KinesisClient, name: string, count = 1): Promise<string> {
  if (count === 1) await create(client, name);
  for (;;) {
    const found = await summary(client, name).catch(() => undefined);
    if (found?.StreamARN === undefined) continue;
    return (await registered(client, found.StreamARN, `consumer-${count}`)).arn;
  }
}

async function subscribe(
  client: KinesisClient,
  ConsumerARN: string,
  StartingPosition: StartingPosition,
): Promise<AsyncIterator<{ SubscribeToShardEvent?: SubscribeToShardEvent }>> {
  const command = new SubscribeToShardCommand({ ConsumerARN, ShardId: FIRST, StartingPosition });
  const abortSignal = AbortSignal.timeout(SUBSCRIBED_MS);
  const { EventStream } = await client.send(command, { abortSignal });
  assert(EventStream);
  return (EventStream as AsyncIterable<object>)[Symbol.asyncIterator]();
}

async function* iterate(
  events: AsyncIterator<{ SubscribeToShardEvent?: SubscribeToShardEvent }>,
): AsyncGenerator<SubscribeToShardEvent> {
  for (let next = await events.next(); !next.done; next = await events.next()) {
    if (next.value.SubscribeToShardEvent) yield next.value.SubscribeToShardEvent;
  }
}

/** The next event that is not empty. */
async function withRecords(
  events: AsyncIterator<{ SubscribeToShardEvent?: SubscribeToShardEvent }>,
): Promise<SubscribeToShardEvent> {
  for (;;) {
    const next = await events.next();
    assert(!next.done, 'the subscription ended');
    const event = next.value.SubscribeToShardEvent;
    if (event && (event.Records ?? []).length > 0) return event;
  }
}

const texts = ({ Records }: SubscribeToShardEvent): string[] =>
  (Records ?? []).map((record) => Buffer.from(record.Data ?? []).toString());
