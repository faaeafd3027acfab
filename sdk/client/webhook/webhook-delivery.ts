import { ServiceError } from '../../../shared/errors.ts';
import {
  answerUrlValidation,
  type UrlValidationAnswer,
  verifyWebhook,
} from '../../../shared/zoom/webhook-signature.ts';
import { liveClient } from '../live-clients.ts';
import { type StreamPayload, serverUrlsOf, streamIdOf } from '../settings/join-params.ts';
import { parseExact, rememberLongIds } from './exact-json.ts';

/** What Zoom posts, unchanged: `event`, `event_ts`, and `payload`, for a started event with the fields of a stream. */
// biome-ignore lint/suspicious/noExplicitAny: the type of Zoom's SDK; programs written for it compile with no other
export type WebhookEvent = Record<string, any>;

/** A delivery with the two fields that every event of Zoom has. */
export interface ReceivedDelivery {
  /** For the program: key order and numbers are as Zoom wrote them. */
  readonly body: WebhookEvent;
  readonly event: string;
  readonly payload: StreamPayload;
}

/** How much older or newer than our clock a delivery may be, seconds; as in Zoom's own library. */
const MAX_SKEW_SECONDS = 300;

/**
 * Checks that Zoom signed a delivery, and recently.
 *
 * @param headers `x-zm-request-timestamp` and `x-zm-signature` of the delivery
 * @param secretTokens every token that is valid now
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
 * Parses a delivery. `JSON.stringify` of the returned `body` gives the text that was received, so that a program can
 * check Zoom's signature as Zoom's examples do.
 *
 * @throws ServiceError `webhook/malformed` for text that is not JSON, has no `event`, or has a `payload` that is no
 *   object
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
    // Not enumerable, so that JSON.stringify still gives the text that was received.
    Object.defineProperty(body, 'payload', { value: {}, writable: true, configurable: true });
  }
  const { event, payload } = body;
  if (typeof event !== 'string' || event === '') throw malformed('event');
  if (!isObject(payload)) throw malformed('payload');
  rememberLongIds(payload);
  return { body, event, payload };
}

/**
 * Answers Zoom's URL validation.
 *
 * @returns the answer; undefined for any other event
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
 * Tells the client that is on a stream what Zoom says of it: a second start means a fail-over or a repeated delivery,
 * an interruption asks the client to reconnect.
 *
 * @returns whether the event must not reach the program: for a second start most programs would open a second client,
 *   and Zoom would end the connection of the first
 */
export function followStream({ body, event, payload }: ReceivedDelivery): boolean {
  const live = liveClient(streamIdOf(payload) ?? '');
  if (live === undefined) return false;
  const eventTsMs: unknown = body['event_ts'];
  if (event.endsWith('rtms_interrupted')) {
    live.interrupted(typeof eventTsMs === 'number' ? eventTsMs : Date.now());
  }
  if (!event.endsWith('rtms_started')) return false;
  live.failOver(serverUrlsOf(payload));
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(field: string): ServiceError {
  return new ServiceError('webhook/malformed', `Missing or invalid field "${field}"`);
}
