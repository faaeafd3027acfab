import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { MiddlewareObj } from '@middy/core';
import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import {
  parseWebhookSecret,
  type VerifyingApp,
  type ZoomApps,
} from '../../shared/zoom/credentials.ts';
import { verifyWebhook, type WebhookVerdict } from '../../shared/zoom/webhook-signature.ts';
import { loadApps, SecretCache } from '../../shared/zoom/zoom-secret.ts';
import type { ZoomDelivery } from './delivery.ts';

/** Forged signatures, or a Secrets Manager that does not answer, make the function read at most this often. */
const RETRY_MS = 30_000;
/** Together with the time to store an event this must stay under Zoom's 3 s. */
const READ_TIMEOUT_MS = 800;

/** The webhook tokens of all apps. They are read again when a request finds them old: no timer runs between requests. */
export type WebhookTokens = SecretCache<ZoomApps<VerifyingApp>>;

/** @returns a cache that throws ServiceError `webhook/secret-unavailable` while it has no contents */
export function createWebhookTokens(
  client: SecretsManagerClient,
  { secretId, refreshMs }: { readonly secretId: string; readonly refreshMs: number },
  logger: Logger,
): WebhookTokens {
  const read = async (SecretId: string) => {
    const abortSignal = AbortSignal.timeout(READ_TIMEOUT_MS);
    const command = new GetSecretValueCommand({ SecretId });
    return (await client.send(command, { abortSignal })).SecretString ?? '';
  };
  const leftOut = (error: unknown) =>
    logger.error('a Zoom secret or an app of one is left out', { error });
  return new SecretCache({
    load: async () => {
      try {
        return await loadApps(secretId, read, parseWebhookSecret, leftOut);
      } catch (cause) {
        throw new ServiceError('webhook/secret-unavailable', 'no Zoom secret to verify with', {
          cause,
        });
      }
    },
    keepMs: refreshMs,
    retryMs: RETRY_MS,
    onFailure: (error) => logger.error('the Zoom secret could not be read', { error }),
    // The wall clock, because a monotonic clock stands still while Lambda has the function frozen.
    now: () => Date.now(),
  });
}

/**
 * Lets through only what one of the app's secret tokens signed, over the raw bytes, within `maxSkewSeconds` of our clock.
 * An unknown app is refused like a wrong signature, so that the names of apps cannot be guessed. When a signature fits
 * no token the secret is read again, at most every 30 s, so that a rotation needs no deployment.
 */
export function verifySignature(options: {
  readonly tokens: WebhookTokens;
  readonly maxSkewSeconds: number;
}): MiddlewareObj<ZoomDelivery> {
  const { tokens, maxSkewSeconds } = options;
  return {
    before: async ({ event }) => {
      const judge = (contents: ZoomApps<VerifyingApp>): WebhookVerdict =>
        verifyWebhook(
          {
            timestamp: event.headers['x-zm-request-timestamp'],
            signature: event.headers['x-zm-signature'],
            rawBody: event.rawBody,
          },
          contents.apps.get(event.app)?.webhookSecretTokens ?? [],
          { nowMs: Date.now(), maxSkewSeconds },
        );
      let verdict = judge(await tokens.get());
      if (verdict.verdict === 'forged') {
        const fresh = await tokens.refetch();
        if (fresh !== undefined) verdict = judge(fresh);
      }
      if (verdict.verdict !== 'genuine') throw refusal(verdict.verdict);
      event.secretToken = verdict.secretToken;
    },
  };
}

function refusal(verdict: 'unsigned' | 'stale' | 'forged'): ServiceError {
  const detail = { verdict };
  if (verdict === 'stale') {
    return new ServiceError('webhook/stale', 'signed too long ago, or in the future', { detail });
  }
  return new ServiceError('webhook/bad-signature', 'no valid signature', { detail });
}
