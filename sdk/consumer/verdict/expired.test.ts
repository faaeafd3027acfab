import { describe, expect, test } from 'vitest';
import type { LedgerRow } from '../../../shared/record/event-data.ts';
import { event, frame, START_MS } from '../../../test/support/test-records.ts';
import type { ExpiredTime } from './expired.ts';
import { LedgerChecker } from './ledger.ts';
import { describeLoss } from './loss.ts';

const HOUR_MS = 3_600_000;
const at = (sequence: number) => START_MS + sequence * HOUR_MS;

/** Frames an hour apart, so that each has a time of its own. */
const frameAt = (sequence: number) =>
  frame({ sequence, capturedAtMs: at(sequence), receivedAtMs: at(sequence) });
const lineAt = (sequence: number) =>
  event('first_packet', { timestampMs: at(sequence) }, sequence, { timeMs: at(sequence) });
const endAt = (sequence: number, audio: number, events: number) => {
  const row = (mediaType: LedgerRow['mediaType'], received: number) =>
    ({ mediaType, received, written: received, lost: 0 }) as const;
  const ledger = [{ ...row('audio', audio), userId: 7 }, row('events', events)];
  return event('session_ended', { restartable: false, ledger }, sequence, { timeMs: at(sequence) });
};

const media = (fromHour: number, toHour: number): ExpiredTime => ({
  stream: 'media',
  fromMs: at(fromHour),
  toMs: at(toHour),
});
const events = (fromHour: number, toHour: number): ExpiredTime => ({
  ...media(fromHour, toHour),
  stream: 'events',
});

function judged(times: readonly ExpiredTime[], frames: number[], lines: number[], last?: number) {
  const checker = new LedgerChecker(times);
  for (const sequence of frames) checker.frame(frameAt(sequence));
  for (const sequence of lines) checker.event(lineAt(sequence));
  if (last !== undefined) checker.event(endAt(last, 9, last - 1));
  return checker.report();
}

const ALL = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const without = (...missing: number[]) => ALL.filter((sequence) => !missing.includes(sequence));

describe('frames that expired', () => {
  test.each([
    ['in the middle', without(4, 5), [3, 6], 4, 6],
    ['at the beginning', without(1, 2), [0, 3], 0, 3],
    ['at the end', without(8, 9), [7, 9], 7, 9],
  ] as const)('%s are a loss with their number', (_, frames, [from, to], lossFrom, lossTo) => {
    const report = judged([media(from, to)], [...frames], [1], 2);
    expect(report).toMatchObject({ verdict: 'incomplete', problems: [] });
    expect(report.losses).toMatchObject([
      { kind: 'gap', mediaType: 'audio', userId: 7, cause: 'expired', count: 2 },
    ]);
    const [loss] = report.losses;
    expect(loss?.fromMs).toBe(at(lossFrom === 4 ? 3 : lossFrom));
    expect(loss?.toMs).toBe(at(lossTo));
    expect(describeLoss(loss as never)).toContain('Kinesis had dropped it before it was archived');
  });

  test('all of a source are, which only its ledger names', () => {
    expect(judged([media(0, 9)], [], [1], 2)).toMatchObject({
      verdict: 'incomplete',
      losses: [{ cause: 'expired', count: 9 }],
    });
  });

  test('explain nothing that is missing at another time, or in the other stream, or without them', () => {
    for (const times of [[media(7, 8)], [events(3, 6)], []]) {
      const { verdict, problems } = judged(times, without(4, 5), [1], 2);
      expect(verdict).toBe('contradictory');
      expect(problems.join()).toContain('2 neither written nor explained');
    }
  });

  test('explain one gap and leave the other, in one session', () => {
    const { verdict, losses, problems } = judged([media(2, 3)], without(3, 7), [1], 2);
    expect([verdict, losses.length]).toEqual(['contradictory', 1]);
    expect(problems.join()).toContain('1 neither written nor explained');
  });
});

describe('lines that expired', () => {
  test('are a loss of the events, whatever kind the ledger counts', () => {
    const report = judged([events(2, 5)], ALL, [1, 2, 5, 6], 7);
    expect(report).toMatchObject({ verdict: 'incomplete', problems: [] });
    expect(report.losses).toMatchObject([
      { kind: 'gap', mediaType: 'events', cause: 'expired', count: 2, fromMs: at(2), toMs: at(5) },
    ]);
  });

  test('may have been the end of the stream', () => {
    const report = judged([events(3, 12)], ALL, [1, 2, 3]);
    expect(report).toMatchObject({ verdict: 'incomplete', isOpen: true });
    expect(report.losses).toMatchObject([{ kind: 'hole', fromMs: at(3), toMs: at(12) }]);
    expect(judged([events(9, 12)], ALL, [1, 2, 3]).losses).toEqual([]);
  });

  test('explain nothing at another time', () => {
    expect(judged([events(20, 21)], ALL, [1, 2, 5], 6).verdict).toBe('contradictory');
  });
});
