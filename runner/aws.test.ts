import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startKinesisServer } from '../local/kinesis/server.ts';
import { fenceWrites } from './aws.ts';
import { createKinesisClient } from './kinesis/transport.ts';

const StreamName = 'media';
const PUT = new PutRecordsCommand({
  StreamName,
  Records: [{ PartitionKey: 'a', Data: Buffer.from('x') }],
});

let server: Awaited<ReturnType<typeof startKinesisServer>>;
let client: KinesisClient;
let mayServe = true;

beforeAll(async () => {
  server = await startKinesisServer();
  client = createKinesisClient({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  fenceWrites(client, () => mayServe);
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

test('records leave only while the task may serve', async () => {
  await client.send(PUT);
  mayServe = false;
  await expect(client.send(PUT)).rejects.toMatchObject({ code: 'session/not-owner' });
  await client.send(new DescribeStreamSummaryCommand({ StreamName }));
  mayServe = true;
  await client.send(PUT);
});

test('a call that was allowed before a freeze does not leave after it', async () => {
  const signing = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const slow = createKinesisClient({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: async () => {
      asked.resolve();
      await signing.promise;
      return { accessKeyId: 'local', secretAccessKey: 'local' };
    },
  });
  let mayServeNow = true;
  fenceWrites(slow, () => mayServeNow);
  const call = slow.send(PUT);
  await asked.promise;
  mayServeNow = false;
  signing.resolve();
  await expect(call).rejects.toMatchObject({ code: 'session/not-owner' });
  slow.destroy();
});
