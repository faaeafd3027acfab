import { expect, test } from 'vitest';
import {
  judgeUrlValidation,
  signedWebhook,
  urlValidation,
  webhookUrlOf,
} from './webhook-request.ts';
import { answerUrlValidation, verifyWebhook } from './webhook-signature.ts';

const NOW_MS = 1_738_392_033_999;
const TOKEN = 'token';

test.each([
  ['https://x/webhook', 'default', 'https://x/webhook'],
  ['https://x/webhook', 'sales', 'https://x/webhook/sales'],
  ['https://x/webhook/', 'sales', 'https://x/webhook/sales'],
])('the webhooks of %s for the app %s arrive at %s', (url, app, expected) => {
  expect(webhookUrlOf(url, app)).toBe(expected);
});

test('a signed webhook is genuine for who knows the token, for as long as it is fresh', () => {
  const { headers, body } = signedWebhook(TOKEN, '{"event":"x"}', NOW_MS);
  const delivery = {
    timestamp: headers['x-zm-request-timestamp'],
    signature: headers['x-zm-signature'],
    rawBody: Buffer.from(body),
  };
  const verdictAt = (nowMs: number, token = TOKEN) =>
    verifyWebhook(delivery, [token], { nowMs, maxSkewSeconds: 300 }).verdict;
  expect(verdictAt(NOW_MS)).toBe('genuine');
  expect(verdictAt(NOW_MS + 302_000)).toBe('stale');
  expect(verdictAt(NOW_MS, 'another')).toBe('forged');
});

test('a URL validation carries its token and its time', () => {
  expect(JSON.parse(urlValidation(TOKEN, 'plain', NOW_MS).body)).toEqual({
    event: 'endpoint.url_validation',
    event_ts: NOW_MS,
    payload: { plainToken: 'plain' },
  });
});

test.each([
  ['valid', 200, JSON.stringify(answerUrlValidation(TOKEN, 'plain'))],
  ['refused', 401, ''],
  ['refused', 302, JSON.stringify(answerUrlValidation(TOKEN, 'plain'))],
  ['wrong_answer', 200, JSON.stringify(answerUrlValidation('another', 'plain'))],
  ['wrong_answer', 200, '<html>'],
  ['wrong_answer', 200, 'null'],
  ['wrong_answer', 200, ''],
])('an answer is %s: status %d, body %s', (result, status, body) => {
  expect(judgeUrlValidation(TOKEN, 'plain', { status, body })).toBe(result);
});
