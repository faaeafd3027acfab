import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { fc, test as prop } from '@fast-check/vitest';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { expect, test } from 'vitest';
import { encodePutBody } from './put-body.ts';
import { createKinesisClient } from './transport.ts';

const entry = fc.record({
  PartitionKey: fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('"', '\\', 'a#v#16778240'),
  ),
  Data: fc.uint8Array({ maxLength: 200 }),
});

prop.prop([fc.string({ unit: 'grapheme' }), fc.array(entry, { maxLength: 8 })])(
  'a body is JSON that holds every key and every byte',
  (streamName, entries) => {
    expect(JSON.parse(encodePutBody(streamName, entries).toString())).toEqual({
      StreamName: streamName,
      Records: entries.map(({ PartitionKey, Data }) => ({
        Data: Buffer.from(Data).toString('base64'),
        PartitionKey,
      })),
    });
  },
);

test("our PutRecords call asks Kinesis what the SDK's would ask", async () => {
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
  const command = new PutRecordsCommand({
    StreamName: 'media',
    Records: [
      { PartitionKey: 'a', Data: Buffer.from('one') },
      { PartitionKey: 'b"', Data: new Uint8Array(5_000).fill(7) },
    ],
  });
  for (const client of [
    createKinesisClient(options),
    new KinesisClient({ ...options, requestHandler: new NodeHttpHandler() }),
  ]) {
    await client.send(command);
    client.destroy();
  }
  server.close();
  expect(asked[0]).toEqual(asked[1]);
  expect(command.input.Records).toHaveLength(2);
});
