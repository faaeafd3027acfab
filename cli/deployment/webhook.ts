import { randomBytes } from 'node:crypto';
import { ServiceError } from '../../shared/errors.ts';
import {
  judgeUrlValidation,
  signedWebhook,
  type UrlValidationResult,
  urlValidation,
  type WebhookRequest,
  ZOOM_WEBHOOK_TIMEOUT_MS,
} from '../../shared/zoom/webhook-request.ts';

/** What the webhook answered: HTTP status, body, and how long the answer took. */
export interface WebhookAnswer {
  readonly status: number;
  readonly body: string;
  readonly durationMs: number;
}

/**
 * Posts a body as Zoom would, signed with the time of now.
 *
 * @throws ServiceError `cli/unreachable` when there is no answer within 3 s
 */
export function postSigned(url: string, secretToken: string, body: string): Promise<WebhookAnswer> {
  return post(url, signedWebhook(secretToken, body, Date.now()));
}

export type Validation = WebhookAnswer & { readonly result: UrlValidationResult };

/** Asks a webhook to prove that it knows the secret token, as Zoom's *Validate* button does. Stores nothing. */
export async function validateWebhook(url: string, secretToken: string): Promise<Validation> {
  const plainToken = randomBytes(16).toString('base64url');
  const answer = await post(url, urlValidation(secretToken, plainToken, Date.now()));
  return { ...answer, result: judgeUrlValidation(secretToken, plainToken, answer) };
}

async function post(url: string, request: WebhookRequest): Promise<WebhookAnswer> {
  const startedAt = performance.now();
  try {
    const response = await fetch(url, {
      ...request,
      redirect: 'manual',
      signal: AbortSignal.timeout(ZOOM_WEBHOOK_TIMEOUT_MS),
    });
    const body = await response.text();
    return { status: response.status, body, durationMs: performance.now() - startedAt };
  } catch (cause) {
    throw new ServiceError(
      'cli/unreachable',
      `${url} did not answer within the 3 s that Zoom waits`,
      {
        cause,
        detail: { answered: false },
      },
    );
  }
}
