import { randomBytes } from 'node:crypto';
import { ServiceError } from '../../shared/errors.ts';
import type { VerifyingApp } from '../../shared/zoom/credentials.ts';
import { answerUrlValidation, signWebhook } from '../../shared/zoom/webhook-signature.ts';
import { webhookUrlOf } from '../../shared/zoom/webhook-url.ts';

/** Zoom counts a webhook as failed after this long. */
const ZOOM_TIMEOUT_MS = 3000;

/**
 * Knocks for every Zoom app at the address that Zoom posts its webhooks to.
 *
 * @throws ServiceError `webhook/canary-failed` naming every app whose knock failed, with the first one's cause
 */
export async function knockAtAll(
  webhookUrl: string,
  apps: ReadonlyMap<string, VerifyingApp>,
): Promise<void> {
  const knocks = [...apps].map(async ([app, { webhookSecretTokens }]) => {
    const [token = ''] = webhookSecretTokens;
    return knock(webhookUrlOf(webhookUrl, app), token).then(
      () => [],
      (cause: unknown) => [{ app, cause }],
    );
  });
  const failures = (await Promise.all(knocks)).flat();
  if (failures.length === 0) return;
  throw new ServiceError('webhook/canary-failed', 'the webhook failed for some Zoom apps', {
    cause: failures[0]?.cause,
    detail: { apps: failures.map(({ app }) => app) },
  });
}

/**
 * Posts a URL validation as Zoom would and checks the answer: the route, the signature check, the secret
 * and its token all work. Nothing is stored for it.
 *
 * @throws ServiceError `webhook/canary-failed` when there is no answer within 3 s, or a wrong one
 */
export async function knock(webhookUrl: string, secretToken: string): Promise<void> {
  const plainToken = randomBytes(16).toString('base64url');
  const body = JSON.stringify({
    event: 'endpoint.url_validation',
    event_ts: Date.now(),
    payload: { plainToken },
  });
  const { status, answer } = await post(webhookUrl, secretToken, body);
  if (status !== 200) throw failed('the webhook refused the challenge', { status });
  const expected = answerUrlValidation(secretToken, plainToken)?.encryptedToken;
  if (readEncryptedToken(answer) !== expected) {
    throw failed('the webhook answered the challenge wrongly', { status });
  }
}

async function post(webhookUrl: string, secretToken: string, body: string) {
  const timestamp = String(Math.floor(Date.now() / 1000));
  try {
    const response = await fetch(webhookUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-zm-request-timestamp': timestamp,
        'x-zm-signature': signWebhook(secretToken, timestamp, body),
      },
      body,
      signal: AbortSignal.timeout(ZOOM_TIMEOUT_MS),
    });
    return { status: response.status, answer: await response.text() };
  } catch (cause) {
    throw failed('no answer from the webhook', {}, cause);
  }
}

function readEncryptedToken(answer: string): unknown {
  try {
    const parsed: unknown = JSON.parse(answer);
    return (parsed as { encryptedToken?: unknown } | null)?.encryptedToken;
  } catch {
    return undefined;
  }
}

function failed(what: string, detail: { status?: number }, cause?: unknown): ServiceError {
  return new ServiceError('webhook/canary-failed', what, {
    detail,
    ...(cause === undefined ? {} : { cause }),
  });
}
