import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  type Shard,
} from '@aws-sdk/client-kinesis';
import { FrameDecoder } from '../../sdk/consumer/index.ts';
import { hashKeyOf, holdsHashKey } from '../../shared/kinesis-rules.ts';
import { ask } from '../deployment/aws.ts';

/** How much is read: the newest records of each shard, and of a few shards only, because this is a quick look. */
const LOOK_BACK_MS = 2_000;
const MAX_RECORDS_PER_SHARD = 200;
const MAX_SHARDS = 32;

/**
 * Measures the lag of each stream: from capture at Zoom to arrival in Kinesis, of its newest audio. Reads only the shards
 * that hold audio of these streams, 32 at most.
 *
 * @returns ms by rtms_stream_id; without a stream that was silent for the last 2 s, or whose records were not read
 */
export async function readLags(
  client: KinesisClient,
  streamName: string,
  rtmsStreamIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const lags = new Map<string, number>();
  if (rtmsStreamIds.length === 0) return lags;
  const wanted = new Set(rtmsStreamIds);
  const shards = await openShards(client, streamName);
  const hashKeys = rtmsStreamIds.map(hashKeyOf);
  const ofAudio = shards.filter(({ HashKeyRange }) =>
    hashKeys.some((hashKey) => holdsHashKey(HashKeyRange, hashKey)),
  );
  await Promise.all(
    ofAudio.slice(0, MAX_SHARDS).map(async ({ ShardId }) => {
      // A record whose first part is older than 2 s cannot be decoded, and is not needed here.
      const decoder = new FrameDecoder({ onBadRecord: () => undefined });
      for (const record of await newest(client, streamName, ShardId)) {
        const arrivedAtMs = record.ApproximateArrivalTimestamp?.getTime();
        const { Data: data, PartitionKey: partitionKey = '', SequenceNumber = '' } = record;
        if (arrivedAtMs === undefined || !data || !wanted.has(partitionKey)) continue;
        for (const frame of decoder.decode({ data, partitionKey, sequenceNumber: SequenceNumber }))
          lags.set(frame.rtmsStreamId, Math.max(0, arrivedAtMs - frame.capturedAt.getTime()));
      }
    }),
  );
  return lags;
}

async function openShards(client: KinesisClient, streamName: string): Promise<Shard[]> {
  const shards: Shard[] = [];
  let NextToken: string | undefined;
  do {
    const input = NextToken ? { NextToken } : { StreamName: streamName };
    const page = await ask(`stream ${streamName}`, () => client.send(new ListShardsCommand(input)));
    shards.push(...(page.Shards ?? []));
    NextToken = page.NextToken;
  } while (NextToken);
  return shards.filter((shard) => shard.SequenceNumberRange?.EndingSequenceNumber === undefined);
}

async function newest(client: KinesisClient, streamName: string, ShardId: string | undefined) {
  return ask(`stream ${streamName}`, async () => {
    const position = {
      ShardIteratorType: 'AT_TIMESTAMP',
      Timestamp: new Date(Date.now() - LOOK_BACK_MS),
    } as const;
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({ StreamName: streamName, ShardId, ...position }),
    );
    const { Records = [] } = await client.send(
      new GetRecordsCommand({ ShardIterator, Limit: MAX_RECORDS_PER_SHARD }),
    );
    return Records;
  });
}
