import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ServiceError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Product } from '../shared/rtms/product.ts';
import {
  type HandshakeCredentials,
  handshakeCredentials,
  parseZoomSecret,
  type ZoomSecret,
} from '../shared/zoom/credentials.ts';

/** A rotation reaches the next session after this long at most. */
const KEEP_MS = 10 * 60_000;

/** The Zoom secret, read when it is old, and used on when it cannot be read again. */
export class ZoomSecretCache {
  readonly #client: SecretsManagerClient;
  readonly #secretId: string;
  readonly #logger: Logger;
  #secret: ZoomSecret | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #isReading = false;

  constructor(client: SecretsManagerClient, secretId: string, logger: Logger) {
    this.#client = client;
    this.#secretId = secretId;
    this.#logger = logger;
  }

  /**
   * What signs the handshakes of a stream.
   *
   * @throws ServiceError `config/invalid` when the secret does not know the app, or was never read
   *   and cannot be
   */
  async credentials(app: string, product: Product): Promise<HandshakeCredentials> {
    const known = (await this.#current()).apps.get(app);
    if (known === undefined) {
      throw new ServiceError('config/invalid', `the Zoom secret does not know the app "${app}"`);
    }
    return handshakeCredentials(known, product);
  }

  /** Reads the secret now. @throws ServiceError `config/invalid` when it cannot be read or is wrong */
  async read(): Promise<ZoomSecret> {
    const command = new GetSecretValueCommand({ SecretId: this.#secretId });
    let json: string | undefined;
    try {
      json = (await this.#client.send(command)).SecretString;
    } catch (cause) {
      throw new ServiceError('config/invalid', 'the Zoom secret cannot be read', { cause });
    }
    const secret = parseZoomSecret(json ?? '');
    this.#secret = secret;
    this.#readAtMs = performance.now();
    return secret;
  }

  /** Reads an old secret again in the background; nobody waits for that. */
  async #current(): Promise<ZoomSecret> {
    const secret = this.#secret;
    if (secret === undefined) return this.read();
    if (performance.now() - this.#readAtMs > KEEP_MS && !this.#isReading) {
      this.#isReading = true;
      this.read()
        .catch((error: unknown) => {
          this.#logger.warn('Zoom secret not read again', { event: 'secret_failed', error });
        })
        .finally(() => {
          this.#isReading = false;
        });
    }
    return secret;
  }
}
