import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { selfSigned } from '../../../test/support/rtms/self-signed.ts';
import { configureLogger, onWebhookEvent } from '../index.ts';

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

test('serves HTTP on the port and path it is given', async () => {
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

test('serves HTTPS with a certificate and a key', async () => {
  const server = onWebhookEvent(vi.fn(), { port: 0, cert, key });
  const { port } = await server.ready;
  expect(await postSecure(port, {})).toBe(200);
  await server.close();
});

test('asks clients for a certificate when it has a CA for them', async () => {
  const server = onWebhookEvent(vi.fn(), { port: 0, cert, key, ca: cert });
  const { port } = await server.ready;
  expect(await postSecure(port, {})).toBe(0);
  const own = { cert: readFileSync(cert), key: readFileSync(key) };
  expect(await postSecure(port, own)).toBe(200);
  await server.close();
});

test('refuses half a certificate, a missing file and a port that is none', () => {
  expect(() => onWebhookEvent(vi.fn(), { cert })).toThrow('Both certificate and key');
  expect(() => onWebhookEvent(vi.fn(), { cert, key: '/nowhere' })).toThrow('cannot be read');
  expect(() => onWebhookEvent(vi.fn(), { port: 70_000 })).toThrow('not a port number');
});

test('says when it cannot have the port', async () => {
  const first = onWebhookEvent(vi.fn(), { port: 0 });
  const { port } = await first.ready;
  await expect(onWebhookEvent(vi.fn(), { port }).ready).rejects.toThrow('EADDRINUSE');
  await first.close();
});
