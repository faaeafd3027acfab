import { CreateStreamCommand } from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type KinesisServer, startKinesisServer } from '../../local/kinesis/server.ts';
import { checkStream } from './stream-check.ts';
import { createKinesisClient } from './transport.ts';

let server: KinesisServer;
let client: ReturnType<typeof createKinesisClient>;

beforeEach(async () => {
  server = await startKinesisServer();
  client = createKinesisClient({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});

afterEach(async () => {
  client.destroy();
  await server.close();
});

test('a stream that fits: its largest record and its shards', async () => {
  await client.send(
    new CreateStreamCommand({ StreamName: 'media', ShardCount: 3, MaxRecordSizeInKiB: 2_048 }),
  );
  await expect(checkStream(client, 'media')).resolves.toEqual({
    maxRecordBytes: 2_048 * 1_024,
    openShardCount: 3,
  });
});

test('a stream that distributes its records itself is refused', async () => {
  await client.send(
    new CreateStreamCommand({
      StreamName: 'media',
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      RecordDistributionStrategy: 'AUTO',
    }),
  );
  await expect(checkStream(client, 'media')).rejects.toMatchObject({
    code: 'kinesis/stream-unfit',
    detail: { stream: 'media' },
  });
});

test('a stream that does not exist is named', async () => {
  await expect(checkStream(client, 'media')).rejects.toMatchObject({
    code: 'kinesis/stream-missing',
    detail: { stream: 'media' },
  });
});

test('missing rights are named', async () => {
  server.faults.set({
    rules: [{ operation: 'DescribeStreamSummary', errors: { AccessDeniedException: 1 } }],
  });
  await expect(checkStream(client, 'media')).rejects.toMatchObject({
    code: 'kinesis/access-denied',
  });
});
