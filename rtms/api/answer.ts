import { cutText, INPUT_LIMITS } from '../../shared/input-limits.ts';
import { printable } from '../../shared/plain-text.ts';

/** Why Zoom's REST API has not done what it was asked, and why it makes no sense to ask again. */
const API_REFUSALS = [
  /** 2308: nobody who may start RTMS is in the meeting. */
  'not_allowed',
  /** The meeting has ended, or has not begun. */
  'meeting_over',
  /** Zoom does not know what the path names. */
  'not_found',
  /** The app lacks a scope. */
  'scope_missing',
  /** Account id, client id or client secret are wrong, expired or deactivated. */
  'credentials_invalid',
  /** Any other 4xx. */
  'rejected',
] as const;
export type ApiRefusal = (typeof API_REFUSALS)[number];

/** Why the same request may be answered otherwise later. */
const API_DELAYS = [
  /** 2310. Zoom says so for a moment too after a Developer Pack was bought. */
  'operation_failed',
  'rate_limited',
  /** 5xx, 408, or a status below 400 that is no success: Zoom itself is not well. */
  'unavailable',
  /** No answer in time, or no connection. The request may have been carried out all the same. */
  'unreachable',
] as const;
export type ApiDelay = (typeof API_DELAYS)[number];

/** What Zoom said, for logs and people: never a token, a secret or an address. */
interface ApiWords {
  /** HTTP status; 0: no answer. */
  readonly status: number;
  /** Zoom's own error code. */
  readonly code?: number;
  readonly text?: string;
}

export type ApiAnswer =
  | ({ readonly kind: 'ok' } & ApiWords)
  | ({ readonly kind: 'later'; readonly why: ApiDelay; readonly afterMs?: number } & ApiWords)
  | ({ readonly kind: 'refused'; readonly why: ApiRefusal } & ApiWords);

/** What an HTTP answer has of interest. */
export interface HttpAnswer {
  readonly status: number;
  readonly retryAfter?: string | null;
  readonly body: string;
}

/** Zoom's own codes that say more than the status beside them. */
const CODE_124_INVALID_TOKEN = 124;
const BY_CODE: ReadonlyMap<number, ApiRefusal | 'operation_failed'> = new Map([
  [2308, 'not_allowed'],
  [2310, 'operation_failed'],
  [3001, 'meeting_over'],
  [4711, 'scope_missing'],
]);
const BY_STATUS: ReadonlyMap<number, ApiRefusal> = new Map([
  [401, 'credentials_invalid'],
  [403, 'not_allowed'],
  [404, 'not_found'],
  [410, 'meeting_over'],
]);

/** Longest that a server may ask us to wait: Zoom's daily limits end within a day. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * What an answer of the REST API means. Pure.
 *
 * @param nowMs Unix ms
 */
export function readAnswer(answer: HttpAnswer, nowMs: number): ApiAnswer {
  const { status } = answer;
  const words = { status, ...wordsOf(answer.body) };
  if (status >= 200 && status < 300) return { kind: 'ok', ...words };
  const named = words.code === undefined ? undefined : BY_CODE.get(words.code);
  if (status === 429) return later('rate_limited', answer, words, nowMs);
  if (named === 'operation_failed') return later(named, answer, words, nowMs);
  if (named !== undefined) return { kind: 'refused', why: named, ...words };
  if (status === 408 || status >= 500 || status < 400) {
    return later('unavailable', answer, words, nowMs);
  }
  if (saysScope(words.text)) return { kind: 'refused', why: 'scope_missing', ...words };
  return { kind: 'refused', why: BY_STATUS.get(status) ?? 'rejected', ...words };
}

/** The same for the OAuth endpoint, whose 4xx are about the credentials. */
export function readTokenAnswer(answer: HttpAnswer, nowMs: number): ApiAnswer {
  const read = readAnswer(answer, nowMs);
  return read.kind === 'refused' ? { ...read, why: 'credentials_invalid' } : read;
}

/** Whether Zoom says that the token is not valid, or no longer. */
export function isTokenRefused({ status, code }: ApiAnswer): boolean {
  return status === 401 && (code === undefined || code === CODE_124_INVALID_TOKEN);
}

/** @returns ms from `nowMs`; undefined when the header says nothing. Seconds, an HTTP date, or an ISO date as Zoom sends */
export function retryAfterMs(header: string | null | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (text === '') return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms)) : undefined;
}

function later(why: ApiDelay, answer: HttpAnswer, words: ApiWords, nowMs: number): ApiAnswer {
  const afterMs = retryAfterMs(answer.retryAfter, nowMs);
  return { kind: 'later', why, ...words, ...(afterMs !== undefined && { afterMs }) };
}

function saysScope(text: string | undefined): boolean {
  return text !== undefined && /\bscopes?\b/i.test(text);
}

/** `{"code": 2308, "message": "…"}` of the API, `{"reason": "…", "error": "…"}` of OAuth. */
function wordsOf(body: string): { code?: number; text?: string } {
  try {
    const { code, message, reason, error } = JSON.parse(body) ?? {};
    const text = [message, reason, error].find((each) => typeof each === 'string' && each !== '');
    return {
      ...(Number.isSafeInteger(code) && { code }),
      ...(text !== undefined && { text: cutText(printable(text), INPUT_LIMITS.reasonBytes) }),
    };
  } catch {
    return {};
  }
}
