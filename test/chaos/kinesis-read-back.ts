import { setTimeout as delay } from 'node:timers/promises';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { decodeAggregate } from '../../shared/record/kpl.ts';
import type { Source } from './kinesis-traffic.ts';

export interface Audit {
  readonly duplicates: number;
  /** Partition keys whose first occurrences are not in the order sent. */
  readonly outOfOrder: readonly string[];
  /** Frames neither in the data stream nor declared lost. */
  readonly missing: number;
  /** Frames declared lost that are in the data stream all the same. */
  readonly declaredButThere: number;
}

/** Reads everything back from a data stream and holds it against what the sources say. */
export async function audit(
  client: KinesisClient,
  streamName: string,
  sources: readonly Source[],
): Promise<Audit> {
  const landed = await readAll(client, streamName);
  const outOfOrder: string[] = [];
  let [duplicates, missing, declaredButThere] = [0, 0, 0];
  for (const { shape, sent, droppedSequences } of sources) {
    const list = landed.get(shape.partitionKey) ?? [];
    const first = [...new Set(list)];
    duplicates += list.length - first.length;
    if (first.some((sequence, index) => index > 0 && sequence < (first[index - 1] as number))) {
      outOfOrder.push(shape.partitionKey);
    }
    const seen = new Set(first);
    for (let sequence = 1; sequence <= sent; sequence += 1) {
      const [isThere, isDeclared] = [seen.has(sequence), droppedSequences.has(sequence)];
      if (!isThere && !isDeclared) missing += 1;
      if (isThere && isDeclared) declaredButThere += 1;
    }
  }
  return { duplicates, outOfOrder, missing, declaredButThere };
}

/** Sequences per partition key, in the order they landed, duplicates included. */
async function readAll(client: KinesisClient, streamName: string): Promise<Map<string, number[]>> {
  const landed = new Map<string, number[]>();
  const { Shards: shards = [] } = await client.send(
    new ListShardsCommand({ StreamName: streamName }),
  );
  const readShard = async (shardId: string | undefined): Promise<void> => {
    const from = { StreamName: streamName, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' };
    let { ShardIterator: iterator } = await client.send(
      new GetShardIteratorCommand({ ...from, ShardIteratorType: 'TRIM_HORIZON' }),
    );
    for (let behindMs = 1; iterator && behindMs > 0; ) {
      const answer = await client
        .send(new GetRecordsCommand({ ShardIterator: iterator, Limit: 100 }))
        .catch(() => undefined);
      // A shard answers five times and 2 MB a second.
      if (!answer) await delay(100);
      if (!answer) continue;
      for (const { PartitionKey: key = '', Data: data = new Uint8Array() } of answer.Records ??
        []) {
        const list = landed.get(key) ?? [];
        landed.set(key, list);
        for (const record of decodeAggregate(data, key)) {
          const lines = record.data.toString('latin1').split('\n');
          for (const line of lines) if (line !== '') list.push(Number.parseInt(line, 10));
        }
      }
      iterator = answer.NextShardIterator;
      behindMs = answer.MillisBehindLatest ?? 0;
    }
  };
  await Promise.all(shards.map(({ ShardId }) => readShard(ShardId)));
  return landed;
}
