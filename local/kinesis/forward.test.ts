import { DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connect } from '../../test/support/kinesis-client.ts';
import { create, put, read, values } from './contract/contract-case.ts';
import { type KinesisServer, startKinesisServer } from './server.ts';

let other: KinesisServer;
let front: KinesisServer;
beforeAll(async () => {
  other = await startKinesisServer({ region: 'eu-central-1' });
  front = await startKinesisServer({ forwardTo: other.port });
});
afterEach(() => front.faults.clear());
afterAll(async () => {
  await front.close();
  await other.close();
});

test.each(['HTTP/1.1', 'h2c'] as const)(
  'calls by %s are served by the other Kinesis',
  async (protocol) => {
    const client = connect(front.url, protocol);
    const name = `forwarded-${protocol.replace('/', '-')}`;
    await create(client, name);
    await put(client, name, 'a', 'b');
    expect(values(await read(connect(other.url), name))).toEqual(['a', 'b']);
    await expect(create(client, name)).rejects.toMatchObject({ name: 'ResourceInUseException' });
    client.destroy();
  },
);

test('the fault script holds for forwarded calls', async () => {
  const client = connect(front.url);
  await create(client, 'faulted');
  front.faults.set({ rules: [{ operation: 'PutRecords', dropAnswerShare: 1 }] });
  await expect(put(client, 'faulted', 'kept')).rejects.toThrow();
  front.faults.set({ rules: [{ errors: { LimitExceededException: 1 } }] });
  await expect(put(client, 'faulted', 'refused')).rejects.toMatchObject({
    name: 'LimitExceededException',
  });
  front.faults.clear();
  expect(values(await read(client, 'faulted'))).toEqual(['kept']);
  client.destroy();
});

test('a call breaks when the other Kinesis is gone', async () => {
  const gone = await startKinesisServer();
  const lonely = await startKinesisServer({ forwardTo: gone.port });
  await gone.close();
  const client = connect(lonely.url);
  await expect(
    client.send(new DescribeStreamSummaryCommand({ StreamName: 'x' })),
  ).rejects.toMatchObject({ code: 'ECONNRESET' });
  client.destroy();
  await lonely.close();
});
