import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { answerUrlValidation, signWebhook } from '../../shared/zoom/webhook-signature.ts';
import {
  type FrontDoor,
  startFrontDoor,
  TOKEN,
  TOKEN_B,
  zoomSecret,
} from '../../test/support/front-door.ts';

let door: FrontDoor;
beforeAll(async () => {
  door = await startFrontDoor();
});
afterAll(() => door.close());

let streams = 0;
const newStream = () => `stream-${++streams}`;

const started = (rtmsStreamId: string, payload: object = {}, eventTsMs = 1_626_230_691_572) => ({
  event: 'meeting.rtms_started',
  event_ts: eventTsMs,
  payload: {
    meeting_uuid: '/abc/+==',
    rtms_stream_id: rtmsStreamId,
    server_urls: 'wss://rtms.zoom.us:443',
    ...payload,
  },
});
const stopped = (rtmsStreamId: string, eventTsMs: number) => ({
  event: 'meeting.rtms_stopped',
  event_ts: eventTsMs,
  payload: { rtms_stream_id: rtmsStreamId, stop_reason: 6 },
});

async function jobsOf(rtmsStreamId: string): Promise<number> {
  return (await door.jobs()).filter((id) => id === rtmsStreamId).length;
}

describe('a genuine delivery', () => {
  test('writes the row, notifies the runners and is answered 200', async () => {
    const id = newStream();
    const payload = { account_id: 'AAAAAABBBB', operator_id: 'op' };
    const before = Date.now();
    expect(await door.post(started(id, payload))).toEqual({ status: 200, text: '' });
    expect(await door.row(id)).toEqual({
      pk: `SESSION#${id}`,
      rtmsStreamId: id,
      startEventTsMs: 1_626_230_691_572,
      serverUrls: ['wss://rtms.zoom.us:443'],
      product: 'meeting',
      entityId: '/abc/+==',
      app: 'default',
      accountId: 'AAAAAABBBB',
      operatorId: 'op',
      requestedAtMs: expect.toSatisfy((ms: number) => ms >= before && ms <= Date.now()),
      startDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      owner: 'UNOWNED',
      ttl: expect.any(Number),
    });
    expect(await jobsOf(id)).toBe(1);
  });

  test.each([
    'meeting.rtms_started.json',
    'webinar.rtms_started.json',
    'session.rtms_started.json',
    'contact_center.voice_rtms_started.json',
    'phone.call_rtms_started.alias.json',
  ])('is recorded as it stands in %s', async (name) => {
    const text = readFileSync(new URL(`../../test/fixtures/zoom/${name}`, import.meta.url), 'utf8');
    const id = newStream();
    const body = text.replace('609340fb2a7946909659956c8aa9250c', id);
    expect((await door.post(body)).status).toBe(200);
    const [product = ''] = name.split('.');
    expect(await door.row(id)).toMatchObject({ product, serverUrls: ['wss://127.0.0.1:443'] });
    expect(await jobsOf(id)).toBe(1);
  });

  test.each(['私', '\u{10000}', 'José/+=='])(
    'of a stream named %s notifies under that very name',
    async (id) => {
      expect((await door.post(started(id))).status).toBe(200);
      expect(await door.row(id)).toMatchObject({ rtmsStreamId: id });
      expect(await jobsOf(id)).toBe(1);
    },
  );

  test('for a named app carries that app into the row', async () => {
    const id = newStream();
    expect((await door.post(started(id), { app: 'team-b', token: TOKEN_B })).status).toBe(200);
    expect(await door.row(id)).toMatchObject({ app: 'team-b' });
  });

  test('that starts a stopped stream too late notifies nobody', async () => {
    const id = newStream();
    expect((await door.post(stopped(id, 2_000))).status).toBe(200);
    expect((await door.post(started(id, {}, 1_000))).status).toBe(200);
    expect(await jobsOf(id)).toBe(0);
    expect((await door.post(started(id, {}, 3_000))).status).toBe(200);
    expect(await jobsOf(id)).toBe(1);
  });

  test.each([
    'rtms.concurrency_near_limit.json',
    'rtms.concurrency_limited.json',
    'rtms.start_failed.json',
  ])('about the account is accepted: %s', async (name) => {
    const text = readFileSync(new URL(`../../test/fixtures/zoom/${name}`, import.meta.url));
    expect((await door.post(text)).status).toBe(200);
  });

  test('of an unknown kind is accepted and changes nothing', async () => {
    expect((await door.post({ event: 'meeting.ended', payload: {} })).status).toBe(200);
  });

  test('is verified whatever the case of the header names', async () => {
    const { handler } = await import('./handler.ts');
    const id = newStream();
    const body = JSON.stringify(started(id));
    const timestamp = String(Math.floor(Date.now() / 1000));
    const event = apiGatewayEvent(body, {
      'Content-Type': 'application/json',
      'X-Zm-Request-Timestamp': timestamp,
      'X-ZM-SIGNATURE': signWebhook(TOKEN, timestamp, body),
    });
    const context = { getRemainingTimeInMillis: () => 5_000 } as never;
    expect(await handler(event, context)).toMatchObject({ statusCode: 200 });
    const base64 = { ...event, body: Buffer.from(body).toString('base64'), isBase64Encoded: true };
    expect(await handler(base64, context)).toMatchObject({ statusCode: 200 });
    expect(await jobsOf(id)).toBe(2);
  });
});

describe('the endpoint challenge', () => {
  const challenge = (plainToken: string) => ({
    event: 'endpoint.url_validation',
    event_ts: 1_654_503_849_680,
    payload: { plainToken },
  });

  test('is answered when signed', async () => {
    const { status, text } = await door.post(challenge('qgg8vlvZRS6UYooatFL8Aw'));
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual(answerUrlValidation(TOKEN, 'qgg8vlvZRS6UYooatFL8Aw'));
  });

  test('is answered with the secret of the app it is for', async () => {
    const { text } = await door.post(challenge('abc'), { app: 'team-b', token: TOKEN_B });
    expect(JSON.parse(text)).toEqual(answerUrlValidation(TOKEN_B, 'abc'));
  });

  test('from a stranger gets nothing', async () => {
    expect(await door.post(challenge('abc'), { headers: { 'x-zm-signature': '' } })).toEqual({
      status: 401,
      text: '',
    });
  });
});

describe('attacks', () => {
  /** Nothing may have happened, and the answer may say nothing. */
  async function expectRefused(id: string, answer: { status: number; text: string }) {
    expect(answer).toEqual({ status: 401, text: '' });
    expect(await door.row(id)).toBeUndefined();
    expect(await jobsOf(id)).toBe(0);
  }

  test('forged: signed with a guessed token', async () => {
    const id = newStream();
    await expectRefused(id, await door.post(started(id), { token: 'guess' }));
  });

  test('forged: no signature at all', async () => {
    const id = newStream();
    const headers = { 'x-zm-signature': '', 'x-zm-request-timestamp': '' };
    await expectRefused(id, await door.post(started(id), { headers }));
  });

  test('forged: the signature header sent twice, one of them right', async () => {
    const id = newStream();
    const body = JSON.stringify(started(id));
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = signWebhook(TOKEN, timestamp, body);
    const headers = { 'x-zm-signature': `v0=${'0'.repeat(64)}, ${signature}` };
    await expectRefused(id, await door.post(body, { headers }));
  });

  test('forged: a genuine signature on a changed body', async () => {
    const id = newStream();
    const sentBody = JSON.stringify(started(id, { server_urls: 'wss://other.zoom.us' }));
    await expectRefused(id, await door.post(started(id), { sentBody }));
  });

  test.each([-301, 301])('stale: genuine, signed %i s ago', async (ageSeconds) => {
    const id = newStream();
    await expectRefused(id, await door.post(started(id), { ageSeconds }));
  });

  test('replayed: a captured delivery under a fresh timestamp', async () => {
    const id = newStream();
    const body = JSON.stringify(started(id));
    const captured = String(Math.floor(Date.now() / 1000) - 600);
    const headers = { 'x-zm-signature': signWebhook(TOKEN, captured, body) };
    await expectRefused(id, await door.post(body, { headers }));
  });

  test('replayed: a captured start, within the window, after the stop', async () => {
    const id = newStream();
    await door.post(started(id, {}, 1_000));
    await door.post(stopped(id, 2_000));
    const row = await door.row(id);
    expect((await door.post(started(id, {}, 1_000))).status).toBe(200);
    expect(await door.row(id)).toEqual(row);
    expect(await jobsOf(id)).toBe(1);
  });

  test('re-serialised: the same JSON with other bytes', async () => {
    const id = newStream();
    const sentBody = JSON.stringify(started(id), undefined, 1);
    await expectRefused(id, await door.post(started(id), { sentBody }));
  });

  test('oracle: a challenge whose token is the signed text of a forgery', async () => {
    const forgery = `v0:${Math.floor(Date.now() / 1000)}:${JSON.stringify(started('x'))}`;
    const answer = await door.post({
      event: 'endpoint.url_validation',
      payload: { plainToken: forgery },
    });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain('encryptedToken');
  });

  test.each([
    'wss://evil.example',
    'wss://zoom.us.evil.example:443',
    'wss://zoom.us@evil.example',
    'ws://rtms.zoom.us',
    'https://rtms.zoom.us',
    'wss://169.254.169.254/latest/meta-data',
  ])('foreign host: a start that points to %s', async (server_urls) => {
    const id = newStream();
    const { status, text } = await door.post(started(id, { server_urls }));
    expect(status).toBe(400);
    expect(JSON.parse(text)).toEqual({
      error: 'webhook/refused-host',
      field: 'payload.server_urls',
    });
    // The start is known, so that it is told as missed; the address is not.
    expect(await door.row(id)).toMatchObject({
      startEventTsMs: expect.any(Number),
      serverUrls: [],
    });
    expect(await jobsOf(id)).toBe(1);
  });

  test('foreign host: takes nothing away from a stream that waits to be served', async () => {
    const id = newStream();
    await door.post(started(id));
    const row = await door.row(id);
    const elsewhere = { server_urls: 'wss://evil.example' };
    const later = { ...started(id, elsewhere), event_ts: 1_926_230_691_572 };
    expect((await door.post(later)).status).toBe(400);
    expect(await door.row(id)).toEqual(row);
  });

  test('foreign host: hidden among allowed ones, it is left out', async () => {
    const id = newStream();
    const server_urls = 'wss://evil.example:443,wss://rtms.zoom.us:443,srt://rtms.zoom.us:9000';
    expect((await door.post(started(id, { server_urls }))).status).toBe(200);
    expect(await door.row(id)).toMatchObject({ serverUrls: ['wss://rtms.zoom.us:443'] });
  });

  test('oversize: 256 KiB pass, one byte more does not', async () => {
    const limit = 256 * 1024;
    const padded = (sizeBytes: number) => {
      const body = JSON.stringify({ event: 'x.y', payload: { padding: '' } });
      return body.replace('""', `"${'x'.repeat(sizeBytes - body.length)}"`);
    };
    expect((await door.post(padded(limit))).status).toBe(200);
    expect((await door.post(padded(limit + 1))).status).toBe(413);
    expect((await door.post(Buffer.alloc(11 * 1024 * 1024))).status).toBe(413);
  });

  test('wrong app’s secret: signed for one app, sent to another', async () => {
    const id = newStream();
    await expectRefused(id, await door.post(started(id), { token: TOKEN_B }));
    await expectRefused(id, await door.post(started(id), { app: 'team-b' }));
  });

  test('wrong app’s secret: an app stops a stream of another', async () => {
    const id = newStream();
    await door.post(started(id, {}, 1_000));
    const row = await door.row(id);
    const { status, text } = await door.post(stopped(id, 2_000), { app: 'team-b', token: TOKEN_B });
    expect(status).toBe(400);
    expect(text).toContain('webhook/wrong-app');
    expect(await door.row(id)).toEqual(row);
  });

  test.each(['nobody', '__proto__', 'constructor', '..%2fdefault'])(
    'an app that does not exist (%s) is refused like a wrong signature',
    async (app) => {
      const id = newStream();
      await expectRefused(id, await door.post(started(id), { app }));
    },
  );
});

describe('bad requests', () => {
  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/json-patch', 415],
    ['', 415],
  ])('content type "%s" is answered %i', async (type, status) => {
    const answer = await door.post(Buffer.from('{}'), { headers: { 'content-type': type } });
    expect(answer.status).toBe(status);
  });

  test('another method or path is answered as API Gateway does', async () => {
    expect((await fetch(door.url)).status).toBe(404);
    expect((await fetch(`${door.url}/a/b`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(new URL('/other', door.url), { method: 'POST' })).status).toBe(404);
  });

  test('that a Function URL would let through are answered by the handler itself', async () => {
    const { handler } = await import('./handler.ts');
    const status = async (method: string, rawPath: string) => {
      const event = { ...apiGatewayEvent('', {}), routeKey: '$default', rawPath };
      event.requestContext = {
        ...event.requestContext,
        http: { ...event.requestContext.http, method },
      };
      const { statusCode, headers } = await handler(event, {} as never);
      return [statusCode, headers?.['allow']];
    };
    expect(await status('GET', '/webhook')).toEqual([405, 'POST']);
    expect(await status('POST', '/admin')).toEqual([404, undefined]);
    expect(await status('POST', '/webhook/team-b')).toEqual([415, undefined]);
  });

  test('an empty body is unsigned, and signed it is malformed', async () => {
    const sentBody = '';
    expect((await door.post('{}', { sentBody })).status).toBe(401);
    expect(await door.post('')).toEqual({
      status: 400,
      text: '{"error":"webhook/malformed","field":"body"}',
    });
  });

  test('a malformed event is told which field is wrong', async () => {
    const { status, text } = await door.post(started('x', { rtms_stream_id: {} }));
    expect(status).toBe(400);
    expect(JSON.parse(text)).toEqual({
      error: 'webhook/malformed',
      field: 'payload.rtms_stream_id',
    });
  });
});

describe('a rotated secret', () => {
  test('is read when a signature does not fit, and forgers cannot make the function read it again and again', async ({
    skip,
  }) => {
    if (door.aws.secrets.reads === undefined)
      skip('another emulator does not say how often it is read');
    const reads = () => door.aws.secrets.reads?.get(door.aws.secretId) ?? 0;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    try {
      await door.aws.secrets.put(door.aws.secretId, zoomSecret(['rotated', TOKEN]));
      const before = reads();
      expect((await door.post(started(newStream()), { token: 'rotated' })).status).toBe(200);
      expect((await door.post(started(newStream()), { token: TOKEN })).status).toBe(200);
      expect(reads()).toBe(before + 1);
      const forgeries = Array.from({ length: 20 }, () =>
        door.post(started('x'), { token: 'guess' }),
      );
      for (const { status } of await Promise.all(forgeries)) expect(status).toBe(401);
      expect(reads()).toBe(before + 1);
    } finally {
      vi.useRealTimers();
    }
  });
});

function apiGatewayEvent(body: string, headers: Record<string, string>) {
  return {
    version: '2.0',
    routeKey: 'POST /webhook',
    rawPath: '/webhook',
    rawQueryString: '',
    headers,
    body,
    isBase64Encoded: false,
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api.example',
      domainPrefix: 'api',
      http: {
        method: 'POST',
        path: '/webhook',
        protocol: 'HTTP/1.1',
        sourceIp: '192.0.2.1',
        userAgent: '',
      },
      requestId: 'request-1',
      routeKey: 'POST /webhook',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
  };
}
