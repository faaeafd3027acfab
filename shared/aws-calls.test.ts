import { createServer } from 'node:http';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { expect, test } from 'vitest';
import { closeServer, listen } from '../simulator/sockets/listen.ts';
import { httpHandlerOptions } from './aws-calls.ts';

test('a call that a server takes and never answers fails when its time is over', async () => {
  const server = createServer(() => {});
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${await listen(server, 0)}`,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(httpHandlerOptions({ connectMs: 5_000, answerMs: 50 })),
  });
  try {
    const answer = client.send(new ListTablesCommand({}));
    await expect(answer).rejects.toMatchObject({ name: 'TimeoutError' });
  } finally {
    client.destroy();
    await closeServer(server);
  }
});
