import { expect, test } from 'vitest';
import { hostsOf, newToken, refuseStranger, refuseUntrusted } from './trust.ts';

const trust = { token: newToken(), hosts: hostsOf(4711) };
const host = '127.0.0.1:4711';
const authorization = `Bearer ${trust.token}`;

test.each<[string, object, number | undefined]>([
  ['the console itself', { host, authorization }, undefined],
  ['localhost', { host: 'localhost:4711', authorization }, undefined],
  ['its own page', { host, authorization, origin: 'http://127.0.0.1:4711' }, undefined],
  ['a name that was rebound to loopback', { host: 'evil.example:4711', authorization }, 421],
  ['another port', { host: '127.0.0.1:80', authorization }, 421],
  ['no host', { authorization }, 421],
  ['another page', { host, authorization, origin: 'https://evil.example' }, 403],
  ['a page of another port', { host, authorization, origin: 'http://127.0.0.1:80' }, 403],
  ['a sandboxed page', { host, authorization, origin: 'null' }, 403],
  [
    'a picture in another page',
    { host, authorization, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    403,
  ],
  ['no token', { host }, 401],
  ['a wrong token', { host, authorization: `Bearer ${newToken()}` }, 401],
  ['a part of the token', { host, authorization: authorization.slice(0, -1) }, 401],
  ['the token and more', { host, authorization: `${authorization}x` }, 401],
  ['another scheme', { host, authorization: `Basic ${trust.token}` }, 401],
])('a request with %s is answered with %s', (_what, headers, status) => {
  expect(refuseUntrusted(headers as never, trust)?.status).toBe(status);
});

test('a link in another page may open the page, whose files hold no data', () => {
  const headers = { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
  expect(refuseStranger(headers, trust)).toBeUndefined();
  expect(refuseUntrusted(headers, trust)?.status).toBe(401);
});

test('every run has a token of its own, with 256 bits', () => {
  expect(newToken()).not.toBe(newToken());
  expect(Buffer.from(newToken(), 'base64url')).toHaveLength(32);
});
