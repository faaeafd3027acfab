import { expect, test } from 'vitest';
import { lateness, missedUnserved, missReasonOf } from './missed.ts';
import { type SessionRow, UNOWNED } from './session-row.ts';

const ROW: SessionRow = {
  pk: 'SESSION#s',
  rtmsStreamId: 's',
  owner: UNOWNED,
  startEventTsMs: 100_000,
  serverUrls: ['wss://a'],
  product: 'meeting',
  entityId: 'e',
  requestedAtMs: 100_500,
};
const stopAfter = (ms: number, stopReason = 6) => ({ stopEventTsMs: 100_000 + ms, stopReason });

test.each<[string, Partial<SessionRow>, string | undefined]>([
  ['is wanted', {}, undefined],
  ['has no address', { serverUrls: [] }, 'address_refused'],
  ['has no address and was stopped', { serverUrls: [], ...stopAfter(5) }, 'address_refused'],
  [
    'got an address by an interruption',
    { serverUrls: [], movedEventTsMs: 100_001, movedServerUrls: ['wss://b'] },
    undefined,
  ],
  ['was stopped at once', stopAfter(900), 'stopped_first'],
  ['was stopped before its start came', stopAfter(0), 'stopped_first'],
  ['waited in vain', stopAfter(30_000), 'no_room'],
  ['was revoked while it waited', stopAfter(30_000, 8), 'revoked'],
  ['came a minute late', { requestedAtMs: 160_001, ...stopAfter(30_000) }, 'came_too_late'],
  ['ended its owners', { epoch: 2, strikes: 1, ...stopAfter(30_000) }, 'defect'],
  [
    'had an owner that did not connect',
    { epoch: 1, runEpoch: 1, ...stopAfter(30_000) },
    'not_connected',
  ],
  [
    'is a new run that waited in vain',
    { epoch: 1, endedReason: 6, endedStartEventTsMs: 9, claimedAtMs: 50, ...stopAfter(30_000) },
    'no_room',
  ],
  [
    'has ended, and its stop came later',
    { endedReason: 'lost', endedStartEventTsMs: 100_000, ...stopAfter(9) },
    undefined,
  ],
])('a stream that %s', (_what, fields, reason) => {
  expect(missReasonOf({ ...ROW, ...fields })).toBe(reason);
});

test.each([
  ['in time', {}, undefined],
  ['claimed just within the window', { claimedAtMs: 160_500 }, undefined],
  ['claimed after the window', { claimedAtMs: 160_501 }, 'no_room'],
  ['webhook after the window', { requestedAtMs: 160_001, claimedAtMs: 260_000 }, 'came_too_late'],
])('%s', (_what, fields, late) => {
  expect(lateness({ ...ROW, ...fields })).toBe(late);
});

test('its event opens the next epoch', () => {
  expect(missedUnserved({ ...ROW, epoch: 3, ...stopAfter(9) }, 'stopped_first', 7)).toEqual({
    reason: 'stopped_first',
    atMs: 7,
    epoch: 4,
    sequence: 1,
    stopReason: 6,
    ledger: [{ mediaType: 'events', received: 0, written: 0, lost: 0 }],
  });
});
