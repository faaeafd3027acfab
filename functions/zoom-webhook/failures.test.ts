import { fc } from '@fast-check/vitest';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FaultMode } from '../../local/aws/fault-proxy.ts';
import { type FrontDoor, startFrontDoor, TOKEN, TOKEN_B } from '../../test/support/front-door.ts';

/** Zoom waits this long for an answer. */
const ZOOM_TIMEOUT_MS = 3_000;

const lines: string[] = [];
let door: FrontDoor;
beforeAll(async () => {
  // In this mode Powertools writes through the global console.
  process.env['POWERTOOLS_DEV'] = 'true';
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...parts) => void lines.push(parts.join(' ')));
  }
  door = await startFrontDoor({ LOG_LEVEL: 'DEBUG', POWERTOOLS_METRICS_DISABLED: 'false' });
});
afterEach(() => {
  for (const proxy of Object.values(door.aws.faults)) proxy.mode = 'pass';
  lines.length = 0;
});
afterAll(() => door.close());

const started = (rtmsStreamId: string) => ({
  event: 'meeting.rtms_started',
  event_ts: 1_626_230_691_572,
  payload: { meeting_uuid: 'm==', rtms_stream_id: rtmsStreamId, server_urls: 'wss://a.zoom.us' },
});

async function answeredInTime(rtmsStreamId: string): Promise<number> {
  const askedAt = performance.now();
  const { status } = await door.post(started(rtmsStreamId));
  expect(performance.now() - askedAt).toBeLessThan(ZOOM_TIMEOUT_MS);
  return status;
}

async function jobsOf(id: string): Promise<number> {
  return (await door.jobs()).filter((job) => job === id).length;
}

describe('slow or missing AWS', () => {
  test.each<FaultMode>(['refuse', 'stall', 'swallow'])(
    'DynamoDB in mode %s: Zoom is told to come again, and its repeat heals it',
    async (mode) => {
      const id = `dynamodb-${mode}`;
      door.aws.faults.dynamodb.mode = mode;
      expect(await answeredInTime(id)).toBe(503);
      door.aws.faults.dynamodb.mode = 'pass';
      expect(await jobsOf(id)).toBe(0);
      expect(await answeredInTime(id)).toBe(200);
      expect(await door.row(id)).toMatchObject({ owner: 'UNOWNED' });
      expect(await jobsOf(id)).toBe(1);
    },
  );

  test.each<FaultMode>(['refuse', 'stall', 'swallow'])(
    'SQS in mode %s: the row is there, Zoom is told to come again, and its repeat heals it',
    async (mode) => {
      const id = `sqs-${mode}`;
      door.aws.faults.sqs.mode = mode;
      expect(await answeredInTime(id)).toBe(503);
      door.aws.faults.sqs.mode = 'pass';
      const row = await door.row(id);
      expect(row).toMatchObject({ owner: 'UNOWNED' });
      expect(await answeredInTime(id)).toBe(200);
      expect(await door.row(id)).toEqual(row);
      expect(await jobsOf(id)).toBeGreaterThanOrEqual(1);
    },
  );

  test('Secrets Manager away: what is cached goes on being used', async () => {
    door.aws.faults.secretsManager.mode = 'refuse';
    expect(await answeredInTime('cached')).toBe(200);
    expect((await door.post(started('forged'), { token: 'guess' })).status).toBe(401);
  });

  test('Lambda’s own time over: the work is aborted and answered 503 before the end', async () => {
    const { handler } = await import('./handler.ts');
    const { signWebhook } = await import('../../shared/zoom/webhook-signature.ts');
    door.aws.faults.dynamodb.mode = 'stall';
    const body = JSON.stringify(started('cut-off'));
    const timestamp = String(Math.floor(Date.now() / 1000));
    const beganAt = performance.now();
    const answer = await handler(
      {
        version: '2.0',
        routeKey: 'POST /webhook',
        headers: {
          'content-type': 'application/json',
          'x-zm-request-timestamp': timestamp,
          'x-zm-signature': signWebhook(TOKEN, timestamp, body),
        },
        body,
        isBase64Encoded: false,
        requestContext: { requestId: 'r', http: { method: 'POST' } },
      } as never,
      { getRemainingTimeInMillis: () => 200 } as never,
    );
    expect(answer).toMatchObject({ statusCode: 503 });
    // 150 ms before the end. A call that stalls alone would end after 2 s.
    expect(performance.now() - beganAt).toBeLessThan(1_900);
  });
});

describe('what is logged', () => {
  test('of a rejection: code and request id, never body, signature or token', async () => {
    const secretBody = { ...started('logged'), payload: { note: 'nobody may read this' } };
    await door.post(secretBody, { token: 'wrong-token' });
    await door.post(secretBody, { ageSeconds: 1_000 });
    await door.post(secretBody);
    await door.post('{"nobody may read this"');
    await door.post({ event: 'endpoint.url_validation', payload: { plainToken: 'v0:nobody may' } });
    const log = lines.join('\n');
    for (const code of ['webhook/bad-signature', 'webhook/stale', 'webhook/malformed']) {
      expect(log).toContain(code);
    }
    const rejections = lines.filter((line) => line.includes('delivery rejected'));
    expect(rejections).toHaveLength(5);
    for (const line of rejections) expect(JSON.parse(line)).toHaveProperty('requestId');
    for (const secret of ['nobody may', 'v0=', TOKEN, TOKEN_B, 'wrong-token', 'm==']) {
      expect(log).not.toContain(secret);
    }
  });

  test('of an accepted start: ids, and neither addresses nor secrets', async () => {
    await door.post(started('accepted'));
    const log = lines.join('\n');
    expect(log).toContain('accepted');
    expect(log).not.toContain('wss://');
    expect(log).not.toContain('m==');
    expect(log).toContain('"WebhookAccepted"');
  });

  test('of concurrency events: a warning and metrics with Zoom’s numbers', async () => {
    await door.post({
      event: 'rtms.concurrency_near_limit',
      event_ts: 1,
      payload: { concurrency_limit: 2000, concurrency_number: 1601, percentage: 80 },
    });
    await door.post({
      event: 'rtms.concurrency_limited',
      event_ts: 1,
      payload: { concurrency_number: 2001, id_field: { meeting_uuid: 'm' } },
    });
    const warnings = lines.filter((line) => line.includes('reports on the account'));
    expect(warnings.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 'WARN', concurrency_number: 1601, percentage: 80 }),
      expect.objectContaining({ level: 'WARN', concurrency_number: 2001 }),
    ]);
    const metrics = lines.filter((line) => line.includes('CloudWatchMetrics'));
    expect(metrics.some((line) => JSON.parse(line).ConcurrencyShare === 80)).toBe(true);
    expect(metrics.some((line) => JSON.parse(line).ConcurrencyLimited === 1)).toBe(true);
  });
});

describe('fuzzed requests', () => {
  test('never end in a 5xx, signed or not', async () => {
    const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.integer());
    const event = fc.record(
      {
        event: fc.oneof(
          fc.constantFrom('meeting.rtms_started', 'phone.rtms_stopped', 'endpoint.url_validation'),
          fc.string(),
        ),
        event_ts: fc.oneof(fc.maxSafeInteger(), value),
        payload: fc.record(
          {
            rtms_stream_id: fc.oneof(fc.string({ minLength: 1, unit: 'binary' }), value),
            meeting_uuid: fc.oneof(fc.string({ minLength: 1, unit: 'binary' }), value),
            call_id: value,
            account_id: fc.oneof(fc.string({ unit: 'binary' }), value),
            server_urls: fc.oneof(fc.constant('wss://a.zoom.us'), fc.webUrl(), value),
            stop_reason: fc.oneof(fc.integer(), fc.double(), value),
            plainToken: value,
          },
          { requiredKeys: ['rtms_stream_id'] },
        ),
      },
      { requiredKeys: ['event', 'payload'] },
    );
    const body = fc.oneof(
      event.map((fields) => Buffer.from(JSON.stringify(fields))),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );
    const headerValue = fc.stringMatching(/^[\x21-\x7e]{0,80}$/);
    const headers = fc.dictionary(
      fc.constantFrom('content-type', 'x-zm-signature', 'x-zm-request-timestamp', 'x-other'),
      headerValue,
      { maxKeys: 2 },
    );
    await fc.assert(
      fc.asyncProperty(body, fc.oneof(fc.constant({}), headers), async (bytes, changed) => {
        const { status } = await door.post(bytes, { headers: changed });
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  });
});
