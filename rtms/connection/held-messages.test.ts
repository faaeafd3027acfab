import { expect, test } from 'vitest';
import { decodeMessage } from '../protocol/codec.ts';
import { HeldMessages } from './held-messages.ts';

const audio = (text: string) =>
  decodeMessage(
    Buffer.from(
      JSON.stringify({
        msg_type: 14,
        content: {
          user_id: 1,
          data: Buffer.from(text).toString('base64'),
          timestamp: 1_700_000_000_000,
        },
      }),
    ),
  );
const payloadsOf = (taken: ReturnType<HeldMessages<string>['takeOut']>) =>
  taken.map(({ message }) => ('payload' in message ? message.payload.toString() : ''));

test('held messages come back by source, the oldest first, and only once', () => {
  const held = new HeldMessages<string>({ maxHeldBytes: 10_000, lendPayloads: false });
  held.hold('a', audio('one'), 1);
  held.hold('b', audio('two'), 2);
  held.hold('a', audio('three'), 3);
  expect(payloadsOf(held.takeOut('a'))).toEqual(['one', 'three']);
  expect(held.takeOut('a')).toEqual([]);
  expect(payloadsOf(held.takeOut('b'))).toEqual(['two']);
});

test('a message over the bound is not held, and there is room again once some were taken out', () => {
  const held = new HeldMessages<string>({ maxHeldBytes: 600, lendPayloads: false });
  expect(held.hold('a', audio('one'), 1)).toBe(true);
  expect(held.hold('b', audio('two'), 2)).toBe(false);
  held.takeOut('a');
  expect(held.hold('b', audio('two'), 3)).toBe(true);
});

test('the payload of a held message is copied when payloads are lent', () => {
  const held = new HeldMessages<string>({ maxHeldBytes: 10_000, lendPayloads: true });
  const message = audio('one');
  held.hold('a', message, 1);
  if ('payload' in message) message.payload.fill(0);
  expect(payloadsOf(held.takeOut('a'))).toEqual(['one']);
});
