import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { signWebhook } from '../../shared/zoom/webhook-signature.ts';
import { handler } from './handler.ts';

const NOW_SECONDS = 1_700_000_000;

beforeEach(() => {
  vi.stubEnv('MAX_CLOCK_SKEW_SECONDS', '300');
  vi.useFakeTimers({ now: NOW_SECONDS * 1000 });
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

const signed = (timestamp: string) => ({
  'x-zm-signature': signWebhook('token', timestamp, '{}'),
  'x-zm-request-timestamp': timestamp,
});

test.each([
  ['a delivery of now', signed(String(NOW_SECONDS)), true],
  ['one at the edge of the accepted age', signed(String(NOW_SECONDS - 300)), true],
  ['an old one', signed(String(NOW_SECONDS - 301)), false],
  ['one from the future', signed(String(NOW_SECONDS + 301)), false],
  ['a time that is no number', signed('now'), false],
  ['no time', { 'x-zm-signature': signed('1')['x-zm-signature'] }, false],
  ['an empty time', signed(''), false],
  ['no signature', { 'x-zm-request-timestamp': String(NOW_SECONDS) }, false],
  [
    'a signature of another form',
    { ...signed(String(NOW_SECONDS)), 'x-zm-signature': 'v0=1' },
    false,
  ],
  ['no headers', undefined, false],
])('of what carries %s, decides %j: %s', async (_, headers, isAuthorized) => {
  await expect(handler(headers === undefined ? {} : { headers })).resolves.toEqual({
    isAuthorized,
  });
});
