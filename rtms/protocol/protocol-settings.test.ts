import { expect, test } from 'vitest';
import { DEFAULT_PROTOCOL, parseProtocol } from './protocol-settings.ts';

test.each([
  ['{}', {}],
  ['{"phone":{}}', { phone: DEFAULT_PROTOCOL }],
  [
    '{"phone":{"version":2,"events":{"8001":"hold"}},"meeting":{"format":"JSON","transport":"WEBSOCKET"}}',
    {
      phone: { ...DEFAULT_PROTOCOL, version: 2, events: { 8001: 'hold' } },
      meeting: DEFAULT_PROTOCOL,
    },
  ],
])('%s', (json, settings) => {
  expect(parseProtocol(json)).toEqual(settings);
});

test.each([
  ['{', 'the protocol settings are not JSON'],
  ['[]', 'protocol is [], allowed: an object'],
  ['{"fax":{}}', 'protocol.fax is unknown field'],
  ['{"phone":2}', 'phone is 2, allowed: an object'],
  ['{"phone":{"version":3}}', 'phone.version is 3, allowed: 1, 2'],
  ['{"phone":{"version":"2"}}', 'phone.version is 2, allowed: 1, 2'],
  [
    '{"phone":{"format":"protobuf"}}',
    'phone.format is protobuf, which this release does not speak, allowed: JSON',
  ],
  [
    '{"meeting":{"transport":"SRT"}}',
    'meeting.transport is SRT, which this release does not speak, allowed: WEBSOCKET',
  ],
  ['{"meeting":{"transport":"pigeon"}}', 'meeting.transport is pigeon, allowed: WEBSOCKET'],
  ['{"phone":{"events":{"x":"hold"}}}', 'phone.events key is x, allowed: a number'],
  ['{"phone":{"events":{"1":"On Hold"}}}', 'phone.events.1 is On Hold, allowed: a name'],
  ['{"phone":{"colour":1}}', 'phone.colour is unknown field'],
])('%s is refused: %s', (json, message) => {
  expect(() => parseProtocol(json)).toThrow(
    expect.objectContaining({
      code: 'rtms/invalid-params',
      message: expect.stringContaining(message),
    }),
  );
});
