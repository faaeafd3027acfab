import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createKinesisClient } from './transport.ts';

let server: Server;
let client: KinesisClient;
let connections: number;
let requests: number;
let answer: boolean;

beforeEach(async () => {
  [connections, requests, answer] = [0, 0, true];
  server = createServer((request, response) => {
    requests += 1;
    request.resume().once('end', () => {
      if (answer) response.end('{"FailedRecordCount":0,"Records":[]}');
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = createKinesisClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestTimeoutMs: 100,
  });
});

afterEach(() => {
  client.destroy();
  server.closeAllConnections();
  server.close();
});

const put = () =>
  client.send(
    new PutRecordsCommand({
      StreamName: 'media',
      Records: [{ PartitionKey: 'key', Data: Buffer.from('data') }],
    }),
  );

test('many calls go over one connection', async () => {
  for (let call = 0; call < 20; call += 1) await put();
  expect([requests, connections]).toEqual([20, 1]);
});

test('a call ends with its time-out, and the SDK does not repeat it', async () => {
  answer = false;
  await expect(put()).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(requests).toBe(1);
});
