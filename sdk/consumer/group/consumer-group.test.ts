import {
  CreateStreamCommand,
  DeleteStreamCommand,
  type KinesisClient,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { afterAll, test as base, beforeAll, expect, vi } from 'vitest';
import { type KinesisServer, startKinesisServer } from '../../../local/kinesis/server.ts';
import type { ServiceError } from '../../../shared/errors.ts';
import { type GroupTables, startGroupTables } from '../../../test/support/group-table.ts';
import { connect } from '../../../test/support/kinesis-client.ts';
import { mediaRecord, packed } from '../../../test/support/test-records.ts';
import { startThrottledTable } from '../../../test/support/throttled-table.ts';
import { BESIDE_OTHERS_MS, waitFor } from '../../../test/support/wait.ts';
import type { Frame } from '../records/frame.ts';
import { type ConsumerGroup, consumerGroup } from './consumer-group.ts';
import type { Batch, FrameGroup } from './group-options.ts';

/** Workers of a group in one process, against Kinesis and DynamoDB on this machine. test/chaos/groups.ts kills them. */

let server: KinesisServer;
let client: KinesisClient;
let tables: GroupTables;
let count = 0;

beforeAll(async () => {
  server = await startKinesisServer();
  client = connect(server.url, 'h2c');
  tables = await startGroupTables();
});
afterAll(async () => {
  client.destroy();
  await server.close();
  await tables[Symbol.asyncDispose]();
});

/** One consumer group with a stream and a table of its own, so that most tests can wait side by side. */
async function openWorld() {
  count += 1;
  const streamName = `group-${count}`;
  const table = await tables.create();
  const groups: ConsumerGroup[] = [];
  return {
    streamName,
    table,

    /** Starts a worker that notes what it is handed. */
    worker(workerId: string, options: Partial<FrameGroup> = {}) {
      const frames: Frame[] = [];
      const batches: Batch<Frame>[] = [];
      const group = consumerGroup({
        client,
        streamName,
        table,
        workerId,
        dynamodb: tables.dynamodb,
        pollMs: 210,
        onFrames(items, batch) {
          frames.push(...items);
          batches.push(batch);
        },
        ...options,
      });
      groups.push(group);
      return { group, frames, batches, shards: () => group.status().shards.length };
    },

    async createStream(ShardCount: number): Promise<void> {
      await client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount }));
    },

    /** Puts one record for each key, of these sequence numbers. */
    async put(keys: readonly string[], sequences: readonly number[]): Promise<void> {
      for (const key of keys) {
        const records = sequences.map((sequence) => mediaRecord({ rtmsStreamId: key, sequence }));
        const { data: Data } = packed(records, key);
        const Records = [{ Data, PartitionKey: key }];
        await client.send(new PutRecordsCommand({ StreamName: streamName, Records }));
      }
    },

    async close(): Promise<void> {
      await Promise.all(groups.map((group) => group.stop().catch(() => undefined)));
    },
  };
}

const test = base.extend<{ world: Awaited<ReturnType<typeof openWorld>> }>({
  // Vitest finds out by the braces that this fixture needs no other one.
  // biome-ignore lint/correctness/noEmptyPattern: as said above
  world: async ({}, use) => {
    const world = await openWorld();
    await use(world);
    await world.close();
  },
});

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const names = (frames: readonly Frame[]) =>
  frames.map(({ rtmsStreamId, sequence }) => `${rtmsStreamId}${sequence}`).sort();
const all = (sequences: readonly number[]) =>
  KEYS.flatMap((key) => sequences.map((sequence) => `${key}${sequence}`)).sort();

// One after another: here leases are what counts, and who renews them needs the time of this process.
test('a table that refuses half of the calls costs no shard, no frame and no lease', async ({
  world: { createStream, put, worker },
}) => {
  await using throttled = await startThrottledTable(tables.dynamodb.endpoint);
  await createStream(4);
  await put(KEYS, [1]);
  const dynamodb = { ...tables.dynamodb, endpoint: throttled.url };
  const { frames, batches, shards } = worker('one', { dynamodb });
  await waitFor(() => expect(names(frames)).toEqual(all([1])));
  throttled.throttle(0.5, 'ProvisionedThroughputExceededException');
  const { refused } = throttled;
  await put(KEYS, [2]);
  await waitFor(() => expect(names(frames)).toEqual(all([1, 2])));
  await waitFor(() => expect(throttled.refused).toBeGreaterThan(refused + 5));
  expect(shards()).toBe(4);
  expect(new Set(batches.map(({ fence }) => fence)).size).toBe(1);
});

test.for([undefined, 'pusher'])(
  'workers divide the shards, and whoever stops gives its shards away (consumer %s)',
  async (consumer, { world: { createStream, put, worker } }) => {
    await createStream(4);
    await put(KEYS, [1]);
    const options = consumer === undefined ? {} : { consumer };
    const [one, two] = [worker('one', options), worker('two', options)];
    await waitFor(() => {
      expect([one.shards(), two.shards()]).toEqual([2, 2]);
      expect(names([...one.frames, ...two.frames])).toEqual(all([1]));
    });
    await one.group.stop();
    await put(KEYS, [2]);
    await waitFor(() => {
      expect(two.shards()).toBe(4);
      expect(names([...one.frames, ...two.frames])).toEqual(all([1, 2]));
    });
    expect(names(one.frames)).not.toContain('a2');
    const fences = two.batches.map(({ fence }) => fence);
    expect(Math.max(...fences)).toBeGreaterThan(1);
  },
);

test('a shard is read before its children, and a key that moves keeps its order', async ({
  world: { createStream, put, streamName, worker },
}) => {
  await createStream(1);
  await put(KEYS, [1]);
  const half = String(2n ** 127n);
  await client.send(
    new SplitShardCommand({
      StreamName: streamName,
      ShardToSplit: 'shardId-000000000000',
      NewStartingHashKey: half,
    }),
  );
  await put(KEYS, [2]);
  const order: string[] = [];
  const onFrames = (items: Frame[], { shardId }: Batch<Frame>) => {
    for (const { rtmsStreamId, sequence } of items) order.push(`${rtmsStreamId}${sequence}`);
    order.push(shardId);
  };
  worker('one', { onFrames });
  worker('two', { onFrames });
  await waitFor(() => expect(order.filter((text) => /^[a-h]/.test(text))).toHaveLength(16));
  expect(order.filter((text) => /^[a-h]1$/.test(text))).toHaveLength(8);
  expect(order.indexOf('shardId-000000000000')).toBeLessThan(
    order.findIndex((text) => /^[a-h]2$/.test(text)),
  );
});

test('a second worker of one id is refused, and the first one goes on', async ({
  world: { createStream, put, worker },
}) => {
  await createStream(2);
  const first = worker('one');
  await waitFor(() => expect(first.shards()).toBe(2));
  await expect(worker('one').group.done).rejects.toMatchObject({ code: 'group/worker-id-taken' });
  await put(KEYS, [1]);
  await waitFor(() => expect(names(first.frames)).toEqual(all([1])));
});

// Side by side: these have one worker at a time, and wait for pages and polls.
const within = (check: () => void) => waitFor(check, BESIDE_OTHERS_MS);

test.concurrent('what a checkpoint in the middle of a record has saved does not come again', async ({
  world: { createStream, put, worker },
}) => {
  await createStream(1);
  await put(['a'], [1, 2, 3]);
  const first = worker('one', {
    async onFrames([, second], batch) {
      await batch.checkpoint(second as Frame);
      throw new Error('the consumer broke');
    },
  });
  await expect(first.group.done).rejects.toThrow('the consumer broke');
  const next = worker('two');
  await within(() => expect(names(next.frames)).toEqual(['a3']));
});

test.concurrent('what is held comes again to the next worker, with all that came behind it', async ({
  world: { createStream, put, worker },
}) => {
  await createStream(1);
  const dones: (() => Promise<void>)[] = [];
  const first = worker('one', {
    onFrames(items, batch) {
      first.frames.push(...items);
      if (names(items).includes('a3')) throw new Error('the consumer broke');
      // The second batch is done at once, and stands behind the first one all the same.
      if (dones.length === 0) dones.push(batch.hold());
    },
  });
  await within(() => expect(first.shards()).toBe(1));
  await put(['a'], [1]);
  await within(() => expect(names(first.frames)).toEqual(['a1']));
  await put(['a'], [2]);
  await within(() => expect(names(first.frames)).toEqual(['a1', 'a2']));
  await put(['a'], [3]);
  await expect(first.group.done).rejects.toThrow('the consumer broke');
  const done: (() => Promise<void>)[] = [];
  const second = worker('two', {
    onFrames(items, batch) {
      second.frames.push(...items);
      done.push(batch.hold());
    },
  });
  await within(() => expect(names(second.frames)).toEqual(['a1', 'a2', 'a3']));
  await Promise.all(done.map((one) => one()));
  await second.group.stop();
  await put(['a'], [4]);
  const third = worker('three');
  await within(() => expect(names(third.frames)).toEqual(['a4']));
});

test.concurrent('a shard that was read to its end is over when nothing of it is held, and asks for that', async ({
  world: { createStream, put, streamName, worker },
}) => {
  await createStream(1);
  await put(['a'], [1]);
  const half = String(2n ** 127n);
  const split = { ShardToSplit: 'shardId-000000000000', NewStartingHashKey: half };
  await client.send(new SplitShardCommand({ StreamName: streamName, ...split }));
  await put(['a'], [2]);
  const asked = Promise.withResolvers<string>();
  const held: (() => Promise<void>)[] = [];
  const { frames } = worker('one', {
    onFrames(items, batch) {
      frames.push(...items);
      if (items.some(({ sequence }) => sequence === 1)) held.push(batch.hold());
    },
    onFlush: (shardId) => asked.resolve(shardId),
  });
  expect(await asked.promise).toBe('shardId-000000000000');
  expect(names(frames)).toEqual(['a1']);
  await Promise.all(held.map((done) => done()));
  await within(() => expect(names(frames)).toEqual(['a1', 'a2']));
});

test.concurrent('damaged records go to the dead letters with the record that they came in', async ({
  world: { createStream, put, streamName, worker },
}) => {
  await createStream(1);
  const Records = [{ Data: Buffer.from([1, 2, 3]), PartitionKey: 'a' }];
  await client.send(new PutRecordsCommand({ StreamName: streamName, Records }));
  await put(['a'], [1]);
  const letters: unknown[] = [];
  const { frames } = worker('one', {
    onBadRecord: ({ code, detail }, { data }) => {
      letters.push([code, typeof detail['sequenceNumber'], [...data]]);
    },
  });
  await within(() => expect(names(frames)).toEqual(['a1']));
  expect(letters).toEqual([['record/malformed', 'string', [1, 2, 3]]]);
});

test.concurrent('a damaged record without dead letters ends the worker', async ({
  world: { createStream, streamName, worker },
}) => {
  await createStream(1);
  const Records = [{ Data: Buffer.from([1, 2, 3]), PartitionKey: 'a' }];
  await client.send(new PutRecordsCommand({ StreamName: streamName, Records }));
  await expect(worker('one').group.done).rejects.toMatchObject({ code: 'record/malformed' });
});

test.concurrent('a table of another stream, or of other records, is refused', async ({
  world: { createStream, streamName, table, worker },
}) => {
  await createStream(1);
  const first = worker('one');
  await within(() => expect(first.shards()).toBe(1));
  const { dynamodb } = tables;
  const events = consumerGroup({
    client,
    streamName,
    table,
    workerId: 'two',
    dynamodb,
    onEvents() {},
  });
  await expect(events.done).rejects.toMatchObject({ code: 'group/other-stream' });
  await client.send(new CreateStreamCommand({ StreamName: `${streamName}-b`, ShardCount: 1 }));
  const other = worker('three', { streamName: `${streamName}-b` });
  await expect(other.group.done).rejects.toMatchObject({
    code: 'group/other-stream',
    message: `[group/other-stream] the table ${table} belongs to a group that reads frames of ${streamName}; this one reads frames of ${streamName}-b`,
  });
});

test.concurrent('a stream that was deleted and made again ends a worker, unless it wants the new one', async ({
  world: { createStream, put, streamName, worker },
}) => {
  await createStream(1);
  await put(['a'], [1]);
  const first = worker('one');
  await within(() => expect(names(first.frames)).toEqual(['a1']));
  await first.group.stop();
  await client.send(new DeleteStreamCommand({ StreamName: streamName }));
  await createStream(1);
  await put(['a'], [7]);
  await expect(worker('two').group.done).rejects.toMatchObject({ code: 'group/stream-recreated' });
  const onRecreated = vi.fn();
  const third = worker('three', { onRecreated });
  await within(() => expect(names(third.frames)).toEqual(['a7']));
  expect(onRecreated).toHaveBeenCalledOnce();
});

test.concurrent('a stream that is made again under a running worker is told, and read from its beginning', async ({
  world: { createStream, put, streamName, worker },
}) => {
  await createStream(1);
  await put(['a'], [1]);
  const onRecreated = vi.fn();
  const { frames, group } = worker('one', { onRecreated });
  await within(() => expect(names(frames)).toEqual(['a1']));
  await client.send(new DeleteStreamCommand({ StreamName: streamName }));
  await createStream(1);
  await put(['a'], [7]);
  await within(() => expect(names(frames)).toEqual(['a1', 'a7']));
  expect(onRecreated).toHaveBeenCalledOnce();
  await group.stop();
});

test('an option that is misspelt, missing or of no use is refused', () => {
  const fine = { client, streamName: 's', table: 't', workerId: 'one', onFrames() {} };
  const refused = (options: object) => {
    try {
      consumerGroup(options as FrameGroup);
    } catch (error) {
      return (error as ServiceError).message;
    }
    return undefined;
  };
  expect(refused({ ...fine, workerID: 'one' })).toContain('no such option: workerID');
  expect(refused({ ...fine, table: undefined })).toContain('the option table is missing');
  expect(refused({ ...fine, consumer: 'a b' })).toContain('the option consumer has a value');
  expect(refused({ ...fine, onEvents() {} })).toContain('either onFrames or onEvents');
});
