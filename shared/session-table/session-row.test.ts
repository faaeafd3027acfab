import { describe, expect, test } from 'vitest';
import { isRevocationUntold, type SessionRow, startOf, wantedState } from './session-row.ts';

const START = {
  startEventTsMs: 100,
  serverUrls: ['wss://a'],
  product: 'meeting',
  entityId: 'e',
  app: 'default',
  requestedAtMs: 110,
} as const;
const ROW: SessionRow = { pk: 'SESSION#s', rtmsStreamId: 's' };
const STARTED = { state: 'started', start: START };
const NOTHING = { state: 'nothing' };

describe('wantedState', () => {
  test.each<[string, Partial<SessionRow>, object]>([
    ['nothing of an empty row', {}, NOTHING],
    ['a start', START, STARTED],
    ['nothing of an interruption without a start', { interruptEventTsMs: 5 }, NOTHING],
    [
      'an interruption after the start',
      { ...START, interruptEventTsMs: 150 },
      { ...STARTED, interruptedAtMs: 150 },
    ],
    [
      'an interruption at the instant of the start',
      { ...START, interruptEventTsMs: 100 },
      { ...STARTED, interruptedAtMs: 100 },
    ],
    ['no interruption from before the start', { ...START, interruptEventTsMs: 99 }, STARTED],
    [
      'a stop',
      { ...START, stopEventTsMs: 101, stopReason: 6 },
      { state: 'stopped', stopReason: 6 },
    ],
    [
      'a stop at the instant of the start',
      { ...START, stopEventTsMs: 100, stopReason: 6 },
      { state: 'stopped', stopReason: 6 },
    ],
    [
      'a stop although an interruption came later',
      { ...START, stopEventTsMs: 101, stopReason: 6, interruptEventTsMs: 102 },
      { state: 'stopped', stopReason: 6 },
    ],
    [
      'a stop whose start has not arrived',
      { stopEventTsMs: 1 },
      { state: 'stopped', stopReason: 0 },
    ],
    [
      'the addresses of an interruption that named some',
      { ...START, movedEventTsMs: 100, movedServerUrls: ['wss://b'] },
      { ...STARTED, start: { ...START, serverUrls: ['wss://b'] } },
    ],
    [
      'the addresses of a start after such an interruption',
      { ...START, movedEventTsMs: 99, movedServerUrls: ['wss://b'] },
      STARTED,
    ],
    ['a start after a stop', { ...START, stopEventTsMs: 99, stopReason: 6 }, STARTED],
    ['nothing of a run that has ended', { ...START, endedStartEventTsMs: 100 }, NOTHING],
    ['a start after a run that has ended', { ...START, endedStartEventTsMs: 99 }, STARTED],
  ])('wants %s', (_title, fields, wanted) => {
    expect(wantedState({ ...ROW, ...fields })).toEqual(wanted);
  });
});

describe('startOf', () => {
  test('a start keeps account and operator where Zoom gave them', () => {
    const row = { ...ROW, ...START, accountId: 'account', operatorId: 'operator' };
    expect(startOf(row)).toEqual({ ...START, accountId: 'account', operatorId: 'operator' });
  });

  test('takes the default app for a row that names none', () => {
    const { app: _, ...rest } = START;
    expect(startOf({ ...ROW, ...rest })?.app).toBe('default');
  });

  test.each(['startEventTsMs', 'serverUrls', 'product', 'entityId', 'requestedAtMs'] as const)(
    'finds no start without %s',
    (name) => {
      const { [name]: _, ...rest } = START;
      expect(startOf({ ...ROW, ...rest } as SessionRow)).toBeUndefined();
    },
  );
});

describe('isRevocationUntold', () => {
  const ENDED = { ...ROW, ...START, stopEventTsMs: 200, stopReason: 8, epoch: 1, endedReason: 6 };
  test.each<[string, Partial<SessionRow>, boolean]>([
    ['a stream that ended for another reason', {}, true],
    ['a stream that ended revoked', { endedReason: 8 }, false],
    ['a stream that nobody served', { epoch: 0 }, false],
    ['a stream that was stopped for another reason', { stopReason: 6 }, false],
    ['a stream that was started again since', { startEventTsMs: 300 }, false],
  ])('%s', (_title, fields, untold) => {
    expect(isRevocationUntold({ ...ENDED, ...fields })).toBe(untold);
  });

  test('a stream that is still served hears of it from its row', () => {
    const { endedReason: _, ...served } = ENDED;
    expect(isRevocationUntold(served)).toBe(false);
  });
});
