import { ServiceError } from '../shared/errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * `90s`, `10m`, `1.5h`, `500ms`, `2d`.
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
 * A moment: RFC 3339 (`2026-11-22T10:00:00Z`), how long ago (`10m`), or a time of the day (`10:00`, `yesterday 10:00`)
 * on this machine's clock.
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

/** As `parseMoment`. @returns undefined for a text that is none */
export function momentOf(text: string, nowMs: number): number | undefined {
  if (/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/.test(text)) return nowMs - parseDuration(text);
  const [, day, hours, minutes] = /^(?:(today|yesterday) )?(\d{1,2}):(\d\d)$/.exec(text) ?? [];
  if (hours !== undefined && Number(hours) < 24 && Number(minutes) < 60) {
    const moment = new Date(nowMs);
    moment.setHours(Number(hours), Number(minutes), 0, 0);
    if (day === 'yesterday') moment.setDate(moment.getDate() - 1);
    return moment.getTime();
  }
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** `850 ms`, `12 s`, `4 min 5 s`, `3 h 20 min`: two units at most. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
