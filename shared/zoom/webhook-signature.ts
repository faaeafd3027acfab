import { createHmac, timingSafeEqual } from 'node:crypto';

/** Whether Zoom sent a delivery, by its two signature headers. */
export type WebhookVerdict =
  | {
      readonly verdict: 'genuine';
      /** The secret token that signed it. The answer to a URL validation has to be signed with the same one. */
      readonly secretToken: string;
    }
  | {
      /** `unsigned`: a header is missing or has another shape; `stale`: outside the window; `forged`: no token fits. */
      readonly verdict: 'unsigned' | 'stale' | 'forged';
    };

/**
 * Signs a delivery as Zoom does: `v0=` + hex(HMAC-SHA256(token, `v0:<timestamp>:<raw body>`)).
 *
 * @param timestamp Unix seconds, the very text of the `x-zm-request-timestamp` header
 * @param rawBody the bytes as received: a body that was parsed and serialised again has another signature
 * @see https://developers.zoom.us/docs/api/webhooks/ (read 2026-11-22)
 */
export function signWebhook(
  secretToken: string,
  timestamp: string,
  rawBody: string | Uint8Array,
): string {
  const hmac = createHmac('sha256', secretToken).update(`v0:${timestamp}:`).update(rawBody);
  return `v0=${hmac.digest('hex')}`;
}

/**
 * Judges a delivery. How long this takes tells nothing about the tokens: neither how much of a wrong signature is right,
 * nor which token fits.
 *
 * @param delivery `timestamp` and `signature` are the header values, undefined where absent
 * @param secretTokens all that are valid now: two during a rotation
 */
export function verifyWebhook(
  delivery: {
    readonly timestamp: string | undefined;
    readonly signature: string | undefined;
    readonly rawBody: Uint8Array;
  },
  secretTokens: readonly string[],
  window: { readonly nowMs: number; readonly maxSkewSeconds: number },
): WebhookVerdict {
  const { timestamp = '', signature = '', rawBody } = delivery;
  if (!/^\d{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) {
    return { verdict: 'unsigned' };
  }
  if (Math.abs(window.nowMs / 1000 - Number(timestamp)) > window.maxSkewSeconds) {
    return { verdict: 'stale' };
  }
  const received = Buffer.from(signature);
  let secretToken: string | undefined;
  for (const candidate of secretTokens) {
    const expected = Buffer.from(signWebhook(candidate, timestamp, rawBody));
    if (timingSafeEqual(received, expected)) secretToken = candidate;
  }
  return secretToken === undefined ? { verdict: 'forged' } : { verdict: 'genuine', secretToken };
}

/** Body of the answer to an `endpoint.url_validation`. */
export interface UrlValidationAnswer {
  readonly plainToken: string;
  readonly encryptedToken: string;
}

/**
 * Answers Zoom's URL validation, unless the token looks like the signed text of a delivery (`v0:…`): the answer would
 * then be a valid signature for a forged delivery.
 *
 * @returns undefined when the token must not be signed
 */
export function answerUrlValidation(
  secretToken: string,
  plainToken: string,
): UrlValidationAnswer | undefined {
  if (/^\s*v\d+:/i.test(plainToken)) return undefined;
  const encryptedToken = createHmac('sha256', secretToken).update(plainToken).digest('hex');
  return { plainToken, encryptedToken };
}
