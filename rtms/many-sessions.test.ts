import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { accept, startScriptedZoom } from '../test/support/rtms/scripted-zoom.ts';
import { EventLog, QUICK } from '../test/support/rtms/simulated-client.ts';
import { RtmsClient } from './client.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function join(url: string, number: number) {
  const client = new RtmsClient(QUICK);
  const log = new EventLog(client);
  client.join({
    product: 'meeting',
    entityId: `entity ${number}`,
    rtmsStreamId: `stream ${number}`,
    clientId: 'id',
    clientSecret: 'secret',
    serverUrls: [`${url}/signaling`],
  });
  return { client, log };
}

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test('500 sessions one after another leave nothing behind', async () => {
  await using zoom = await startScriptedZoom(accept(['audio']));
  const round = async (count: number) => {
    for (let number = 0; number < count; number++) {
      const { client, log } = join(zoom.url, number);
      await log.next('joined');
      await client.leave();
    }
    zoom.received.length = 0;
  };
  await round(100);
  const before = heapBytes();
  await round(400);
  expect(heapBytes() - before).toBeLessThan(3_000_000);
  expect([...zoom.sockets('signaling'), ...zoom.sockets('audio')]).toEqual([]);
});

test('200 sessions at once keep their frames apart', async () => {
  await using zoom = await startScriptedZoom(accept(['audio']));
  const sessions = Array.from({ length: 200 }, (_, number) => join(zoom.url, number));
  await Promise.all(sessions.map(({ log }) => log.next('joined')));
  for (const [number, socket] of zoom.sockets('audio').entries()) {
    const content = { user_id: number, data: 'AAAA', timestamp: 1 };
    socket.send(JSON.stringify({ msg_type: 14, content }));
  }
  await Promise.all(sessions.map(({ log }) => log.next('frame')));
  const users = sessions.map(({ log }) => log.of('frame').map((frame) => frame.userId));
  expect(new Set(users.flat()).size).toBe(200);
  expect(users.every((own) => own.length === 1)).toBe(true);
  await Promise.all(sessions.map(({ client }) => client.leave()));
});
