import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import type { SecretAdmin } from './secrets-manager.ts';

/** Puts secrets into another emulator, by the calls of Secrets Manager. */
export class OtherSecrets implements SecretAdmin {
  readonly reads = undefined;
  readonly #config: SecretsManagerClientConfig;
  readonly #created = new Set<string>();

  constructor(config: SecretsManagerClientConfig) {
    this.#config = config;
  }

  async put(id: string, value: string): Promise<void> {
    const client = new SecretsManagerClient(this.#config);
    try {
      if (this.#created.has(id)) {
        await client.send(new PutSecretValueCommand({ SecretId: id, SecretString: value }));
      } else {
        await client.send(new CreateSecretCommand({ Name: id, SecretString: value }));
        this.#created.add(id);
      }
    } finally {
      client.destroy();
    }
  }
}
