import { expect, test } from 'vitest';
import type { StartedEvent } from '../../shared/zoom/webhook-event.ts';
import { route } from './route.ts';

const context = {
  app: 'default',
  secretToken: 'token',
  allowedHosts: ['zoom.us'],
  nowMs: 1_700_000_000_000,
};
const started: StartedEvent = {
  kind: 'started',
  event: 'meeting.rtms_started',
  eventTsMs: 1_000,
  product: 'meeting',
  rtmsStreamId: 's1',
  entityId: 'm1',
  serverUrls: ['wss://a.zoom.us'],
};

function digestOf(event: StartedEvent, app = 'default'): string {
  const decision = route(event, { ...context, app });
  if (decision.action !== 'record' || decision.update.register !== 'start') throw new Error('?');
  return decision.update.digest;
}

test('a start becomes the start register, kept for two weeks', () => {
  expect(route(started, context)).toEqual({
    action: 'record',
    event: 'meeting.rtms_started',
    refusedAddresses: 0,
    update: {
      rtmsStreamId: 's1',
      app: 'default',
      ttl: 1_700_000_000 + 14 * 86_400,
      register: 'start',
      digest: expect.any(String),
      value: {
        startEventTsMs: 1_000,
        serverUrls: ['wss://a.zoom.us'],
        product: 'meeting',
        entityId: 'm1',
        app: 'default',
        requestedAtMs: 1_700_000_000_000,
      },
    },
  });
});

test('a start that is years old is still recorded', () => {
  expect(route({ ...started, eventTsMs: 1 }, context)).toMatchObject({ action: 'record' });
});

test('two deliveries of one start have one digest, other contents another', () => {
  expect(digestOf({ ...started, eventTsMs: 2_000 })).toBe(digestOf(started));
  expect(digestOf({ ...started, serverUrls: ['wss://b.zoom.us'] })).not.toBe(digestOf(started));
  expect(digestOf({ ...started, operatorId: 'op' })).not.toBe(digestOf(started));
  expect(digestOf(started, 'team-b')).not.toBe(digestOf(started));
});

test('stop and interrupt become their registers', () => {
  const common = { eventTsMs: 5, product: 'phone', rtmsStreamId: 's1' } as const;
  expect(
    route({ kind: 'stopped', event: 'phone.rtms_stopped', stopReason: 8, ...common }, context),
  ).toMatchObject({ update: { register: 'stop', value: { stopEventTsMs: 5, stopReason: 8 } } });
  expect(
    route({ kind: 'interrupted', event: 'phone.rtms_interrupted', ...common }, context),
  ).toMatchObject({ update: { register: 'interrupt', value: { interruptEventTsMs: 5 } } });
});

test('an interruption that names addresses moves the stream to those that are allowed', () => {
  const interrupted = {
    kind: 'interrupted',
    event: 'meeting.rtms_interrupted',
    eventTsMs: 5,
    product: 'meeting',
    rtmsStreamId: 's1',
  } as const;
  const serverUrls = ['wss://evil.example', 'wss://b.zoom.us'];
  expect(route({ ...interrupted, serverUrls }, context)).toMatchObject({
    refusedAddresses: 1,
    update: { register: 'interrupt', value: { interruptEventTsMs: 5 } },
    move: {
      register: 'move',
      rtmsStreamId: 's1',
      value: { movedEventTsMs: 5, movedServerUrls: ['wss://b.zoom.us'] },
    },
  });
  const elsewhere = route({ ...interrupted, serverUrls: ['wss://evil.example'] }, context);
  expect(elsewhere).toMatchObject({ refusedAddresses: 1, update: { register: 'interrupt' } });
  expect(elsewhere).not.toHaveProperty('move');
});

test('addresses that are left out are counted', () => {
  const serverUrls = ['wss://a.zoom.us', 'wss://evil.example', 'quic://a.zoom.us'];
  expect(route({ ...started, serverUrls }, context)).toMatchObject({
    refusedAddresses: 2,
    update: { value: { serverUrls: ['wss://a.zoom.us'] } },
  });
});

test('an event that needs no row is answered, reported or ignored', () => {
  expect(route({ kind: 'url_validation', plainToken: 'abc' }, context)).toMatchObject({
    action: 'answer',
    answer: { plainToken: 'abc' },
  });
  const account = { kind: 'account', event: 'rtms.start_failed', numbers: {} } as const;
  expect(route(account, context)).toEqual({ action: 'notify', event: account });
  expect(route({ kind: 'unknown', event: 'x' }, context)).toEqual({ action: 'ignore' });
});
