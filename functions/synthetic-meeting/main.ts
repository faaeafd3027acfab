import { setTimeout as sleep } from 'node:timers/promises';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { ServiceError } from '../../shared/errors.ts';
import {
  parseSigningSecret,
  parseWebhookSecret,
  type SigningApp,
  SYNTHETIC_APP,
  type VerifyingApp,
} from '../../shared/zoom/credentials.ts';
import { createFunctionLogger, createFunctionMetrics } from '../zoom-webhook/telemetry.ts';
import { readSyntheticMeetingConfig, type SyntheticMeetingConfig } from './config.ts';
import { playSyntheticMeeting } from './play.ts';

/**
 * The synthetic meeting as a process: a small task in the network of the deployment. It plays a meeting when it starts,
 * which is after each deployment that changed it or the runner, and then every hour. A failed meeting is a metric and a
 * line in the log; the process goes on.
 */
const SERVICE = 'synthetic';
const logger = createFunctionLogger('INFO', SERVICE);
const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());

try {
  const config = readSyntheticMeetingConfig(process.env);
  const metrics = createFunctionMetrics(config.deployment, SERVICE);
  const kinesis = new KinesisClient({ requestHandler: new NodeHttpHandler() });
  const secrets = new SecretsManagerClient();
  do {
    const isGood = await playOnce(config, secrets, kinesis, metrics);
    if (config.intervalSeconds === 0) process.exit(isGood ? 0 : 1);
    const { signal } = stopping;
    await sleep(config.intervalSeconds * 1_000, undefined, { signal }).catch(() => {});
  } while (!stopping.signal.aborted);
  process.exit(0);
} catch (error) {
  logger.error('synthetic meetings cannot be played', { error });
  process.exit(1);
}

async function playOnce(
  config: SyntheticMeetingConfig,
  secrets: SecretsManagerClient,
  kinesis: KinesisClient,
  metrics: ReturnType<typeof createFunctionMetrics>,
): Promise<boolean> {
  let isGood = false;
  try {
    const app = await readApp(secrets, config.secretId);
    const result = await playSyntheticMeeting(config, app, kinesis);
    isGood = result.success;
    if (result.latencyMs !== undefined) metrics.observe('SyntheticLatency', result.latencyMs);
    const fields = { event: 'synthetic_meeting', ...result };
    if (isGood) logger.info('synthetic meeting complete', fields);
    else logger.error('synthetic meeting failed', fields);
  } catch (error) {
    logger.error('synthetic meeting failed', { event: 'synthetic_meeting', error });
  }
  metrics.observe('SyntheticSuccess', isGood ? 100 : 0);
  return isGood;
}

async function readApp(
  client: SecretsManagerClient,
  SecretId: string,
): Promise<SigningApp & VerifyingApp> {
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
  const signing = parseSigningSecret(SecretString).apps.get(SYNTHETIC_APP);
  const verifying = parseWebhookSecret(SecretString).apps.get(SYNTHETIC_APP);
  if (signing !== undefined && verifying !== undefined) return { ...signing, ...verifying };
  throw new ServiceError('config/invalid', `the secret does not hold the app "${SYNTHETIC_APP}"`);
}
