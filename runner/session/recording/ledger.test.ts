import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { SessionLedger } from './ledger.ts';

const loss = (sequence: number) => ({ sequence, bytes: 10, atMs: 1000 + sequence });

describe('gaps', () => {
  test('join neighbouring losses of one source and cause', () => {
    const ledger = new SessionLedger();
    const audio = ledger.source('audio', { userId: 7 });
    for (const sequence of [3, 4, 5]) {
      ledger.received(audio);
      ledger.lost(audio, 'spool_full', loss(sequence));
    }
    expect(ledger.takeGaps()).toEqual([
      {
        source: audio,
        fromSequence: 3,
        toSequence: 5,
        count: 3,
        bytes: 30,
        fromMs: 1003,
        toMs: 1005,
        cause: 'spool_full',
      },
    ]);
    expect(ledger.hasGaps).toBe(false);
  });

  test('are told apart by cause, by source and by what lies between', () => {
    const ledger = new SessionLedger();
    const [one, two] = [1, 2].map((userId) => ledger.source('video', { userId }));
    if (!one || !two) throw new Error('unreachable');
    ledger.lost(one, 'spool_full', loss(1));
    ledger.lost(one, 'revoked', loss(2));
    ledger.lost(one, 'revoked', loss(4));
    ledger.lost(two, 'revoked', loss(5));
    expect(ledger.takeGaps().map(({ fromSequence }) => fromSequence)).toEqual([1, 2, 4, 5]);
  });

  test('come back when their event was lost', () => {
    const ledger = new SessionLedger();
    ledger.lost(ledger.source('audio', { userId: 1 }), 'spool_full', loss(1));
    for (const gap of ledger.takeGaps()) ledger.returnGap(gap);
    expect(ledger.takeGaps()).toHaveLength(1);
  });
});

test('keeps one row per source, and one each for the three kinds of lines', () => {
  const ledger = new SessionLedger();
  ledger.source('audio', { channelId: '7' });
  ledger.source('audio', { userId: 7 });
  ledger.source('audio', { userId: 7 });
  const none = { received: 0, written: 0, lost: 0 };
  expect(ledger.rows()).toEqual([
    { mediaType: 'transcript', ...none },
    { mediaType: 'chat', ...none },
    { mediaType: 'events', ...none },
    { mediaType: 'audio', channelId: '7', ...none },
    { mediaType: 'audio', userId: 7, ...none },
  ]);
});

test.prop([fc.array(fc.constantFrom('written', 'spool_full', 'revoked', 'later'))])(
  'adds up, whatever becomes of the frames',
  (fates) => {
    const ledger = new SessionLedger();
    const row = ledger.source('audio', { userId: 1 });
    for (const fate of fates) {
      ledger.received(row);
      if (fate === 'written') ledger.written(row);
      else if (fate !== 'later') ledger.lost(row, fate, loss(row.received));
    }
    expect(row.received).toBe(row.written + row.lost + ledger.outstanding);
    const told = ledger.takeGaps();
    expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(row.lost);
    for (const { fromSequence, toSequence, count } of told) {
      expect(count).toBe(toSequence - fromSequence + 1);
    }
  },
);

test('counts what a source too many brings under the one that has no name', () => {
  const ledger = new SessionLedger();
  const rows = new Set(
    Array.from({ length: 10_000 }, (_, userId) => ledger.source('audio', { userId })),
  );
  expect(rows.size).toBeLessThanOrEqual(4_097);
  const further = ledger.source('audio', { userId: 9_999 });
  expect(further.isUnnamed).toBe(true);
  expect(ledger.source('video', { channelId: 'c' }).mediaType).toBe('video');
  expect(ledger.source('audio', { userId: 5 }).userId).toBe(5);
  expect(ledger.source('audio', { userId: 9_998 })).toBe(further);
});
