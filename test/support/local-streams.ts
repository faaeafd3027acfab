import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { type KinesisServer, startKinesisServer } from '../../local/kinesis/server.ts';
import { connect } from './kinesis-client.ts';

export interface LocalStreams extends AsyncDisposable {
  readonly server: KinesisServer;
  readonly client: KinesisClient;
  /** Creates a stream of a name that no other one has. @returns the name, once the stream is active */
  create(shardCount?: number): Promise<string>;
}

/** A Kinesis server on this machine. @param clock Unix ms @default the system clock */
export async function startLocalStreams(clock?: () => number): Promise<LocalStreams> {
  const server = await startKinesisServer(clock === undefined ? {} : { clock });
  const client = connect(server.url);
  let streams = 0;
  return {
    server,
    client,
    async create(ShardCount = 1) {
      streams += 1;
      const StreamName = `stream-${streams}`;
      await client.send(new CreateStreamCommand({ StreamName, ShardCount }));
      await isActive(client, StreamName);
      return StreamName;
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await server.close();
    },
  };
}

/** Splits a shard and waits until that is done. @param at the first hash key of the upper half @default the middle of all */
export async function splitShard(
  client: KinesisClient,
  StreamName: string,
  shard = 'shardId-000000000000',
  at = 2n ** 127n,
): Promise<void> {
  const NewStartingHashKey = at.toString();
  await client.send(new SplitShardCommand({ StreamName, ShardToSplit: shard, NewStartingHashKey }));
  await isActive(client, StreamName);
}

async function isActive(client: KinesisClient, StreamName: string): Promise<void> {
  for (;;) {
    const answer = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
    if (answer.StreamDescriptionSummary?.StreamStatus === 'ACTIVE') return;
  }
}
