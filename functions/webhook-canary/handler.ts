import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CanaryEnv } from '../../shared/env.ts';
import { DEFAULT_APP, parseZoomSecret } from '../../shared/zoom/credentials.ts';
import { knock } from './knock.ts';

const secretsManager = new SecretsManagerClient();

/** Knocks once. A thrown error is a failed invocation, which is what the alarm counts. */
export async function handler(): Promise<void> {
  const { WEBHOOK_URL, ZOOM_SECRET_ID } = readEnvironment(process.env);
  const { SecretString = '' } = await secretsManager.send(
    new GetSecretValueCommand({ SecretId: ZOOM_SECRET_ID }),
  );
  const [token = ''] =
    parseZoomSecret(SecretString).apps.get(DEFAULT_APP)?.webhookSecretTokens ?? [];
  await knock(WEBHOOK_URL, token);
}

function readEnvironment(
  environment: Partial<Record<keyof CanaryEnv, string>>,
): Pick<CanaryEnv, 'WEBHOOK_URL' | 'ZOOM_SECRET_ID'> {
  const { WEBHOOK_URL, ZOOM_SECRET_ID } = environment;
  if (!WEBHOOK_URL || !ZOOM_SECRET_ID) throw new Error('WEBHOOK_URL or ZOOM_SECRET_ID is missing');
  return { WEBHOOK_URL, ZOOM_SECRET_ID };
}
