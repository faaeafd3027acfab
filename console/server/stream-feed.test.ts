import {
  DescribeStreamSummaryCommand,
  type KinesisClient,
  PutRecordCommand,
  RegisterStreamConsumerCommand,
} from '@aws-sdk/client-kinesis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { EventDecoder, type ReceivedEvent } from '../../sdk/consumer/index.ts';
import { connect } from '../../test/support/kinesis-client.ts';
import { type LocalStreams, startLocalStreams } from '../../test/support/local-streams.ts';
import { eventBytes } from '../../test/support/test-records.ts';
import { Traffic } from '../model/traffic.ts';
import { StreamFeed } from './stream-feed.ts';

let local: LocalStreams;
let h2: KinesisClient;
let feed: StreamFeed<ReceivedEvent> | undefined;
beforeAll(async () => {
  local = await startLocalStreams();
  h2 = connect(local.server.url, 'h2c');
});
afterEach(() => feed?.stop(false));
afterAll(async () => {
  h2.destroy();
  await local[Symbol.asyncDispose]();
});

const SINCE = new Date(0);

function open(streamName: string, consumerName?: string): { read: number[] } {
  const read: number[] = [];
  feed = new StreamFeed<ReceivedEvent>({
    client: h2,
    streamName,
    kind: 'events',
    pollMs: 210,
    consumerName,
    traffic: new Traffic(),
    decoder: (onBadRecord) => new EventDecoder({ onBadRecord }),
    onItem: ({ sequence }) => read.push(sequence),
  });
  feed.start(SINCE);
  return { read };
}

async function put(StreamName: string, ...sequences: number[]): Promise<void> {
  for (const sequence of sequences) {
    const Data = eventBytes('transcript', { text: 'x', timestampMs: 1 }, sequence);
    await local.client.send(new PutRecordCommand({ StreamName, Data, PartitionKey: 'stream-1' }));
  }
}

test('a stream with a registered consumer is pushed, and costs no read of the shard', async () => {
  const stream = await local.create();
  const { StreamDescriptionSummary } = await local.client.send(
    new DescribeStreamSummaryCommand({ StreamName: stream }),
  );
  const ConsumerName = 'my-console';
  const StreamARN = StreamDescriptionSummary?.StreamARN;
  await local.client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName }));
  const { read } = open(stream, ConsumerName);
  await put(stream, 1, 2);
  await expect.poll(() => read).toEqual([1, 2]);
  await put(stream, 3);
  await expect.poll(() => read).toEqual([1, 2, 3]);
  expect(feed?.summary(Date.now()).reading).toBe('push');
  expect(feed?.pushProblem).toBeUndefined();
  expect(local.server.stats().calls['GetRecords']).toBeUndefined();
});

test('without the registered consumer the stream is polled, and the page says why', async () => {
  const stream = await local.create();
  const { read } = open(stream, 'nobody');
  await put(stream, 1);
  await expect.poll(() => read).toEqual([1]);
  expect(feed?.summary(Date.now()).reading).toBe('poll');
  expect(feed?.pushProblem).toContain('no consumer nobody is registered, so it is polled');
});

test('a reader that rested goes on where it was, and one that begins anew reads all', async () => {
  const stream = await local.create();
  const { read } = open(stream);
  await put(stream, 1, 2);
  await expect.poll(() => read).toEqual([1, 2]);
  await feed?.stop(true);
  expect(feed?.summary(Date.now()).reading).toBe('idle');
  await put(stream, 3);
  feed?.start(SINCE);
  await expect.poll(() => read).toEqual([1, 2, 3]);
  await feed?.stop(false);
  feed?.start(SINCE);
  await expect.poll(() => read).toEqual([1, 2, 3, 1, 2, 3]);
});

test('a stream that is not there is a problem in words, and ends nothing', async () => {
  open('no-such-stream');
  await expect
    .poll(() => feed?.problem)
    .toContain('stream no-such-stream: no such stream or shard');
  expect(feed?.summary(Date.now())).toMatchObject({ reading: 'failed', shards: 0 });
});
