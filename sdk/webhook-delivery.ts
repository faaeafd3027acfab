import { ServiceError } from '../shared/errors.ts';
import {
  answerUrlValidation,
  type UrlValidationAnswer,
  verifyWebhook,
} from '../shared/zoom/webhook-signature.ts';
import type { StreamPayload } from './join-params.ts';
import { readServerUrls } from './join-params.ts';
import { liveClient } from './live-clients.ts';

/** What Zoom posts; further fields may be there. */
export interface WebhookEvent {
  readonly event: string;
  readonly event_ts?: number;
  readonly payload: StreamPayload;
}

/** Zoom's own library accepts deliveries this much older or newer than the clock, seconds. */
const MAX_SKEW_SECONDS = 300;

/**
 * @param headers `x-zm-request-timestamp` and `x-zm-signature` of the delivery
 * @param secretTokens all that are valid now
 * @returns the token that signed it
 * @throws ServiceError `webhook/bad-signature`, `webhook/stale`
 */
export function checkSignature(
  bytes: Uint8Array,
  headers: { readonly timestamp: string | undefined; readonly signature: string | undefined },
  secretTokens: readonly string[],
): string {
  const window = { nowMs: Date.now(), maxSkewSeconds: MAX_SKEW_SECONDS };
  const result = verifyWebhook({ ...headers, rawBody: bytes }, secretTokens, window);
  if (result.verdict === 'genuine') return result.secretToken;
  const code = result.verdict === 'stale' ? 'webhook/stale' : 'webhook/bad-signature';
  throw new ServiceError(code, `delivery is ${result.verdict}`);
}

/** @throws ServiceError `webhook/malformed` for what is not JSON or has no `event` */
export function parseDelivery(bytes: Uint8Array): WebhookEvent {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'), keepLongIntegers);
  } catch {
    throw new ServiceError('webhook/malformed', 'Invalid JSON received');
  }
  if (typeof value !== 'object' || value === null || !('event' in value)) throw noEvent();
  const { event } = value;
  if (typeof event !== 'string' || event === '') throw noEvent();
  return { payload: {}, ...value, event };
}

/**
 * @returns the answer to Zoom's URL validation, undefined for any other event
 * @throws ServiceError `webhook/malformed` for a challenge that must not be signed
 */
export function answerChallenge(
  { event, payload }: WebhookEvent,
  secretToken: string,
): UrlValidationAnswer | undefined {
  if (event !== 'endpoint.url_validation') return undefined;
  const { plainToken } = payload as { plainToken?: unknown };
  const answer =
    typeof plainToken === 'string' ? answerUrlValidation(secretToken, plainToken) : undefined;
  if (answer === undefined) throw new ServiceError('webhook/malformed', 'not a plain token');
  return answer;
}

/**
 * Lets a live client follow what Zoom says of its stream: a second start is a fail-over or a repeated
 * delivery, an interruption a call to come back.
 *
 * @returns whether that was all there is to it: a program that knows starts only would open a second
 *   client, and Zoom would throw the first one out
 */
export function followStream({ event, event_ts: eventTsMs, payload }: WebhookEvent): boolean {
  const stream = { ...payload, ...payload.object };
  const live = liveClient(stream.rtms_stream_id ?? '');
  if (live === undefined) return false;
  if (event.endsWith('rtms_interrupted')) live.interrupted(eventTsMs ?? Date.now());
  if (!event.endsWith('rtms_started')) return false;
  live.failOver(readServerUrls(stream.server_urls));
  return true;
}

/** A Phone `call_id` sent as a number has 19 digits, more than a double holds: keep its text. */
function keepLongIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^\d+$/.test(source) ? source : value;
}

function noEvent(): ServiceError {
  return new ServiceError('webhook/malformed', 'Missing event');
}
