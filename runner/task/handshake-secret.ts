import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { HandshakeCredentials } from '../../rtms/protocol/client-messages.ts';
import type { Product } from '../../rtms/protocol/product.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { ApiCredentials } from '../../shared/zoom/api-credentials.ts';
import {
  handshakeCredentials,
  parseSigningSecret,
  type SigningApp,
  type ZoomApps,
} from '../../shared/zoom/credentials.ts';
import { loadApps, SecretCache } from '../../shared/zoom/zoom-secret.ts';

/** All sessions together read the secret at most this often. Each one asks for it while Zoom refuses its signature. */
const RETRY_MS = 5_000;

/** What signs handshakes. `refresh` keeps it up to date, so that no meeting waits for Secrets Manager. */
export class HandshakeSecret {
  readonly #cache: SecretCache<ZoomApps<SigningApp>>;

  constructor(
    client: SecretsManagerClient,
    { secretId, refreshMs }: { readonly secretId: string; readonly refreshMs: number },
    logger: Logger,
  ) {
    const read = (id: string) => fetchWith(client, new GetSecretValueCommand({ SecretId: id }));
    const leftOut = (error: unknown) =>
      logger.warn('a Zoom secret or an app of one is left out', { event: 'secret_failed', error });
    this.#cache = new SecretCache({
      load: () => loadApps(secretId, read, parseSigningSecret, leftOut),
      keepMs: refreshMs,
      retryMs: RETRY_MS,
      onFailure: (error) => logger.warn('Zoom secret not read', { event: 'secret_failed', error }),
      now: () => performance.now(),
    });
  }

  /** Reads the secret now. @throws ServiceError `config/invalid` when it cannot be read or is wrong */
  async read(): Promise<void> {
    await this.#cache.read();
  }

  /** Reads the secret if it is due; to be called every few seconds. A failure keeps the last contents. */
  async refresh(): Promise<void> {
    await this.#cache.get();
  }

  /**
   * What signs the handshakes of a stream. Reads the secret again for an app that it does not know, because the app may
   * have been added since.
   *
   * @throws ServiceError `config/invalid` when the secret does not know the app, or was never read
   *   and cannot be
   */
  async credentials(app: string, product: Product): Promise<HandshakeCredentials> {
    const secret = this.#cache.latest ?? (await this.#cache.get());
    try {
      return credentialsOf(secret, app, product);
    } catch (error) {
      const fresh = await this.#cache.refetch();
      if (fresh === undefined) throw error;
      return credentialsOf(fresh, app, product);
    }
  }

  /** Names of the apps, as far as the secret is read. */
  get apps(): readonly string[] {
    return [...(this.#cache.latest?.apps.keys() ?? [])];
  }

  /** What asks Zoom's REST API in the name of an app's account, as far as the secret is read; undefined for nothing. */
  api(app: string): ApiCredentials | undefined {
    return this.#cache.latest?.apps.get(app)?.api;
  }

  /** The same, after Zoom has refused a signature: reads the secret again, every 5 s at most. */
  async renewed(app: string, product: Product): Promise<HandshakeCredentials> {
    await this.#cache.refetch();
    return this.credentials(app, product);
  }
}

async function fetchWith(
  client: SecretsManagerClient,
  read: GetSecretValueCommand,
): Promise<string> {
  try {
    return (await client.send(read)).SecretString ?? '';
  } catch (cause) {
    throw new ServiceError('config/invalid', 'the Zoom secret cannot be read', { cause });
  }
}

function credentialsOf({ apps }: ZoomApps<SigningApp>, app: string, product: Product) {
  const known = apps.get(app);
  if (known === undefined) {
    throw new ServiceError('config/invalid', `the Zoom secret does not know the app "${app}"`);
  }
  return handshakeCredentials(known, product);
}
