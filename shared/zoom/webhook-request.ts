import { DEFAULT_APP } from './credentials.ts';
import { answerUrlValidation, signWebhook } from './webhook-signature.ts';

/** Zoom counts a webhook as failed when there is no answer after this long. */
export const ZOOM_WEBHOOK_TIMEOUT_MS = 3_000;

/** @returns where Zoom posts the webhooks of an app */
export function webhookUrlOf(webhookUrl: string, app: string): string {
  return app === DEFAULT_APP ? webhookUrl : `${webhookUrl.replace(/\/+$/, '')}/${app}`;
}

/** One webhook as Zoom posts it, for `fetch`. */
export interface WebhookRequest {
  readonly method: 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @param nowMs Unix ms; a request is refused as stale some minutes later */
export function signedWebhook(secretToken: string, body: string, nowMs: number): WebhookRequest {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'x-zm-request-timestamp': timestamp,
    'x-zm-signature': signWebhook(secretToken, timestamp, body),
  };
  return { method: 'POST', headers, body };
}

/**
 * What Zoom's *Validate* button posts: a webhook that knows the secret token proves it, and nothing is stored for it.
 *
 * @param plainToken random, so that an answer cannot be a recorded one
 */
export function urlValidation(
  secretToken: string,
  plainToken: string,
  nowMs: number,
): WebhookRequest {
  const event = {
    event: 'endpoint.url_validation',
    event_ts: nowMs,
    payload: { plainToken },
  };
  return signedWebhook(secretToken, JSON.stringify(event), nowMs);
}

/** `wrong_answer`: 200, but not the proof that Zoom asks for. */
export type UrlValidationResult = 'valid' | 'refused' | 'wrong_answer';

/** Judges the answer to `urlValidation` with the same token. */
export function judgeUrlValidation(
  secretToken: string,
  plainToken: string,
  answer: { readonly status: number; readonly body: string },
): UrlValidationResult {
  if (answer.status !== 200) return 'refused';
  const expected = answerUrlValidation(secretToken, plainToken)?.encryptedToken;
  return encryptedTokenOf(answer.body) === expected ? 'valid' : 'wrong_answer';
}

function encryptedTokenOf(body: string): unknown {
  try {
    const parsed: unknown = JSON.parse(body);
    return (parsed as { encryptedToken?: unknown } | null)?.encryptedToken;
  } catch {
    return undefined;
  }
}
