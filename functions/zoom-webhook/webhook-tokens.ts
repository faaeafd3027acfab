import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import {
  parseWebhookSecret,
  type VerifyingApp,
  type ZoomApps,
} from '../../shared/zoom/credentials.ts';
import { loadApps, SecretCache } from '../../shared/zoom/zoom-secret.ts';

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
