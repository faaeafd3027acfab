import { SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager';
import { LeanClient, type LeanOptions } from '../aws/lean-client.ts';

export * from '@aws-sdk/client-secrets-manager';

export class SecretsManagerClient extends LeanClient {
  constructor(options: LeanOptions = {}) {
    super(options, 'secretsmanager', SecretsManagerServiceException);
  }
}
