import { ServiceError } from '../../../shared/errors.ts';
import {
  answerUrlValidation,
  type UrlValidationAnswer,
  verifyWebhook,
} from '../../../shared/zoom/webhook-signature.ts';
import { liveClient } from '../live-clients.ts';
import { readServerUrls, type StreamPayload } from '../settings/join-params.ts';
import { rememberLongIds } from '../settings/long-ids.ts';
import { parseExact } from './exact-json.ts';

/** What Zoom posts, as it wrote it: `event`, `event_ts`, and `payload` with the fields of a started stream. */
// biome-ignore lint/suspicious/noExplicitAny: the type of Zoom's SDK; programs written for it compile with no other
export type WebhookEvent = Record<string, any>;

/** A delivery that has the two fields every event of Zoom's has. */
export interface ReceivedDelivery {
  /** Handed to the program as it is: key order and numbers are Zoom's. */
  readonly body: WebhookEvent;
  readonly event: string;
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

/**
 * `JSON.stringify` of the `body` returned is the text that came, so that a program can check Zoom's signature
 * the way Zoom's examples do.
 *
 * @throws ServiceError `webhook/malformed` for what is not JSON, has no `event`, or a `payload` that is no object
 */
export function parseDelivery(bytes: Uint8Array): ReceivedDelivery {
  let body: unknown;
  try {
    body = parseExact(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw new ServiceError('webhook/malformed', 'Invalid JSON received');
  }
  if (!isObject(body)) throw malformed('event');
  if (!Object.hasOwn(body, 'payload')) {
    // Not enumerable, so that the event is still spelled as it came.
    Object.defineProperty(body, 'payload', { value: {}, writable: true, configurable: true });
  }
  const { event, payload } = body;
  if (typeof event !== 'string' || event === '') throw malformed('event');
  if (!isObject(payload)) throw malformed('payload');
  rememberLongIds(payload);
  return { body, event, payload };
}

/**
 * @returns the answer to Zoom's URL validation, undefined for any other event
 * @throws ServiceError `webhook/malformed` for a challenge that must not be signed
 */
export function answerChallenge(
  { event, payload }: ReceivedDelivery,
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
export function followStream({ body, event, payload }: ReceivedDelivery): boolean {
  const stream = { ...payload, ...payload.object };
  const live = liveClient(stream.rtms_stream_id ?? '');
  if (live === undefined) return false;
  const eventTsMs: unknown = body['event_ts'];
  if (event.endsWith('rtms_interrupted')) {
    live.interrupted(typeof eventTsMs === 'number' ? eventTsMs : Date.now());
  }
  if (!event.endsWith('rtms_started')) return false;
  live.failOver(readServerUrls(stream.server_urls));
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(field: string): ServiceError {
  return new ServiceError('webhook/malformed', `Missing or invalid field "${field}"`);
}
