import { ServiceError } from '../../shared/errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Parses a duration: `90s`, `10m`, `1.5h`, `500ms`, `2d`.
 *
 * @returns milliseconds
 * @throws ServiceError `config/invalid`
 */
export function parseDuration(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs !== undefined) return Math.round(Number(number) * unitMs);
  throw new ServiceError('config/invalid', `"${text}" is no duration: write 90s, 10m or 2h`);
}

/**
 * Parses a moment: RFC 3339 (`2026-11-22T10:00:00Z`), how long ago (`10m`), or a time of the day (`10:00`, `yesterday 10:00`)
 * on this machine's clock. A time alone is the last such time: at 00:10, `23:50` is of yesterday.
 *
 * @returns Unix ms
 * @throws ServiceError `config/invalid`
 */
export function parseMoment(text: string, nowMs: number): number {
  const ms = momentOf(text, nowMs);
  if (ms !== undefined) return ms;
  const forms = 'write 2026-11-22T10:00:00Z, yesterday 10:00, or how long ago: 10m';
  throw new ServiceError('config/invalid', `"${text}" is no moment: ${forms}`);
}

/** As `parseMoment`, but returns undefined for a text that is no moment. */
function momentOf(text: string, nowMs: number): number | undefined {
  return spanOf(text, nowMs)?.fromMs;
}

/**
 * Finds the span that a text for `parseMoment` means: `10:00` is all of that minute, a day is all of that day.
 *
 * @returns both ends belong to the span; undefined for a text that is no moment
 */
export function spanOf(
  text: string,
  nowMs: number,
): { readonly fromMs: number; readonly toMs: number } | undefined {
  if (/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/.test(text)) {
    const ms = nowMs - parseDuration(text);
    return { fromMs: ms, toMs: ms };
  }
  const fromMs = timeOfDay(text, nowMs) ?? dateAndTime(text);
  if (fromMs === undefined) return undefined;
  return { fromMs, toMs: fromMs + lengthMs(text) - 1 };
}

function timeOfDay(text: string, nowMs: number): number | undefined {
  const [, day, hours, minutes, seconds] =
    /^(?:(today|yesterday) )?(\d{1,2}):(\d\d)(?::(\d\d))?$/.exec(text) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59) return undefined;
  if (Number(seconds ?? 0) > 59) return undefined;
  const moment = new Date(nowMs);
  moment.setHours(Number(hours), Number(minutes), Number(seconds ?? 0), 0);
  // Users ask for what has happened, so a time without a day that is still to come today is of yesterday.
  const isYesterday = day === undefined ? moment.getTime() > nowMs : day === 'yesterday';
  if (isYesterday) moment.setDate(moment.getDate() - 1);
  return moment.getTime();
}

function dateAndTime(text: string): number | undefined {
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** Length of the smallest unit that the text gives: a millisecond, a second, a minute or a day. */
function lengthMs(text: string): number {
  if (/:\d\d:\d\d[.,]\d/.test(text)) return 1;
  if (/\d:\d\d:\d\d/.test(text)) return 1_000;
  return /\d:\d\d/.test(text) ? 60_000 : 86_400_000;
}

/** Writes a duration with two units at most: `850 ms`, `12 s`, `4 min 5 s`, `3 h 20 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
