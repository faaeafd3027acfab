import { request } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalWebhookServer, startWebhookServer } from './webhook-server.ts';

let server: LocalWebhookServer;
const events: APIGatewayProxyEventV2[] = [];
let answer: () => Promise<{ statusCode: number; body?: string; isBase64Encoded?: boolean }>;

beforeAll(async () => {
  server = await startWebhookServer({
    port: 0,
    path: '/zoom/rtms/',
    handler: (event) => {
      events.push(event);
      return answer();
    },
  });
});
afterAll(() => server.close());

async function post(path: string, headers: Record<string, string>, body: string | Buffer) {
  answer = async () => ({ statusCode: 200, body: 'ok' });
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers,
    body: body as string,
  });
  return { status: response.status, event: events.at(-1) };
}

test('the local API Gateway passes JSON as text, with the route', async () => {
  const { event } = await post('?a=1', { 'Content-Type': 'application/json' }, '{"é":1}');
  expect(event).toMatchObject({
    version: '2.0',
    routeKey: 'POST /zoom/rtms',
    rawPath: '/zoom/rtms',
    rawQueryString: 'a=1',
    headers: { 'content-type': 'application/json' },
    body: '{"é":1}',
    isBase64Encoded: false,
    requestContext: { http: { method: 'POST', sourceIp: '127.0.0.1' } },
  });
  expect(event?.pathParameters).toBeUndefined();
});

test('the local API Gateway names the app that follows the path', async () => {
  const { event } = await post('/team%20b', {}, 'x');
  expect(event).toMatchObject({
    routeKey: 'POST /zoom/rtms/{app}',
    pathParameters: { app: 'team b' },
  });
});

test('the local API Gateway passes other content types in base64', async () => {
  const bytes = Buffer.from([0, 255, 128]);
  const { event } = await post('', { 'content-type': 'application/octet-stream' }, bytes);
  expect(event).toMatchObject({ isBase64Encoded: true, body: bytes.toString('base64') });
});

test('the local API Gateway leaves an absent body out', async () => {
  const { event } = await post('', {}, '');
  expect(event).not.toHaveProperty('body');
});

test('the local API Gateway joins repeated headers with a comma and lower-cases their names', async () => {
  answer = async () => ({ statusCode: 200 });
  await new Promise<void>((resolve, reject) => {
    request(
      server.url,
      { method: 'POST', headers: { 'X-Zm-Signature': ['a', 'b'] } },
      (response) => {
        response.resume().on('end', resolve);
      },
    )
      .on('error', reject)
      .end('x');
  });
  expect(events.at(-1)?.headers).toMatchObject({ 'x-zm-signature': 'a,b' });
});

test('the local API Gateway answers 413 beyond 10 MB without calling the handler', async () => {
  const before = events.length;
  const { status } = await post('', {}, Buffer.alloc(10 * 1024 * 1024 + 1));
  expect(status).toBe(413);
  expect(events).toHaveLength(before);
});

test('the local API Gateway answers 500 when the handler throws, and goes on serving', async () => {
  answer = async () => {
    throw new Error('boom');
  };
  const response = await fetch(server.url, { method: 'POST', body: 'x' });
  expect([response.status, await response.text()]).toEqual([
    500,
    '{"message":"Internal Server Error"}',
  ]);
  expect((await post('', {}, 'x')).status).toBe(200);
});

test('the local API Gateway decodes an answer in base64', async () => {
  answer = async () => ({ statusCode: 200, body: 'b2s=', isBase64Encoded: true });
  const response = await fetch(server.url, { method: 'POST', body: 'x' });
  expect(await response.text()).toBe('ok');
});

test('the local API Gateway serves requests concurrently', async () => {
  const gate = Promise.withResolvers<void>();
  let waiting = 0;
  answer = async () => {
    waiting += 1;
    if (waiting === 3) gate.resolve();
    await gate.promise;
    return { statusCode: 200 };
  };
  const ask = () => fetch(server.url, { method: 'POST', body: 'x' });
  const answers = await Promise.all([ask(), ask(), ask()]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
});

test('startWebhookServer rejects with local/port-in-use when the port is taken', async () => {
  const port = Number(new URL(server.url).port);
  const second = startWebhookServer({ port, path: '/', handler: () => answer() });
  await expect(second).rejects.toMatchObject({ code: 'local/port-in-use', detail: { port } });
});
