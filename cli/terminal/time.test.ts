import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration, parseMoment, spanOf } from './time.ts';

const NOW_MS = Date.parse('2026-11-22T10:00:00Z');

describe('parseDuration', () => {
  test.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['', '10', 'm', '-1s', '1 s', 'soon'])('refuses "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });
});

describe('parseMoment', () => {
  test.each([
    ['10m', NOW_MS - 600_000],
    ['2026-11-22T09:00:00Z', NOW_MS - 3_600_000],
    ['2026-11-22T10:00:00.250+01:00', NOW_MS - 3_600_000 + 250],
    ['today 9:05', new Date(NOW_MS).setHours(9, 5, 0, 0)],
    ['today 23:59', new Date(NOW_MS).setHours(23, 59, 0, 0)],
    ['yesterday 10:00', new Date(NOW_MS - 86_400_000).setHours(10, 0, 0, 0)],
  ])('reads %s', (text, ms) => {
    expect(parseMoment(text, NOW_MS)).toBe(ms);
  });

  test.each(['yesterday', 'yesterday 25:00', '10:60', '10:00:60', '5', '2026-13-99T00:00:00Z'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseMoment(text, NOW_MS)).toThrow(/is no moment/);
    },
  );
});

/** By this machine's clock, as people read theirs. */
const local = (text: string) => new Date(text).getTime();

describe('a time of the day alone is the last one that has come', () => {
  test.each([
    ['23:50', '2026-11-22T00:10:00', '2026-11-21T23:50:00'],
    ['00:10', '2026-11-22T00:10:00', '2026-11-22T00:10:00'],
    ['0:05', '2026-11-22T00:10:00', '2026-11-22T00:05:00'],
    ['00:11', '2026-11-22T00:10:59', '2026-11-21T00:11:00'],
    ['14:30', '2026-11-22T14:30:00', '2026-11-22T14:30:00'],
    ['14:30:05', '2026-11-22T14:30:04', '2026-11-21T14:30:05'],
    ['14:30:05', '2026-11-22T14:30:05', '2026-11-22T14:30:05'],
    ['23:59', '2026-12-31T00:00:00', '2026-12-30T23:59:00'],
    ['23:59', '2027-01-01T12:00:00', '2026-12-31T23:59:00'],
    ['today 23:50', '2026-11-22T00:10:00', '2026-11-22T23:50:00'],
    ['yesterday 23:50', '2026-11-22T00:10:00', '2026-11-21T23:50:00'],
    ['yesterday 00:05', '2026-11-22T00:10:00', '2026-11-21T00:05:00'],
  ])('%s asked at %s is %s', (text, now, moment) => {
    expect(parseMoment(text, local(now))).toBe(local(moment));
  });
});

describe('spanOf', () => {
  test.each([
    ['10m', 1],
    ['2026-11-22T09:00:00.250Z', 1],
    ['2026-11-22T09:00:00Z', 1_000],
    ['2026-11-22T09:00+01:00', 60_000],
    ['2026-11-22', 86_400_000],
    ['yesterday 10:00', 60_000],
    ['10:00:30', 1_000],
  ])('%s lasts %d ms', (text, ms) => {
    const { fromMs, toMs } = spanOf(text, NOW_MS) as { fromMs: number; toMs: number };
    expect(toMs - fromMs + 1).toBe(ms);
    expect(fromMs).toBe(parseMoment(text, NOW_MS));
  });
});

describe('formatDuration', () => {
  test.each([
    [12, '12 ms'],
    [59_999, '59 s'],
    [245_000, '4 min 5 s'],
    [12_000_000, '3 h 20 min'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
