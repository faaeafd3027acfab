import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { fc, test as prop } from '@fast-check/vitest';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { expect, test } from 'vitest';
import { PUT_MODES } from '../../../shared/env.ts';
import { createKinesisClient, createPutClient } from '../transport.ts';
import { encodeJsonBody } from './json-format.ts';

const entry = fc.record({
  partitionKey: fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('"', '\\', 'a#v#16778240'),
  ),
  data: fc.uint8Array({ maxLength: 200 }),
});

prop.prop([
  fc.string({ unit: 'grapheme' }),
  fc.array(entry, { maxLength: 8 }),
  fc.integer({ min: 0, max: 20 }),
])('a body is JSON that holds every key and every byte', (streamName, entries, room) => {
  const body = encodeJsonBody(streamName, entries, room, (size) => Buffer.alloc(size + 7));
  expect(JSON.parse(body.toString('utf8', room))).toEqual({
    StreamName: streamName,
    Records: entries.map(({ partitionKey, data }) => ({
      Data: Buffer.from(data).toString('base64'),
      PartitionKey: partitionKey,
    })),
  });
});

test("our calls in JSON ask Kinesis what the SDK's own would ask", async () => {
  const asked: { body: unknown; headers: object }[] = [];
  const server = createServer(async (request, response) => {
    const {
      'content-length': length,
      'content-type': type,
      'x-amz-target': target,
    } = request.headers;
    asked.push({ body: JSON.parse(await text(request)), headers: { length, type, target } });
    response.end('{"FailedRecordCount":0,"Records":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const options = {
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const entries = [
    { partitionKey: 'a', data: Buffer.from('one') },
    { partitionKey: 'b"', data: new Uint8Array(5_000).fill(7) },
  ];
  const theirs = new KinesisClient({ ...options, requestHandler: new NodeHttpHandler() });
  const Records = entries.map(({ partitionKey, data }) => ({
    PartitionKey: partitionKey,
    Data: data,
  }));
  await theirs.send(new PutRecordsCommand({ StreamName: 'media', Records }));
  const ours = createKinesisClient(options);
  for (const mode of PUT_MODES.filter((name) => name !== 'http-cbor')) {
    const puts = createPutClient({ sdk: ours, mode });
    await puts.putRecords('media', entries, new AbortController().signal);
    puts.destroy();
    expect(asked.at(-1)).toEqual(asked[0]);
  }
  expect(asked).toHaveLength(3);
  theirs.destroy();
  ours.destroy();
  server.close();
});
