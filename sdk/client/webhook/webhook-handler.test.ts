import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import fastify from 'fastify';
import { beforeEach, expect, test, vi } from 'vitest';
import { signWebhook } from '../../../shared/zoom/webhook-signature.ts';
import { simulateStream } from '../../../test/support/sdk/simulated-stream.ts';
import { waitFor } from '../../../test/support/wait.ts';
import { configureLogger, createWebhookHandler, type WebhookHandler } from '../index.ts';

const SECRET = 'exampleWebhookSecretToken';
const STOPPED = { event: 'meeting.rtms_stopped', event_ts: 1, payload: { stop_reason: 6 } };

beforeEach(() => configureLogger({ enabled: false }));

/** Serves one request after the other on loopback; `before` stands for a body parser. */
async function serve(
  handler: WebhookHandler,
  before: (request: IncomingMessage) => Promise<object> = async () => ({}),
) {
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    await handler(Object.assign(request, await before(request)), response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function signed(body: string, secret = SECRET, ageSeconds = 0): RequestInit {
  const timestamp = String(Math.floor(Date.now() / 1000) - ageSeconds);
  return {
    method: 'POST',
    body,
    headers: {
      connection: 'close',
      'content-type': 'application/json',
      'x-zm-request-timestamp': timestamp,
      'x-zm-signature': signWebhook(secret, timestamp, body),
    },
  };
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
}

const options = { webhookSecret: SECRET };

test('the webhook handler answers 200 and then calls back with the event', async () => {
  const callback = vi.fn();
  await using server = await serve(createWebhookHandler(callback, '/zoom', options));
  const response = await fetch(`${server.url}/zoom?x=1`, signed(JSON.stringify(STOPPED)));
  expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  await waitFor(() => expect(callback).toHaveBeenCalledWith(STOPPED));
});

test('a webhook callback with three parameters answers itself', async () => {
  await using server = await serve(
    createWebhookHandler(
      (event, request, response) => {
        response.writeHead(202).end(`${event['event']} ${request.headers['content-type']}`);
      },
      '/',
      options,
    ),
  );
  const response = await fetch(server.url, signed(JSON.stringify(STOPPED)));
  expect([response.status, await response.text()]).toEqual([
    202,
    'meeting.rtms_stopped application/json',
  ]);
});

test('a webhook callback with three parameters that throws or rejects gives 500', async () => {
  const handler = createWebhookHandler(
    async (_event, _request, _response) => {
      throw new Error('mine');
    },
    '/',
    options,
  );
  await using server = await serve(handler);
  expect((await fetch(server.url, signed(JSON.stringify(STOPPED)))).status).toBe(500);
});

test.for<[string, number, string, RequestInit]>([
  ['another path', 404, '/other', signed(JSON.stringify(STOPPED))],
  ['another method', 404, '/', { method: 'GET', headers: { connection: 'close' } }],
  ['no signature', 401, '/', { ...signed('{}'), headers: { connection: 'close' } }],
  ['a wrong secret', 401, '/', signed(JSON.stringify(STOPPED), 'other')],
  ['an old timestamp', 401, '/', signed(JSON.stringify(STOPPED), SECRET, 400)],
  ['what is not JSON', 400, '/', signed('{')],
  ['no event', 400, '/', signed('{"payload": {}}')],
  ['an event that is no string', 400, '/', signed('{"event": 1}')],
  ['null', 400, '/', signed('null')],
  ['a list', 400, '/', signed('[{"event":"e","payload":{}}]')],
  ['a payload that is null', 400, '/', signed('{"event":"e","payload":null}')],
  ['a payload that is a list', 400, '/', signed('{"event":"e","payload":[]}')],
  ['a payload that is text', 400, '/', signed('{"event":"e","payload":"p"}')],
  ['a payload that is a number', 400, '/', signed('{"event":"e","payload":1}')],
  ['a huge body', 413, '/', signed(JSON.stringify({ event: 'x'.repeat(300_000) }))],
])('the webhook handler refuses %s with %i', async ([, status, path, request]) => {
  const callback = vi.fn();
  await using server = await serve(createWebhookHandler(callback, '/', options));
  const response = await fetch(`${server.url}${path}`, request);
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ error: expect.any(String) });
  expect(callback).not.toHaveBeenCalled();
});

test('every refused signature gets the same answer, so that a forger learns nothing', async () => {
  await using server = await serve(createWebhookHandler(vi.fn(), '/', options));
  const body = JSON.stringify(STOPPED);
  const bare = { connection: 'close' };
  const timestamp = String(Math.floor(Date.now() / 1000));
  const forged = [
    signed(body, 'other'),
    signed(body, SECRET, 400),
    signed('{', 'other'),
    signed('{"event":"e","payload":null}', SECRET, 400),
    { method: 'POST', body, headers: bare },
    { method: 'POST', body, headers: { ...bare, 'x-zm-signature': 'v0=0' } },
    { method: 'POST', body, headers: { ...bare, 'x-zm-request-timestamp': timestamp } },
    { method: 'POST', body: 'not JSON', headers: bare },
  ];
  const answers = await Promise.all(
    forged.map(async (request) => {
      const response = await fetch(server.url, request);
      const headers = [...response.headers].filter(([name]) => name !== 'date');
      return JSON.stringify([response.status, headers, await response.text()]);
    }),
  );
  expect(new Set(answers).size).toBe(1);
  expect(JSON.parse(answers[0] ?? '')).toMatchObject([401, {}, '{"error":"Unauthorized"}']);
});

test.for([
  ['Zooms key order', '{"event":"meeting.rtms_stopped","event_ts":1,"payload":{"b":1,"a":2}}'],
  ['long ids', '{"event":"phone.rtms_started","payload":{"call_id":7481203947561029384}}'],
  ['escapes', '{"event":"e","payload":{"server_urls":"wss:\\/\\/a.zoom.us","n":"J\\u00f6rg"}}'],
  ['no payload at all', '{"event_ts":1,"event":"app_deauthorized"}'],
])(
  'an event with %s reaches the callback so that JSON.stringify writes what Zoom signed',
  async ([, body]) => {
    const seen = Promise.withResolvers<string>();
    const handler = createWebhookHandler(
      (payload, request, response) => {
        const timestamp = String(request.headers['x-zm-request-timestamp']);
        const genuine = signWebhook(SECRET, timestamp, JSON.stringify(payload));
        response.writeHead(genuine === request.headers['x-zm-signature'] ? 200 : 401).end();
        seen.resolve(JSON.stringify(payload));
      },
      '/',
      options,
    );
    await using server = await serve(handler);
    expect((await fetch(server.url, signed(body as string))).status).toBe(200);
    expect(await seen.promise).toBe(body);
  },
);

test('a webhook body that never ends is refused', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    await using server = await serve(createWebhookHandler(vi.fn(), '/', options));
    const { promise: answered, resolve } = Promise.withResolvers<number | undefined>();
    const slow = request(server.url, { method: 'POST', agent: false }, (response) => {
      resolve(response.statusCode);
      slow.destroy();
    });
    slow.on('error', () => {}).write('{');
    let status: number | undefined;
    void answered.then((value) => {
      status = value;
    });
    // Time begins when the request has come, and passes as fast as the sockets are read.
    while (status === undefined) {
      vi.advanceTimersByTime(500);
      await setImmediate();
    }
    expect(status).toBe(408);
  } finally {
    vi.useRealTimers();
  }
});

test('a delivery may be signed with either of two secrets', async () => {
  const callback = vi.fn();
  const webhookSecret = `next, ${SECRET}`;
  await using server = await serve(createWebhookHandler(callback, undefined, { webhookSecret }));
  for (const secret of ['next', SECRET]) {
    const request = signed(JSON.stringify(STOPPED), secret);
    expect((await fetch(`${server.url}/any`, request)).status).toBe(200);
  }
});

test("Zoom's URL validation is answered only with a secret", async () => {
  await using stream = await simulateStream();
  const callback = vi.fn();
  await using server = await serve(createWebhookHandler(callback, '/', options));
  expect(await stream.simulator.validateUrl(server.url)).toBe(true);
  await using other = await serve(createWebhookHandler(callback, '/', { webhookSecret: 'other' }));
  expect(await stream.simulator.validateUrl(other.url)).toBe(false);
  expect(callback).not.toHaveBeenCalled();
});

test('a challenge that reads like a delivery is not signed', async () => {
  await using server = await serve(createWebhookHandler(vi.fn(), '/', options));
  const event = 'endpoint.url_validation';
  for (const payload of [{ plainToken: 'v0:1:{}' }, {}]) {
    const response = await fetch(server.url, signed(JSON.stringify({ event, payload })));
    expect(response.status).toBe(400);
  }
});

test('unsigned deliveries are taken while no secret is configured', async () => {
  const callback = vi.fn();
  await using server = await serve(createWebhookHandler(callback, '/'));
  const body = '{"event":"phone.rtms_started","payload":{"call_id":7481203947561029384}}';
  const response = await fetch(server.url, { method: 'POST', body });
  expect(response.status).toBe(200);
  await waitFor(() => expect(callback).toHaveBeenCalled());
  expect(callback.mock.calls[0]?.[0].payload.call_id).toBe(Number('7481203947561029384'));
});

test.for<[string, (bytes: Buffer) => object]>([
  [
    'the raw bytes beside the parsed body',
    (rawBody) => ({ rawBody, body: JSON.parse(`${rawBody}`) }),
  ],
  ['a raw body', (body) => ({ body })],
  ['a text body', (bytes) => ({ body: `${bytes}` })],
])('a signature is verified behind a parser that left %s', async ([, leave]) => {
  const callback = vi.fn();
  const handler = createWebhookHandler(callback, '/', options);
  await using server = await serve(handler, async (request) => leave(await bytesOf(request)));
  const spaced = JSON.stringify(STOPPED, undefined, 2);
  expect((await fetch(server.url, signed(spaced))).status).toBe(200);
});

test('a body that is only there parsed is verified when JSON.stringify writes it as received', async () => {
  const callback = vi.fn();
  const handler = createWebhookHandler(callback, '/', options);
  await using server = await serve(handler, async (request) => ({
    body: JSON.parse(`${await bytesOf(request)}`),
  }));
  expect((await fetch(server.url, signed(JSON.stringify(STOPPED)))).status).toBe(200);
  const spaced = JSON.stringify(STOPPED, undefined, 2);
  expect((await fetch(server.url, signed(spaced))).status).toBe(401);
});

test.for<[string, number, string, string, string | undefined]>([
  ['the whole path', 200, '/zoom/webhook', '/', '/zoom/webhook?a=b'],
  ['what the router left of it', 200, '/webhook', '/webhook?a=b', '/zoom/webhook?a=b'],
  ['the root of what the router left', 200, '/', '/', '/zoom'],
  ['a trailing slash', 200, '/zoom', '/zoom/', undefined],
  ['another path of the same router', 404, '/webhook', '/other', '/zoom/other'],
  ['a path that only ends alike', 404, '/webhook', '/zoom/webhook', undefined],
])(
  'behind an Express router, a webhook on %s is answered with %i',
  async ([, status, path, url, originalUrl]) => {
    const handler = createWebhookHandler(vi.fn(), path, options);
    await using server = await serve(handler, async () => ({ url, originalUrl }));
    expect((await fetch(server.url, signed(JSON.stringify(STOPPED)))).status).toBe(status);
  },
);

test.for([
  ['/zoom/webhook', 200],
  ['/webhook', 200],
  ['/other', 404],
] as const)(
  'in a Fastify plugin with prefix /zoom, a webhook on %s is answered with %i',
  async ([path, status]) => {
    const app = fastify();
    app.register(
      (plugin, _options, done) => {
        plugin.post('/webhook', createWebhookHandler(vi.fn(), path, options));
        done();
      },
      { prefix: '/zoom' },
    );
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    expect((await fetch(`${url}/zoom/webhook`, signed(JSON.stringify(STOPPED)))).status).toBe(
      status,
    );
    await app.close();
  },
);

test('a body that was read and not kept gives 400', async () => {
  const handler = createWebhookHandler(vi.fn(), '/', options);
  await using server = await serve(handler, async (request) => {
    await bytesOf(request);
    return {};
  });
  expect((await fetch(server.url, signed(JSON.stringify(STOPPED)))).status).toBe(400);
});

test('the webhook handler mounts in Fastify', async () => {
  const callback = vi.fn();
  const app = fastify();
  app.post('/zoom', createWebhookHandler(callback, '/zoom', options));
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const response = await fetch(`${url}/zoom`, signed(JSON.stringify(STOPPED)));
  expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  await waitFor(() => expect(callback).toHaveBeenCalledWith(STOPPED));
  await app.close();
});

test('a second start goes to the live client as a fail-over and not to the program', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onReconnected = vi.fn();
  client.onReconnected(onReconnected);
  await stream.join(client);
  const callback = vi.fn();
  await using server = await serve(createWebhookHandler(callback, '/', options));
  const post = (event: string, eventTs = 1) =>
    fetch(
      server.url,
      signed(JSON.stringify({ event, event_ts: eventTs, payload: stream.payload() })),
    );
  await post('meeting.rtms_started');
  stream.act({ do: 'failover', oldSockets: 'keep' });
  stream.clock.advance(1);
  expect(onReconnected).not.toHaveBeenCalled();
  expect((await post('meeting.rtms_started')).status).toBe(200);
  await waitFor(() => expect(onReconnected).toHaveBeenCalledTimes(1));
  expect(callback).not.toHaveBeenCalled();
  await post('meeting.rtms_interrupted');
  await waitFor(() => expect(callback).toHaveBeenCalledTimes(1));
  await post('meeting.rtms_interrupted', Date.now() + 60_000);
  await waitFor(() => expect(onReconnected).toHaveBeenCalledTimes(2));
});
