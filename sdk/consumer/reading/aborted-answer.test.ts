import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { connect } from '../../../test/support/kinesis-client.ts';
import { frames } from './reader.ts';

test('a reader that stops in the middle of an answer does not take the shard for ended', async () => {
  const begun = Promise.withResolvers<void>();
  let calls = 0;
  const server = createServer((request, response) => {
    const target = String(request.headers['x-amz-target']);
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    if (target.endsWith('ListShards')) {
      const Shards = [{ ShardId: 'shardId-0', SequenceNumberRange: { EndingSequenceNumber: '9' } }];
      response.end(JSON.stringify({ Shards }));
    } else if (target.endsWith('GetShardIterator')) {
      response.end(JSON.stringify({ ShardIterator: 'first' }));
    }
    // Of GetRecords the head of the answer alone: the SDK reads a body that is cut off here as an empty answer.
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'h2c');
  // Tells when the client has the head of the third answer, the one of GetRecords.
  const { requestHandler } = client.config;
  const handle = requestHandler.handle.bind(requestHandler);
  requestHandler.handle = async (...input) => {
    const answer = await handle(...input);
    calls += 1;
    if (calls === 3) begun.resolve();
    return answer;
  };
  const stop = new AbortController();
  const saved: string[] = [];
  const checkpoints = {
    load: async () => undefined,
    save: async (_shardId: string, position: string) => void saved.push(position),
  };
  const reading = frames({ client, streamName: 'cut', signal: stop.signal, checkpoints }).next();
  await begun.promise;
  stop.abort();
  expect((await reading).done).toBe(true);
  expect(saved).toEqual([]);
  client.destroy();
  server.close();
});
