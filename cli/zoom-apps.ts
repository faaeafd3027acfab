import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { UserEnv } from '../shared/env.ts';
import { ServiceError } from '../shared/errors.ts';
import { DEFAULT_APP, parseZoomSecret, type ZoomApp } from '../shared/zoom/credentials.ts';
import { ask } from './aws.ts';
import type { Context } from './command.ts';
import { required } from './deployment.ts';

/**
 * Every Zoom app of the deployment, by name, out of its secret.
 *
 * @throws ServiceError `cli/unreachable`, or `config/invalid` for a secret of the wrong shape
 */
export async function readZoomSecret({
  aws,
  deployment,
}: Pick<Context, 'aws' | 'deployment'>): Promise<ReadonlyMap<string, ZoomApp>> {
  const SecretId = required(deployment, 'secretId');
  const { SecretString = '' } = await ask(`Zoom secret ${SecretId}`, () =>
    aws.secretsManager.send(new GetSecretValueCommand({ SecretId })),
  );
  return parseZoomSecret(SecretString).apps;
}

/**
 * One Zoom app's credentials: from the variables of `npm start -- --live` when they are set, else from the
 * deployment's secret.
 *
 * @param name as in the secret and in the webhook's path
 */
export async function readZoomApp(
  context: Pick<Context, 'aws' | 'deployment'>,
  name: string,
  environment: Partial<UserEnv>,
): Promise<ZoomApp> {
  const fromVariables = name === DEFAULT_APP ? zoomAppOf(environment) : undefined;
  if (fromVariables) return fromVariables;
  const apps = await readZoomSecret(context);
  const app = apps.get(name);
  if (app) return app;
  const known = [...apps.keys()].join(', ');
  throw new ServiceError('config/invalid', `no Zoom app "${name}" in the secret; it has: ${known}`);
}

function zoomAppOf(environment: Partial<UserEnv>): ZoomApp | undefined {
  const {
    ZM_RTMS_CLIENT: clientId,
    ZM_RTMS_SECRET: clientSecret,
    ZM_RTMS_WEBHOOK_SECRET: tokens,
    ZM_RTMS_VIDEO_SDK_KEY: videoSdkKey,
    ZM_RTMS_VIDEO_SDK_SECRET: videoSdkSecret,
  } = environment;
  if (!clientId || !clientSecret || !tokens) return undefined;
  return {
    clientId,
    clientSecret,
    webhookSecretTokens: tokens.split(',').map((token) => token.trim()),
    ...(videoSdkKey && { videoSdkKey }),
    ...(videoSdkSecret && { videoSdkSecret }),
  };
}
