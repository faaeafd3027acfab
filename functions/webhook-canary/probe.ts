import { randomBytes } from 'node:crypto';
import { ServiceError } from '../../shared/errors.ts';
import type { VerifyingApp } from '../../shared/zoom/credentials.ts';
import {
  judgeUrlValidation,
  urlValidation,
  type WebhookRequest,
  webhookUrlOf,
  ZOOM_WEBHOOK_TIMEOUT_MS,
} from '../../shared/zoom/webhook-request.ts';

/**
 * Probes the webhook of every Zoom app, at the address that Zoom posts to.
 *
 * @throws ServiceError `webhook/canary-failed` naming every app whose probe failed, with the first one's cause
 */
export async function probeAll(
  webhookUrl: string,
  apps: ReadonlyMap<string, VerifyingApp>,
): Promise<void> {
  const probes = [...apps].map(async ([app, { webhookSecretTokens }]) => {
    const [token = ''] = webhookSecretTokens;
    return probe(webhookUrlOf(webhookUrl, app), token).then(
      () => [],
      (cause: unknown) => [{ app, cause }],
    );
  });
  const failures = (await Promise.all(probes)).flat();
  if (failures.length === 0) return;
  throw new ServiceError('webhook/canary-failed', 'the webhook failed for some Zoom apps', {
    cause: failures[0]?.cause,
    detail: { apps: failures.map(({ app }) => app) },
  });
}

/**
 * Posts a URL validation as Zoom would. A right answer shows that the route, the signature check, the secret and its
 * token all work. Nothing is stored for it.
 *
 * @throws ServiceError `webhook/canary-failed` when there is no answer within 3 s, or a wrong one
 */
export async function probe(webhookUrl: string, secretToken: string): Promise<void> {
  const plainToken = randomBytes(16).toString('base64url');
  const answer = await post(webhookUrl, urlValidation(secretToken, plainToken, Date.now()));
  const { status } = answer;
  const result = judgeUrlValidation(secretToken, plainToken, answer);
  if (result === 'refused') throw failed('the webhook refused the URL validation', { status });
  if (result === 'wrong_answer') {
    throw failed('the webhook answered the URL validation wrongly', { status });
  }
}

async function post(webhookUrl: string, request: WebhookRequest) {
  try {
    const response = await fetch(webhookUrl, {
      ...request,
      signal: AbortSignal.timeout(ZOOM_WEBHOOK_TIMEOUT_MS),
    });
    return { status: response.status, body: await response.text() };
  } catch (cause) {
    throw failed('no answer from the webhook', {}, cause);
  }
}

function failed(what: string, detail: { status?: number }, cause?: unknown): ServiceError {
  return new ServiceError('webhook/canary-failed', what, {
    detail,
    ...(cause === undefined ? {} : { cause }),
  });
}
