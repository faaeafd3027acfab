import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CanaryEnv } from '../../shared/env.ts';
import { parseWebhookSecret } from '../../shared/zoom/credentials.ts';
import { probeAll } from './probe.ts';

const secretsManager = new SecretsManagerClient();

/** Probes the webhook of each Zoom app. A thrown error is a failed invocation, which is what the alarm counts. */
export async function handler(): Promise<void> {
  const { WEBHOOK_URL, ZOOM_WEBHOOK_SECRET_ID } = readEnvironment(process.env);
  const { SecretString = '' } = await secretsManager.send(
    new GetSecretValueCommand({ SecretId: ZOOM_WEBHOOK_SECRET_ID }),
  );
  await probeAll(WEBHOOK_URL, parseWebhookSecret(SecretString).apps);
}

function readEnvironment(environment: Partial<Record<keyof CanaryEnv, string>>): CanaryEnv {
  const { WEBHOOK_URL, ZOOM_WEBHOOK_SECRET_ID } = environment;
  if (!WEBHOOK_URL || !ZOOM_WEBHOOK_SECRET_ID) {
    throw new Error('WEBHOOK_URL or ZOOM_WEBHOOK_SECRET_ID is missing');
  }
  return { WEBHOOK_URL, ZOOM_WEBHOOK_SECRET_ID };
}
