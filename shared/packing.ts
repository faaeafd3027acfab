import * as v from 'valibot';
import { ServiceError } from './errors.ts';

/** When and how the tasks of a fleet give their sessions to each other, so that some end up empty and can be stopped. */
export interface Packing {
  /** Time of day, `HH:MM`, at which packing may begin and at which it ends; past midnight when `to` is earlier. */
  readonly from: string;
  readonly to: string;
  /** IANA time zone of both. */
  readonly timeZone: string;
  /** Only while less than this share of all slots is used. */
  readonly belowPercent: number;
  /**
   * `audio`: only sessions that Zoom sends audio alone. Zoom keeps that for them while they move, so nothing is lost.
   * `all`: the others too. Each loses the transcript, chat, video and share of the second or two in which nobody is connected.
   */
  readonly sessions: 'audio' | 'all';
  /** The fleet is not packed into fewer tasks than scaling keeps in any case. */
  readonly keepTasks: number;
}

/** `HH:MM`. */
export const TIME_OF_DAY = /^([01]\d|2[0-3]):[0-5]\d$/;

const timeOfDay = v.pipe(v.string(), v.regex(TIME_OF_DAY));
const PACKING = v.object({
  from: timeOfDay,
  to: timeOfDay,
  timeZone: v.string(),
  belowPercent: v.pipe(v.number(), v.minValue(1), v.maxValue(50)),
  sessions: v.picklist(['audio', 'all']),
  keepTasks: v.pipe(v.number(), v.integer(), v.minValue(1)),
} satisfies Record<keyof Packing, unknown>);

/**
 * Reads the `PACKING` variable.
 *
 * @returns undefined for `off`
 * @throws ServiceError `config/invalid` naming what is missing or wrong
 */
export function parsePacking(text: string): Packing | undefined {
  if (text === 'off') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ServiceError('config/invalid', 'packing is neither off nor JSON');
  }
  const parsed = v.safeParse(PACKING, value);
  if (parsed.success) return parsed.output;
  const fields = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'the whole');
  throw new ServiceError('config/invalid', `packing is wrong at ${fields.join(', ')}`);
}

/** @param nowMs wall clock, Unix ms */
export function isPackingTime(
  { from, to, timeZone }: Pick<Packing, 'from' | 'to' | 'timeZone'>,
  nowMs: number,
): boolean {
  const now = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(nowMs);
  return from < to ? from <= now && now < to : now >= from || now < to;
}
