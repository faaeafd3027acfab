import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { FaultProxy } from './fault-proxy.ts';

let served = 0;
let server: Server;
let proxy: FaultProxy;
beforeAll(async () => {
  server = createServer((request, response) => {
    served += 1;
    request.pipe(response);
  });
  proxy = await FaultProxy.start(0, await listen(server, 0));
});
afterEach(() => {
  proxy.mode = 'pass';
});
afterAll(async () => {
  await proxy.close();
  await closeServer(server);
});

const ask = async (body: string, signal?: AbortSignal) => {
  const response = await fetch(proxy.url, { method: 'POST', body, ...(signal && { signal }) });
  return await response.text();
};

test('the fault proxy passes large bodies both ways unchanged', async () => {
  const body = 'x'.repeat(5_000_000);
  expect(await ask(body)).toBe(body);
});

test('mode refuse lets nothing reach the server', async () => {
  const before = served;
  proxy.mode = 'refuse';
  await expect(ask('a')).rejects.toThrow('fetch failed');
  expect(served).toBe(before);
  proxy.mode = 'pass';
  expect(await ask('a')).toBe('a');
});

test('mode stall lets no byte pass until the mode changes', async () => {
  proxy.mode = 'stall';
  await expect(ask('a', AbortSignal.timeout(50))).rejects.toThrow('timeout');
  const waiting = ask('b');
  proxy.mode = 'pass';
  expect(await waiting).toBe('b');
});

test('mode swallow lets the server work and loses the answer', async () => {
  const before = served;
  proxy.mode = 'swallow';
  await expect(ask('a')).rejects.toThrow('fetch failed');
  expect(served).toBe(before + 1);
});

test('cut resets the open connections', async () => {
  proxy.mode = 'stall';
  const waiting = ask('a');
  waiting.catch(() => undefined);
  await expect(ask('b', AbortSignal.timeout(50))).rejects.toThrow('timeout');
  proxy.cut();
  await expect(waiting).rejects.toThrow('fetch failed');
});

test('FaultProxy.start rejects with local/port-in-use when the port is taken', async () => {
  await expect(FaultProxy.start(proxy.port, 1)).rejects.toMatchObject({
    code: 'local/port-in-use',
    message: `[local/port-in-use] port ${proxy.port} is in use`,
  });
});
