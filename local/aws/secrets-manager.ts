import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import { type AwsCall, AwsError, type AwsOperation } from './router.ts';

interface Version {
  readonly value: string;
  readonly id: string;
  readonly createdAtMs: number;
}

/** How a test puts secrets, and sees how often they were read. */
export interface SecretAdmin {
  /** Makes `value` the current version of a secret, and creates the secret if needed. */
  put(id: string, value: string): void | Promise<void>;
  /** How often each secret was read, by id; undefined where another emulator serves them and does not say. */
  readonly reads: ReadonlyMap<string, number> | undefined;
}

/** Secrets in memory, each with a current and a previous version, as Secrets Manager stages them. */
export class LocalSecrets implements SecretAdmin {
  /** How often each secret was read, by id, so that a test can see caching. */
  readonly reads = new Map<string, number>();
  readonly #versions = new Map<string, Version[]>();

  /** Makes `value` the current version of a secret, and creates the secret if needed. */
  put(id: string, value: string): void {
    const version = { value, id: randomUUID(), createdAtMs: Date.now() };
    this.#versions.set(id, [version, ...(this.#versions.get(id) ?? [])].slice(0, 2));
  }

  operations(): ReadonlyMap<string, AwsOperation> {
    return new Map<string, AwsOperation>([
      ['secretsmanager.GetSecretValue', (call) => this.#get(call)],
      ['secretsmanager.PutSecretValue', (call) => this.#put(call)],
      ['secretsmanager.DescribeSecret', (call) => this.#describe(call)],
    ]);
  }

  #get(call: AwsCall) {
    const { id, versions } = this.#find(call);
    this.reads.set(id, (this.reads.get(id) ?? 0) + 1);
    const stage = call['VersionStage'] ?? 'AWSCURRENT';
    const version = versions[stage === 'AWSPREVIOUS' ? 1 : 0];
    if (version === undefined) {
      throw new AwsError('ResourceNotFoundException', `no version of ${id} has this stage`);
    }
    return {
      ARN: arnOf(id),
      Name: id,
      VersionId: version.id,
      SecretString: version.value,
      VersionStages: [version === versions[0] ? 'AWSCURRENT' : 'AWSPREVIOUS'],
      CreatedDate: version.createdAtMs / 1000,
    };
  }

  #put(call: AwsCall) {
    const { id } = this.#find(call);
    const value = call['SecretString'];
    if (typeof value !== 'string') throw new AwsError('InvalidRequestException', 'no SecretString');
    this.put(id, value);
    const current = this.#versions.get(id)?.[0];
    return { ARN: arnOf(id), Name: id, VersionId: current?.id, VersionStages: ['AWSCURRENT'] };
  }

  #describe(call: AwsCall) {
    const { id, versions } = this.#find(call);
    const stages = versions.map((version, index) => [
      version.id,
      [index === 0 ? 'AWSCURRENT' : 'AWSPREVIOUS'],
    ]);
    return { ARN: arnOf(id), Name: id, VersionIdsToStages: Object.fromEntries(stages) };
  }

  #find(call: AwsCall): { id: string; versions: Version[] } {
    const id = String(call['SecretId']).replace(arnOf(''), '');
    const versions = this.#versions.get(id);
    if (versions === undefined) {
      throw new AwsError(
        'ResourceNotFoundException',
        "Secrets Manager can't find the specified secret.",
      );
    }
    return { id, versions };
  }
}

const arnOf = (id: string) => `arn:aws:secretsmanager:us-east-1:000000000000:secret:${id}`;

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
