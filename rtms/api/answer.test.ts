import { expect, test } from 'vitest';
import { isTokenRefused, readAnswer, readTokenAnswer, retryAfterMs } from './answer.ts';

const NOW = Date.parse('2026-11-27T15:00:00Z');
const zoom = (code: number, message: string) => JSON.stringify({ code, message });

test.each([
  ['204 without a body', 204, '', { kind: 'ok' }],
  ['200', 200, '{}', { kind: 'ok' }],
  [
    '2308',
    400,
    zoom(2308, 'Not allowed to start RTMS app.'),
    { kind: 'refused', why: 'not_allowed', code: 2308 },
  ],
  ['2308 with another status', 403, zoom(2308, ''), { kind: 'refused', why: 'not_allowed' }],
  [
    '2310',
    400,
    zoom(2310, 'Failed to perform RTMS app operation.'),
    { kind: 'later', why: 'operation_failed' },
  ],
  [
    'a meeting that is over',
    404,
    zoom(3001, 'Meeting does not exist'),
    { kind: 'refused', why: 'meeting_over' },
  ],
  ['an unknown path', 404, '<html>', { kind: 'refused', why: 'not_found' }],
  [
    'a token without the scope',
    400,
    zoom(4711, 'Invalid access token, does not contain scopes:[meeting:update].'),
    { kind: 'refused', why: 'scope_missing' },
  ],
  [
    'a scope named with another code',
    403,
    zoom(200, 'No permission: missing scope'),
    { kind: 'refused', why: 'scope_missing' },
  ],
  [
    'a token that is not valid',
    401,
    zoom(124, 'Access token is expired.'),
    { kind: 'refused', why: 'credentials_invalid' },
  ],
  ['no permission', 403, zoom(200, 'No permission.'), { kind: 'refused', why: 'not_allowed' }],
  ['another 4xx', 422, zoom(300, 'Validation Failed.'), { kind: 'refused', why: 'rejected' }],
  ['429 whatever its code', 429, zoom(2308, ''), { kind: 'later', why: 'rate_limited' }],
  ['408', 408, '', { kind: 'later', why: 'unavailable' }],
  ['500', 500, '', { kind: 'later', why: 'unavailable' }],
  ['a redirect', 302, '', { kind: 'later', why: 'unavailable' }],
])('%s is understood', (_what, status, body, expected) => {
  expect(readAnswer({ status, body }, NOW)).toMatchObject({ status, ...expected });
});

test.each([
  ['an unknown account', 400, JSON.stringify({ reason: 'Bad Request', error: 'invalid_request' })],
  [
    'a wrong secret',
    401,
    JSON.stringify({ reason: 'Invalid client_id or client_secret', error: 'invalid_client' }),
  ],
])('the OAuth endpoint says with %s that the credentials are wrong', (_what, status, body) => {
  const { reason } = JSON.parse(body);
  expect(readTokenAnswer({ status, body }, NOW)).toEqual({
    kind: 'refused',
    why: 'credentials_invalid',
    status,
    text: reason,
  });
});

test.each([
  [undefined, undefined],
  ['', undefined],
  ['soon', undefined],
  ['0', 0],
  ['7', 7_000],
  ['99999999999', 86_400_000],
  ['Fri, 27 Nov 2026 15:00:30 GMT', 30_000],
  ['2026-11-27T15:02:00Z', 120_000],
  ['2026-11-27T14:00:00Z', 0],
])('Retry-After %s', (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
  const read = readAnswer({ status: 429, body: '', retryAfter: header ?? null }, NOW);
  expect('afterMs' in read ? read.afterMs : undefined).toBe(ms);
});

test.each([
  [401, zoom(124, 'expired'), true],
  [401, '', true],
  [401, zoom(200, 'something else'), false],
  [400, zoom(124, ''), false],
])('a new token helps after status %s with %s: %s', (status, body, helps) => {
  expect(isTokenRefused(readAnswer({ status, body }, NOW))).toBe(helps);
});

test('what Zoom says fits into one line of a log', () => {
  const body = zoom(1, `one\ntwo\u202e${'x'.repeat(10_000)}`);
  const { text = '' } = readAnswer({ status: 400, body }, NOW);
  expect(text).toMatch(/^one\\ntwo\\u202ex+$/);
  expect(text.length).toBeLessThanOrEqual(256);
});
