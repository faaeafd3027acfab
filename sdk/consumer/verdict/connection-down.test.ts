import { describe, expect, test } from 'vitest';
import { event, START_MS } from '../../../test/support/test-records.ts';
import { LedgerChecker } from './ledger.ts';

const at = (seconds: number) => START_MS + seconds * 1000;

/** What is missing of a stream whose connection was lost at second 10, and which ended so much later. */
function lossesOf(afterMs: number, end: { stopReason?: number; restartable?: boolean }, left = {}) {
  const endedAtMs = at(10) + afterMs;
  const media: object = { transcript: {} };
  const told = { requestedAtMs: at(0), claimedAtMs: at(0), streamingAtMs: at(0) };
  const ledger = [{ mediaType: 'events', received: 2, written: 2, lost: 0 }] as const;
  const data = { restartable: false, leftAtMs: endedAtMs, ledger, ...end, ...left };
  const checker = new LedgerChecker();
  for (const line of [
    event('session_started', { product: 'meeting', entityId: 'a', media, ...told }, 1),
    {
      ...event('session_interrupted', { ...LOST, scope: 'signaling' }, 2),
      time: new Date(at(10)),
    },
    { ...event('session_ended', data, 3), time: new Date(endedAtMs + 4_000) },
  ])
    checker.event(line);
  return checker.report().losses.map(({ mediaType, cause, fromMs, toMs }) => {
    return [mediaType, cause, fromMs - at(10), toMs - at(10)];
  });
}

const LOST = { cause: 'connection_closed', attempt: 0, durationMs: 0 } as const;

describe('what a connection that was down at the end had missed', () => {
  test.each<[string, { stopReason?: number; restartable?: boolean }, number, boolean]>([
    ['of a meeting that ended 4 s later is nothing', { stopReason: 6 }, 4_000, false],
    ['of a meeting that ended 6 s later is named', { stopReason: 6 }, 6_000, true],
    ['of a stream that the host ended 4 s later is nothing', { stopReason: 1 }, 4_000, false],
    ['of a stream that an operator ended 4 s later is named', { stopReason: 20 }, 4_000, true],
    ['of a stream that an operator ended at once is named', { stopReason: 20 }, 1, true],
    ['of a stream that Zoom lost is named', { stopReason: 15, restartable: true }, 1_000, true],
    ['of a stream whose runner could not connect is named', {}, 1_000, true],
  ])('%s', (_what, end, afterMs, isNamed) => {
    const named = [['transcript', 'not_reconnected', 0, afterMs]];
    expect(lossesOf(afterMs, end)).toEqual(isNamed ? named : []);
  });

  test.each([6, 20])(
    'is nothing where an older runner does not say when it ended, by reason %i',
    (stopReason) => {
      expect(lossesOf(240_000, { stopReason }, { leftAtMs: undefined })).toEqual([]);
    },
  );
});
