import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { zoomSecret } from '../test/support/front-door.ts';
import { type LocalAws, startLocalAws } from './aws/local-aws.ts';
import { startChild, stopChild } from './child.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws({ zoomSecret: zoomSecret() });
});
afterAll(() => aws.close());

test('the webhook process says where it listens, answers there, and ends on SIGTERM', async () => {
  const url = Promise.withResolvers<string>();
  const child = startChild(
    'local/webhook-process.ts',
    ['0', '/zoom'],
    { ...aws.env() },
    (_, json) => {
      if (json?.['event'] === 'webhook_ready') url.resolve(String(json['url']));
    },
  );
  const address = await url.promise;
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/zoom$/);
  const headers = { 'content-type': 'application/json' };
  expect((await fetch(address, { method: 'POST', body: '{}', headers })).status).toBe(401);
  const ended = await Promise.race([stopChild(child, 40_000), delay(30_000)]);
  expect(ended).toEqual({ code: 0, signal: null });
});

test('the webhook process without its environment names all that is missing in one line, and exits with 1', async () => {
  const lines: string[] = [];
  const environment = { DEPLOYMENT: '', SESSION_TABLE: '', JOB_QUEUE_URL: '' };
  const child = startChild('local/webhook-process.ts', [], environment, (line) => lines.push(line));
  expect((await child.exited).code).toBe(1);
  expect(lines).toEqual([
    '[config/invalid] DEPLOYMENT is missing; SESSION_TABLE is missing; JOB_QUEUE_URL is missing; ZOOM_WEBHOOK_SECRET_ID is missing',
  ]);
});
