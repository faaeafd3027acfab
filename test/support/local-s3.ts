import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { startS3 } from '../../local/aws/s3.ts';
import { ObjectStore } from '../../sdk/consumer/archive/object-store.ts';

/** An S3 on this machine, over HTTP, with one bucket. */
export interface TestS3 extends AsyncDisposable {
  readonly endpoint: string;
  readonly client: S3Client;
  readonly bucket: string;
  readonly store: ObjectStore;
}

export async function startTestS3(bucket = 'recordings'): Promise<TestS3> {
  const directory = await mkdtemp(join(tmpdir(), 'rtms-s3-'));
  const server = await startS3(directory);
  const endpoint = `http://127.0.0.1:${server.port}`;
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    forcePathStyle: true,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    endpoint,
    client,
    bucket,
    store: await ObjectStore.open(client, bucket),
    async [Symbol.asyncDispose]() {
      client.destroy();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
