import { createServer } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { expect, test } from 'vitest';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { SessionStore } from './store.ts';

test('a renewal of the heartbeat may take longer than any other call to the table', async () => {
  const server = createServer((_request, response) => {
    setTimeout(() => {
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      response.end('{}');
    }, 500);
  });
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${await listen(server, 0)}`,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ requestTimeout: 20, throwOnRequestTimeout: true }),
  });
  const store = new SessionStore(DynamoDBDocumentClient.from(client), 'sessions');
  const task = { taskId: 'me', slotsUsed: 0, slotsTotal: 1, draining: false };
  try {
    await store.renew(task, 0, AbortSignal.timeout(30_000));
    await expect(store.task('me')).rejects.toMatchObject({ code: 'session/store-failed' });
  } finally {
    client.destroy();
    await closeServer(server);
  }
});
