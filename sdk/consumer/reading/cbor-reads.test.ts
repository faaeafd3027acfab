import { createServer } from 'node:http';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeServer, listen } from '../../../simulator/sockets/listen.ts';
import { connect } from '../../../test/support/kinesis-client.ts';
import { type LocalStreams, startLocalStreams } from '../../../test/support/local-streams.ts';
import { readsInCbor } from './cbor-reads.ts';

/** The real SDK client, against the local Kinesis, which speaks both forms. */

let streams: LocalStreams;
beforeAll(async () => {
  streams = await startLocalStreams();
});
afterAll(() => streams[Symbol.asyncDispose]());

const iteratorOf = async (client: ReturnType<typeof connect>, StreamName: string) => {
  const input = {
    StreamName,
    ShardId: 'shardId-000000000000',
    ShardIteratorType: 'TRIM_HORIZON' as const,
  };
  return (await client.send(new GetShardIteratorCommand(input))).ShardIterator;
};

test('records are the same as in JSON: bytes, keys, numbers and times', async () => {
  const StreamName = await streams.create();
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  const Records = [Buffer.alloc(0), bytes, Buffer.alloc(100_000, 7)].map((Data, index) => ({
    Data,
    PartitionKey: `key ü ${index}`,
  }));
  await streams.client.send(new PutRecordsCommand({ StreamName, Records }));
  const read = async (client: ReturnType<typeof connect>) => {
    const ShardIterator = await iteratorOf(client, StreamName);
    const answer = await client.send(new GetRecordsCommand({ ShardIterator }));
    return {
      answer,
      data: answer.Records?.map(({ Data }) => Buffer.from(Data ?? []).toString('hex')),
    };
  };
  const cborClient = readsInCbor(connect(streams.server.url));
  const [asJson, asCbor] = [await read(streams.client), await read(cborClient)];
  const withoutData = ({ answer }: typeof asJson) => ({
    behind: answer.MillisBehindLatest,
    records: answer.Records?.map(({ Data: _, ...rest }) => rest),
  });
  expect(asCbor.data).toEqual(asJson.data);
  expect(withoutData(asCbor)).toEqual(withoutData(asJson));
  expect(asCbor.answer.$metadata.httpStatusCode).toBe(200);
  cborClient.destroy();
});

test('an error has its class and its message', async () => {
  const client = readsInCbor(connect(streams.server.url));
  const call = client.send(new GetRecordsCommand({ ShardIterator: 'none' }));
  await expect(call).rejects.toMatchObject({ name: 'InvalidArgumentException' });
  await expect(call).rejects.toThrow(/./);
  client.destroy();
});

test('a service that does not speak it is asked in JSON from the next call on', async () => {
  const types: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const type = request.headers['content-type'];
    types.push(type);
    request.resume().once('end', () => {
      const isJson = type === 'application/x-amz-json-1.1';
      response.writeHead(isJson ? 200 : 500, { 'content-type': isJson ? type : 'text/html' });
      response.end(isJson ? '{"Records":[],"MillisBehindLatest":7}' : '<html>broken</html>');
    });
  });
  const client = readsInCbor(connect(`http://127.0.0.1:${await listen(server, 0)}`));
  const call = () => client.send(new GetRecordsCommand({ ShardIterator: 'i' }));
  await expect(call()).rejects.toMatchObject({ name: 'InternalFailure', $retryable: {} });
  expect(await call()).toMatchObject({ Records: [], MillisBehindLatest: 7 });
  expect(types).toEqual(['application/x-amz-cbor-1.1', 'application/x-amz-json-1.1']);
  client.destroy();
  await closeServer(server);
});
