import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { parseZoomSecret, type ZoomSecret } from '../../shared/zoom/credentials.ts';

/** How long a fetched secret is used without asking again. */
const CACHE_MS = 10 * 60_000;
/** At most one fetch per interval after bad signatures, so that forgers cannot flood Secrets Manager; and after failures. */
const REFETCH_INTERVAL_MS = 30_000;
/** Together with the time to store an event this must stay under Zoom's 3 s. */
const FETCH_TIMEOUT_MS = 800;

/** @returns the secret's current contents */
export type FetchSecret = (signal: AbortSignal) => Promise<string>;

export function fetchSecretFrom(client: SecretsManagerClient, secretId: string): FetchSecret {
  return async (abortSignal) => {
    const command = new GetSecretValueCommand({ SecretId: secretId });
    const { SecretString } = await client.send(command, { abortSignal });
    return SecretString ?? '';
  };
}

/** The Zoom secret, cached. When a refresh fails the last good contents stay in use. */
export class ZoomSecretCache {
  readonly #fetch: FetchSecret;
  readonly #logger: Logger;
  readonly #now: () => number;
  #current: { readonly secret: ZoomSecret; readonly fetchedAtMs: number } | undefined;
  #fetching: Promise<ZoomSecret> | undefined;
  #refetchedAtMs = Number.NEGATIVE_INFINITY;

  constructor(fetch: FetchSecret, logger: Logger, now = () => Date.now()) {
    this.#fetch = fetch;
    this.#logger = logger;
    this.#now = now;
  }

  /** Fetches ahead of the first request; a failure is left to that request. */
  async prefetch(): Promise<void> {
    await this.get().catch(() => undefined);
  }

  /** @throws ServiceError `webhook/secret-unavailable` when there is nothing cached and the fetch fails */
  async get(): Promise<ZoomSecret> {
    const current = this.#current;
    if (current && this.#now() - current.fetchedAtMs < CACHE_MS) return current.secret;
    try {
      return await this.#refresh();
    } catch (error) {
      if (current === undefined) throw error;
      this.#current = {
        ...current,
        fetchedAtMs: this.#now() - CACHE_MS + REFETCH_INTERVAL_MS,
      };
      return current.secret;
    }
  }

  /**
   * Fetches again because a signature did not fit: the secret may have been rotated.
   *
   * @returns undefined when it was tried a moment ago, or failed
   */
  async refetch(): Promise<ZoomSecret | undefined> {
    if (this.#now() - this.#refetchedAtMs < REFETCH_INTERVAL_MS) return undefined;
    this.#refetchedAtMs = this.#now();
    return await this.#refresh().catch(() => undefined);
  }

  #refresh(): Promise<ZoomSecret> {
    this.#fetching ??= this.#load().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #load(): Promise<ZoomSecret> {
    try {
      const secret = parseZoomSecret(await this.#fetch(AbortSignal.timeout(FETCH_TIMEOUT_MS)));
      this.#current = { secret, fetchedAtMs: this.#now() };
      return secret;
    } catch (cause) {
      const reason = cause instanceof ServiceError ? cause.message : (cause as Error).name;
      this.#logger.error('the Zoom secret could not be read', { reason });
      throw new ServiceError('webhook/secret-unavailable', 'no Zoom secret to verify with', {
        cause,
      });
    }
  }
}
