import { expect, test } from 'vitest';
import { upgradeRefusal, upgradeRequest } from './upgrade.ts';

/** The example of RFC 6455, section 1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const GOOD = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Accept: ${ACCEPT}`,
];

test('the request asks for an upgrade and nothing else', () => {
  const request = upgradeRequest(new URL('wss://rtms.zoom.us:8443/media?x=1'), KEY);
  expect(request.split('\r\n')).toEqual([
    'GET /media?x=1 HTTP/1.1',
    'Host: rtms.zoom.us:8443',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    '',
    '',
  ]);
});

test.each([
  ['as in the RFC', GOOD],
  [
    'in other letters',
    GOOD.map((line) => line.replace('Upgrade', 'UPGRADE').replace('websocket', 'WebSocket')),
  ],
  [
    'with more connection options',
    [...GOOD.slice(0, 2), 'Connection: keep-alive, Upgrade', ...GOOD.slice(3)],
  ],
  ['without a reason phrase', ['HTTP/1.1 101', ...GOOD.slice(1)]],
  ['with headers of no interest', [...GOOD, 'Server: x', 'Date: y', 'Date: z']],
])('takes an answer %s', (_title, lines) => {
  expect(upgradeRefusal(lines.join('\r\n'), KEY)).toBeUndefined();
});

test.each([
  ['a redirect', ['HTTP/1.1 302 Found', ...GOOD.slice(1)], 'answered 302'],
  ['a refusal', ['HTTP/1.1 401 Unauthorized'], 'answered 401'],
  ['HTTP/1.0', ['HTTP/1.0 101 Switching Protocols', ...GOOD.slice(1)], 'something else'],
  ['no HTTP', ['SSH-2.0-OpenSSH'], 'something else'],
  ['no Upgrade', [GOOD[0], ...GOOD.slice(2)], 'no upgrade'],
  ['another protocol', [GOOD[0], 'Upgrade: h2c', ...GOOD.slice(2)], 'no upgrade'],
  ['no Connection', [...GOOD.slice(0, 2), GOOD[3]], 'no connection upgrade'],
  [
    'a lasting connection',
    [...GOOD.slice(0, 2), 'Connection: keep-alive', GOOD[3]],
    'no connection',
  ],
  ['no accept', GOOD.slice(0, 3), 'wrong Sec-WebSocket-Accept'],
  ['the accept of another key', [...GOOD.slice(0, 3), 'Sec-WebSocket-Accept: x'], 'wrong Sec'],
  ['two accepts', [...GOOD, GOOD[3]], 'wrong Sec'],
  ['an extension', [...GOOD, 'Sec-WebSocket-Extensions: permessage-deflate'], 'not asked'],
  ['a subprotocol', [...GOOD, 'Sec-WebSocket-Protocol: chat'], 'not asked'],
  ['a line without a name', [...GOOD, ': x'], 'without a name'],
])('refuses %s', (_title, lines, why) => {
  expect(upgradeRefusal(lines.join('\r\n'), KEY)).toContain(why);
});
