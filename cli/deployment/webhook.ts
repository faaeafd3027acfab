import { randomBytes } from 'node:crypto';
import { ServiceError } from '../../shared/errors.ts';
import { answerUrlValidation, signWebhook } from '../../shared/zoom/webhook-signature.ts';

/** Zoom counts a webhook as failed after this long. */
const ZOOM_TIMEOUT_MS = 3_000;

export interface WebhookAnswer {
  readonly status: number;
  readonly body: string;
  readonly durationMs: number;
}

/**
 * Posts a body as Zoom would, signed now.
 *
 * @throws ServiceError `cli/unreachable` when there is no answer within 3 s
 */
export async function postWebhook(
  url: string,
  secretToken: string,
  body: string,
): Promise<WebhookAnswer> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const startedAt = performance.now();
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'x-zm-request-timestamp': timestamp,
        'x-zm-signature': signWebhook(secretToken, timestamp, body),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ZOOM_TIMEOUT_MS),
    });
    const text = await response.text();
    return { status: response.status, body: text, durationMs: performance.now() - startedAt };
  } catch (cause) {
    throw new ServiceError('cli/unreachable', `${url} did not answer within 3 s, as Zoom demands`, {
      cause,
      detail: { answered: false },
    });
  }
}

export type Validation = WebhookAnswer & {
  /** `wrong_answer`: 200, but not the proof that Zoom asks for. */
  readonly result: 'valid' | 'refused' | 'wrong_answer';
};

/** Asks a webhook to prove that it knows the secret token, as Zoom's *Validate* button does. Stores nothing. */
export async function validateWebhook(url: string, secretToken: string): Promise<Validation> {
  const plainToken = randomBytes(16).toString('base64url');
  const answer = await postWebhook(
    url,
    secretToken,
    JSON.stringify({
      event: 'endpoint.url_validation',
      event_ts: Date.now(),
      payload: { plainToken },
    }),
  );
  if (answer.status !== 200) return { ...answer, result: 'refused' };
  const expected = answerUrlValidation(secretToken, plainToken)?.encryptedToken;
  return {
    ...answer,
    result: encryptedTokenOf(answer.body) === expected ? 'valid' : 'wrong_answer',
  };
}

function encryptedTokenOf(body: string): unknown {
  try {
    const parsed: unknown = JSON.parse(body);
    return (parsed as { encryptedToken?: unknown } | null)?.encryptedToken;
  } catch {
    return undefined;
  }
}
