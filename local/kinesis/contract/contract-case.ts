import assert from 'node:assert/strict';
import {
  CreateStreamCommand,
  type CreateStreamCommandInput,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  type KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  type Shard,
  type ShardFilter,
} from '@aws-sdk/client-kinesis';

/** One thing that any Kinesis must do, as far as we rely on it. Runs against our Kinesis and against kinesis-local. */
export interface ContractCase {
  readonly title: string;
  /** How kinesis-local 0.6.2 differs from the service. Where this is set, its run of the case is expected to fail. */
  readonly peerDeviates?: string;
  /** Why kinesis-local 0.6.2 may never answer. Where this is set, the case is skipped there. */
  readonly peerHangs?: string;
  /**
   * @param client makes one attempt per call
   * @param name of a data stream that no other case uses
   */
  run(client: KinesisClient, name: string): Promise<void>;
}

export const textOf = (value: string): Uint8Array => Buffer.from(value);
export const FIRST = 'shardId-000000000000';
export const MAX_HASH = 2n ** 128n - 1n;

/** Creates the data stream, of one provisioned shard unless told otherwise, and waits until it is ACTIVE. */
export async function create(
  client: KinesisClient,
  name: string,
  input: Partial<CreateStreamCommandInput> = { ShardCount: 1 },
): Promise<void> {
  await client.send(new CreateStreamCommand({ ...input, StreamName: name }));
  await active(client, name);
}

export async function active(client: KinesisClient, name: string): Promise<void> {
  while ((await summary(client, name)).StreamStatus !== 'ACTIVE');
}

export async function summary(client: KinesisClient, name: string) {
  const { StreamDescriptionSummary: found } = await client.send(
    new DescribeStreamSummaryCommand({ StreamName: name }),
  );
  assert(found);
  return found;
}

export async function shardsOf(
  client: KinesisClient,
  name: string,
  filter?: ShardFilter,
): Promise<Shard[]> {
  const { Shards } = await client.send(
    new ListShardsCommand({ StreamName: name, ShardFilter: filter }),
  );
  return Shards ?? [];
}

export const openShards = async (client: KinesisClient, name: string): Promise<Shard[]> =>
  (await shardsOf(client, name)).filter(
    (shard) => shard.SequenceNumberRange?.EndingSequenceNumber === undefined,
  );

export async function put(
  client: KinesisClient,
  name: string,
  ...values: string[]
): Promise<string[]> {
  const { Records } = await client.send(
    new PutRecordsCommand({
      StreamName: name,
      Records: values.map((value) => ({ Data: textOf(value), PartitionKey: 'key' })),
    }),
  );
  return (Records ?? []).map((record) => record.SequenceNumber ?? '');
}

export async function read(
  client: KinesisClient,
  name: string,
  start: Partial<GetShardIteratorCommandInput> = {},
): Promise<GetRecordsCommandOutput> {
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({
      StreamName: name,
      ShardId: FIRST,
      ShardIteratorType: 'TRIM_HORIZON',
      ...start,
    }),
  );
  return client.send(new GetRecordsCommand({ ShardIterator }));
}

export const values = ({ Records }: GetRecordsCommandOutput): string[] =>
  (Records ?? []).map((record) => Buffer.from(record.Data ?? []).toString());

export const rejects = (call: Promise<unknown>, name: string): Promise<void> =>
  assert.rejects(call, (error: Error) => {
    assert.equal(error.name, name);
    return true;
  });

export const rangeOf = (shard: Shard | undefined): [bigint, bigint] => [
  BigInt(shard?.HashKeyRange?.StartingHashKey ?? -1),
  BigInt(shard?.HashKeyRange?.EndingHashKey ?? -1),
];

/** @throws AssertionError unless the open shards cover every hash key once, in `count` near-equal ranges */
export function assertEvenRanges(shards: Shard[] | undefined, count: number): void {
  const ranges = (shards ?? []).map(rangeOf).sort(([a], [b]) => (a < b ? -1 : 1));
  assert.equal(ranges.length, count);
  let next = 0n;
  for (const [start, end] of ranges) {
    assert.equal(start, next);
    next = end + 1n;
    // Implementations round differently, by a few keys.
    const deviation = end - start - MAX_HASH / BigInt(count);
    assert(deviation > -100n && deviation < 100n);
  }
  assert.equal(next, MAX_HASH + 1n);
}
