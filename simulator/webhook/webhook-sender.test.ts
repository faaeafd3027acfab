import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { waitUntil } from '../../test/support/wait.ts';
import { type ManualClock, manualClock } from '../clock.ts';
import { WebhookSender } from './webhook-sender.ts';

const SECRET = 'exampleWebhookSecretToken';
const MINUTE = 60_000;
const event = { event: 'meeting.rtms_started', event_ts: 1_626_230_691_572, payload: {} };

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** An endpoint that answers with the given statuses, then 200; `undefined`: no answer at all. */
async function endpoint(statuses: (number | undefined)[] = [], answer = '') {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      const status = statuses.length > 0 ? statuses.shift() : 200;
      if (status !== undefined) response.writeHead(status).end(answer || undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`, received };
}

/** Only an endpoint that never answers is to be waited for so short: a busy machine answers later. */
const SHORT_MS = 100;

function sender(
  urls: string[],
  clock: ManualClock = manualClock(Date.now()),
  answerTimeoutMs = 30_000,
) {
  const made = new WebhookSender({
    urls,
    secretToken: SECRET,
    clientId: 'abc',
    clock,
    answerTimeoutMs,
  });
  cleanUps.push(() => made.close());
  return made;
}

test('signs the raw body as Zoom does', async () => {
  const { url, received } = await endpoint();
  const webhooks = sender([url]);
  webhooks.send(event);
  await waitUntil(() => webhooks.deliveries[0]?.delivered);
  const [{ headers, body } = { headers: {}, body: '' }] = received;
  const timestamp = String(headers['x-zm-request-timestamp']);
  const digest = createHmac('sha256', SECRET).update(`v0:${timestamp}:${body}`).digest('hex');
  expect(headers['x-zm-signature']).toBe(`v0=${digest}`);
  expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(5);
  expect(JSON.parse(body)).toEqual(event);
  const observed = JSON.parse(
    readFileSync(
      new URL('../../test/fixtures/zoom/delivery-headers.example.json', import.meta.url),
      'utf8',
    ),
  );
  expect(headers).toMatchObject({
    'content-type': observed['content-type'],
    'user-agent': observed['user-agent'],
  });
});

test.each([
  ['a server error', 503],
  ['no answer within the time', undefined],
])('tries again after 5, 20 and 60 minutes on %s, then stops trying', async (_name, status) => {
  const { url, received } = await endpoint([status, status, status, status]);
  const clock = manualClock(0);
  const webhooks = sender([url], clock, status === undefined ? SHORT_MS : undefined);
  webhooks.send(event);
  for (const [attempt, waitMs] of [5 * MINUTE, 20 * MINUTE, 60 * MINUTE].entries()) {
    await waitUntil(() => webhooks.deliveries[0]?.attempts.length === attempt + 1);
    clock.advance(waitMs - 1);
    expect(received).toHaveLength(attempt + 1);
    clock.advance(1);
  }
  await waitUntil(() => webhooks.deliveries[0]?.attempts.length === 4);
  clock.advance(1000 * MINUTE);
  expect(webhooks.deliveries[0]).toMatchObject({ delivered: false });
  expect(received).toHaveLength(4);
  expect(new Set(received.map(({ body }) => body)).size).toBe(1);
});

test('tries again when the endpoint does not listen', async () => {
  const clock = manualClock(0);
  const webhooks = sender(['http://127.0.0.1:9/'], clock);
  webhooks.send(event);
  await waitUntil(() => webhooks.deliveries[0]?.attempts.length === 1);
  clock.advance(5 * MINUTE);
  await waitUntil(() => webhooks.deliveries[0]?.attempts.length === 2);
  expect(webhooks.deliveries[0]?.attempts[1]).toEqual({ status: 0, atMs: 5 * MINUTE });
});

test.each([302, 400, 401, 413])(
  'does not repeat a webhook that was answered with %i',
  async (status) => {
    const { url, received } = await endpoint([status]);
    const clock = manualClock(0);
    const webhooks = sender([url], clock);
    webhooks.send(event);
    await waitUntil(() => webhooks.deliveries[0]?.attempts.length === 1);
    clock.advance(100 * MINUTE);
    expect(received).toHaveLength(1);
    expect(webhooks.deliveries[0]?.delivered).toBe(false);
  },
);

test('holds events back and releases them in reverse', async () => {
  const { url, received } = await endpoint();
  const webhooks = sender([url]);
  webhooks.hold();
  webhooks.send({ ...event, event: 'first' });
  webhooks.send({ ...event, event: 'second' });
  webhooks.release(true);
  await waitUntil(() => webhooks.deliveries.every(({ delivered }) => delivered));
  expect(received.map(({ body }) => JSON.parse(body).event)).toEqual(['second', 'first']);
});

test('replays the last matching event with the same body', async () => {
  const { url, received } = await endpoint();
  const webhooks = sender([url]);
  webhooks.send(event);
  webhooks.replay(({ event: name }) => name.endsWith('_started'));
  webhooks.replay(({ event: name }) => name.endsWith('_stopped'));
  await waitUntil(() => webhooks.deliveries.every(({ delivered }) => delivered));
  expect(received.map(({ body }) => JSON.parse(body))).toEqual([event, event]);
});

test('posts to every endpoint', async () => {
  const endpoints = [await endpoint(), await endpoint()];
  sender(endpoints.map(({ url }) => url)).send(event);
  await waitUntil(() => endpoints.every(({ received }) => received.length === 1));
});

test('accepts an endpoint that proves it knows the secret, and no other', async () => {
  const honest = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { plainToken } = JSON.parse(body).payload;
      const encryptedToken = createHmac('sha256', SECRET).update(plainToken).digest('hex');
      response.end(JSON.stringify({ plainToken, encryptedToken }));
    });
  });
  await new Promise<void>((resolve) => honest.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => honest.close());
  const { port } = honest.address() as AddressInfo;
  const liar = await endpoint([], '{"plainToken":"x","encryptedToken":"y"}');
  const noise = await endpoint([], 'hello');
  const refuser = await endpoint([401]);
  const webhooks = sender([]);
  expect(await webhooks.validateUrl(`http://127.0.0.1:${port}/`)).toBe(true);
  for (const { url } of [liar, noise, refuser]) expect(await webhooks.validateUrl(url)).toBe(false);
});
