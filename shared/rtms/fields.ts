import { ServiceError } from '../errors.ts';

/** A parsed JSON object of unknown shape. */
export type JsonObject = { readonly [key: string]: unknown };

/**
 * A known message whose content is not what Zoom's documents and samples allow.
 *
 * @param field the wire name of the first offending field
 */
export function malformed(
  msgType: number,
  field: string,
  from: { userId?: number | undefined; channelId?: string | undefined } = {},
): ServiceError {
  const { userId, channelId } = from;
  return new ServiceError('rtms/malformed-message', `message ${msgType}: bad ${field}`, {
    detail: {
      msgType,
      field,
      ...(userId !== undefined && { userId }),
      ...(channelId !== undefined && { channelId }),
    },
  });
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws ServiceError `rtms/malformed-message` unless `object[field]` is a string */
export function requiredString(msgType: number, object: JsonObject, field: string): string {
  const value = object[field];
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw malformed(msgType, field);
}

/** A string or a number as a string; anything else, and the empty string, is absent. */
export function optionalString(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' ? String(value) : undefined;
}

/** @throws ServiceError `rtms/malformed-message` unless `object[field]` is an integer */
export function requiredInteger(msgType: number, object: JsonObject, field: string): number {
  const value = object[field];
  if (Number.isInteger(value)) return value as number;
  throw malformed(msgType, field);
}

export function optionalInteger(value: unknown): number | undefined {
  return Number.isInteger(value) ? (value as number) : undefined;
}

const UINT32_MAX = 0xffff_ffff;

/**
 * A participant id as number or decimal string; -1, which Zoom's SDK uses for the mix, is absent.
 *
 * @throws ServiceError `rtms/malformed-message` for anything else that is not an unsigned 32-bit number
 */
export function optionalUserId(msgType: number, value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const id = typeof value === 'string' ? Number(value) : value;
  if (id === -1) return undefined;
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= UINT32_MAX) return id;
  throw malformed(msgType, 'user_id');
}

/** @throws ServiceError `rtms/malformed-message` when there is no valid id */
export function requiredUserId(msgType: number, value: unknown): number {
  const id = optionalUserId(msgType, value);
  if (id === undefined) throw malformed(msgType, 'user_id');
  return id;
}

const FIRST_TIME_MS = Date.UTC(2000);
const TIMES_END_MS = Date.UTC(2200);

/**
 * Whole Unix milliseconds from a time in seconds, milliseconds or microseconds, told apart by magnitude:
 * Zoom's documents say milliseconds, its live transcripts microseconds, one of its examples seconds. What is
 * no time from 2000 to 2199 then is no time, 0 included, which stands for "not set".
 */
export function toUnixMs(value: number): number | undefined {
  let ms = value * 1_000;
  if (value >= 1e15) ms = value / 1_000;
  else if (value >= 1e11) ms = value;
  return ms >= FIRST_TIME_MS && ms < TIMES_END_MS ? Math.trunc(ms) : undefined;
}

/** A time as number or text. A wrong one is absent: it is not worth the message that carries it. */
export function optionalTimeMs(value: unknown): number | undefined {
  if (typeof value === 'number') return toUnixMs(value);
  return typeof value === 'string' ? toUnixMs(Number(value)) : undefined;
}

const MAX_RAW_DEPTH = 64;

/**
 * Lets a value of unknown shape through as it is, if it can be written as JSON again without exhausting the
 * stack.
 *
 * @throws ServiceError `rtms/malformed-message` when nested deeper than 64 levels
 */
export function passThrough(msgType: number, value: unknown): unknown {
  if (!isWithinDepth(value, MAX_RAW_DEPTH)) throw malformed(msgType, 'nesting');
  return value;
}

function isWithinDepth(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  return Object.values(value).every((inner) => isWithinDepth(inner, depth - 1));
}
