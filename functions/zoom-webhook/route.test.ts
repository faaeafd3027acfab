import { describe, expect, test } from 'vitest';
import type { AccountEvent, StartedEvent } from '../../shared/zoom/webhook-event.ts';
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
  expect(route(account, context)).toEqual({ action: 'report', event: account });
  expect(route({ kind: 'unknown', event: 'x' }, context)).toEqual({ action: 'ignore' });
});

describe('a start that brought no stream is a row of its own', () => {
  const entity = {
    entityId: 'm',
    product: 'meeting',
    eventTsMs: 5,
    numbers: { reason: 10 },
  } as const;
  const noticeOf = (event: AccountEvent['event'], fields: Partial<AccountEvent> = {}) => {
    const decision = route({ kind: 'account', event, ...entity, ...fields }, context);
    if (decision.action !== 'notice') throw new Error(`a ${decision.action}`);
    return decision.row;
  };

  test.each([
    ['rtms.start_failed', 'start_failed'],
    ['rtms.concurrency_limited', 'concurrency_limited'],
  ] as const)('%s: missed', (event, reason) => {
    expect(noticeOf(event)).toMatchObject({
      startEventTsMs: 5,
      product: 'meeting',
      entityId: 'm',
      notice: { event, numbers: { reason: 10 } },
      missed: { reason, epoch: 1, sequence: 2 },
    });
  });

  test('rtms.request_status: as it came, and no more', () => {
    const row = noticeOf('rtms.request_status', { raw: '{"status":"pending"}' });
    expect(row.notice?.raw).toBe('{"status":"pending"}');
    expect(row).not.toHaveProperty('missed');
  });

  test('a repeated delivery names the same row, another event another one', () => {
    const first = noticeOf('rtms.start_failed').rtmsStreamId;
    expect(noticeOf('rtms.start_failed').rtmsStreamId).toBe(first);
    const others = [
      noticeOf('rtms.start_failed', { eventTsMs: 6 }),
      noticeOf('rtms.start_failed', { entityId: 'n' }),
      noticeOf('rtms.concurrency_limited'),
    ];
    expect(new Set([first, ...others.map(({ rtmsStreamId }) => rtmsStreamId)]).size).toBe(4);
  });

  test('the account’s load alone is no start', () => {
    const near = { kind: 'account', event: 'rtms.concurrency_near_limit', ...entity } as const;
    expect(route(near, context)).toEqual({ action: 'report', event: near });
  });
});
