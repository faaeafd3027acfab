import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { selfSigned } from '../../../test/support/rtms/self-signed.ts';
import { configureLogger, onWebhookEvent } from '../index.ts';
import { createListener, LISTENER_TIMEOUTS } from './webhook-server.ts';

const EVENT = JSON.stringify({ event: 'meeting.rtms_stopped', payload: {} });
const directory = mkdtempSync(join(tmpdir(), 'sdk-webhook-'));
const cert = join(directory, 'cert.pem');
const key = join(directory, 'key.pem');

beforeAll(() => {
  const pem = selfSigned();
  writeFileSync(cert, pem.cert);
  writeFileSync(key, pem.key);
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(() => configureLogger({ enabled: false }));

/** @returns the status, 0 when there was no answer */
function postSecure(port: number, client: { cert?: Buffer; key?: Buffer }): Promise<number> {
  return new Promise((resolve) => {
    request(
      {
        host: '127.0.0.1',
        servername: 'localhost',
        port,
        method: 'POST',
        ca: readFileSync(cert),
        agent: false,
        ...client,
      },
      (response) => resolve(response.resume().statusCode ?? 0),
    )
      .on('error', () => resolve(0))
      .end(EVENT);
  });
}

test('the webhook server serves HTTP on its port and path', async () => {
  const callback = vi.fn();
  const server = onWebhookEvent(callback, { port: 0, path: '/hook' });
  const { port } = await server.ready;
  const headers = { connection: 'close' };
  const post = { method: 'POST', body: EVENT, headers };
  expect((await fetch(`http://127.0.0.1:${port}/hook`, post)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${port}/`, post)).status).toBe(404);
  await server.close();
  expect(callback).toHaveBeenCalledOnce();
});

test('the webhook server serves HTTPS with a certificate and a key', async () => {
  const server = onWebhookEvent(vi.fn(), { port: 0, cert, key });
  const { port } = await server.ready;
  expect(await postSecure(port, {})).toBe(200);
  await server.close();
});

test('the webhook server asks clients for a certificate when it has a CA', async () => {
  const server = onWebhookEvent(vi.fn(), { port: 0, cert, key, ca: cert });
  const { port } = await server.ready;
  expect(await postSecure(port, {})).toBe(0);
  const own = { cert: readFileSync(cert), key: readFileSync(key) };
  expect(await postSecure(port, own)).toBe(200);
  await server.close();
});

test('onWebhookEvent refuses a certificate without a key, a missing file and a bad port', () => {
  expect(() => onWebhookEvent(vi.fn(), { cert })).toThrow('Both certificate and key');
  expect(() => onWebhookEvent(vi.fn(), { cert, key: '/nowhere' })).toThrow('cannot be read');
  expect(() => onWebhookEvent(vi.fn(), { port: 70_000 })).toThrow('not a port number');
});

test('ready rejects when the port is taken', async () => {
  const first = onWebhookEvent(vi.fn(), { port: 0 });
  const { port } = await first.ready;
  await expect(onWebhookEvent(vi.fn(), { port }).ready).rejects.toThrow('EADDRINUSE');
  await first.close();
});

const HEAD = 'POST / HTTP/1.1\r\nhost: x\r\n';

/** Sends these bytes, then one more every so often. @returns how long the server let that go on, ms */
function heldMs(port: number, bytes: string, next: string): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let trickle: NodeJS.Timeout | undefined;
    const socket: Socket = connect(port, '127.0.0.1', () => {
      socket.write(bytes);
      // Not before: a byte in front of the request would make it one that is refused at once.
      trickle = setInterval(() => socket.write(next), 20);
    });
    socket.on('error', () => {});
    socket.resume().on('close', () => {
      clearInterval(trickle);
      resolve(performance.now() - startedAt);
    });
  });
}

test('the webhook time-outs end an incomplete request within 10 s', () => {
  const { headersTimeout, requestTimeout, connectionsCheckingInterval } = LISTENER_TIMEOUTS;
  expect(headersTimeout).toBeLessThanOrEqual(requestTimeout);
  expect(requestTimeout + connectionsCheckingInterval).toBeLessThanOrEqual(10_000);
});

test('the webhook server ends slow headers, slow bodies and silence, however regularly a byte comes', async () => {
  const short = { headersTimeout: 200, requestTimeout: 300, connectionsCheckingInterval: 50 };
  // Reads every body: what ends the connection is the time, not the handler.
  const server = createListener(
    (request, response) => {
      request.resume().on('end', () => response.end());
    },
    undefined,
    short,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const held = await Promise.all([
    heldMs(port, HEAD, 'x'),
    heldMs(port, HEAD, 'x: y\r\n'),
    heldMs(port, `${HEAD}content-length: 100000\r\n\r\n`, 'x'),
    heldMs(port, `${HEAD}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n'),
    heldMs(port, '', ''),
  ]);
  for (const ms of held) expect(ms).toBeGreaterThan(150);
  // The margin is for a busy machine; without all three time-outs it would be a minute.
  for (const ms of held) expect(ms).toBeLessThan(5_000);
  await new Promise((resolve) => server.close(resolve));
});
