import { cbor, tag } from '@smithy/core/cbor';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type KinesisServer, startKinesisServer } from './server.ts';

const CONTENT_TYPE = 'application/x-amz-cbor-1.1';
const NOW_MS = 1_764_265_827_123;

let server: KinesisServer;
beforeAll(async () => {
  server = await startKinesisServer({ clock: () => NOW_MS });
  await call('CreateStream', { StreamName: 'media', ShardCount: 1 });
});
afterAll(() => server.close());

async function call(operation: string, input: unknown) {
  return send(operation, cbor.serialize(input));
}

async function send(operation: string, body: Uint8Array) {
  const headers = {
    'content-type': CONTENT_TYPE,
    'x-amz-target': `Kinesis_20131202.${operation}`,
  };
  const response = await fetch(server.url, { method: 'POST', headers, body: Buffer.from(body) });
  expect(response.headers.get('content-type')).toBe(CONTENT_TYPE);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, output: cbor.deserialize(bytes) };
}

const time = (value: number | bigint) => tag({ tag: 1, value });

test('a record written and read in CBOR has byte strings and times in milliseconds', async () => {
  const data = Buffer.from([0, 255, 1, 128]);
  const Records = [{ Data: data, PartitionKey: 'é' }];
  const put = await call('PutRecords', { StreamName: 'media', Records });
  expect(put.output).toMatchObject({
    FailedRecordCount: 0,
    Records: [{ SequenceNumber: expect.any(String) }],
  });
  const iterator = await call('GetShardIterator', {
    StreamName: 'media',
    ShardId: 'shardId-000000000000',
    ShardIteratorType: 'AT_TIMESTAMP',
    Timestamp: time(NOW_MS),
  });
  const { ShardIterator } = iterator.output;
  const { status, output } = await call('GetRecords', { ShardIterator });
  expect(status).toBe(200);
  expect(Buffer.from(output.Records[0].Data)).toEqual(data);
  expect(output.Records[0]).toMatchObject({
    PartitionKey: 'é',
    ApproximateArrivalTimestamp: time(NOW_MS),
  });
});

test('times beside a stream and an absent member are told in CBOR as in JSON', async () => {
  const { output } = await call('DescribeStream', { StreamName: 'media' });
  expect(output.StreamDescription.StreamCreationTimestamp).toEqual(time(NOW_MS));
  expect(output.StreamDescription.Shards[0]).not.toHaveProperty('ParentShardId');
});

test('an error is answered in CBOR', async () => {
  const { status, output } = await call('DescribeStream', { StreamName: 'absent' });
  expect(status).toBe(400);
  expect(output).toMatchObject({ __type: 'ResourceNotFoundException' });
});

test('an empty body is a call without members', async () => {
  const { status } = await send('ListStreams', new Uint8Array());
  expect(status).toBe(200);
});

test('a body that is not CBOR is refused', async () => {
  const { status, output } = await send('ListStreams', Buffer.from([0x5b, 0xff]));
  expect(status).toBe(400);
  expect(output.__type).toBe('SerializationException');
});
