import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration, parseMoment, spanOf } from './time.ts';

const NOW_MS = Date.parse('2026-11-22T10:00:00Z');

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '10', 'm', '-1s', '1 s', 'soon'])('refuses "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });
});

describe('parseMoment', () => {
  it.each([
    ['10m', NOW_MS - 600_000],
    ['2026-11-22T09:00:00Z', NOW_MS - 3_600_000],
    ['2026-11-22T10:00:00.250+01:00', NOW_MS - 3_600_000 + 250],
    ['14:30', new Date(NOW_MS).setHours(14, 30, 0, 0)],
    ['today 9:05', new Date(NOW_MS).setHours(9, 5, 0, 0)],
    ['14:30:05', new Date(NOW_MS).setHours(14, 30, 5, 0)],
    ['yesterday 10:00', new Date(NOW_MS - 86_400_000).setHours(10, 0, 0, 0)],
  ])('reads %s', (text, ms) => {
    expect(parseMoment(text, NOW_MS)).toBe(ms);
  });

  it.each(['yesterday', 'yesterday 25:00', '10:60', '10:00:60', '5', '2026-13-99T00:00:00Z'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseMoment(text, NOW_MS)).toThrow(/is no moment/);
    },
  );
});

describe('spanOf', () => {
  it.each([
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
  it.each([
    [12, '12 ms'],
    [59_999, '59 s'],
    [245_000, '4 min 5 s'],
    [12_000_000, '3 h 20 min'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
