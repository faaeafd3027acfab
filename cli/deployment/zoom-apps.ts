import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { UserEnv } from '../../shared/env.ts';
import { ServiceError } from '../../shared/errors.ts';
import {
  DEFAULT_APP,
  parseSigningSecret,
  parseWebhookSecret,
  parseZoomSecret,
  type SigningApp,
  type VerifyingApp,
  type ZoomApp,
} from '../../shared/zoom/credentials.ts';
import type { Context } from '../command.ts';
import { ask } from './aws.ts';
import { required } from './deployment.ts';

/**
 * Reads every Zoom app of the deployment, by name. Where the deployment keeps the webhook tokens in a secret of their
 * own, both secrets are read.
 *
 * @throws ServiceError `cli/unreachable`; `config/invalid` for a secret of the wrong shape, or an app that is missing in
 *   one of the two
 */
export async function readZoomSecret({
  aws,
  deployment,
}: Pick<Context, 'aws' | 'deployment'>): Promise<ReadonlyMap<string, ZoomApp>> {
  const read = async (SecretId: string) => {
    const { SecretString = '' } = await ask(`Zoom secret ${SecretId}`, () =>
      aws.secretsManager.send(new GetSecretValueCommand({ SecretId })),
    );
    return SecretString;
  };
  const secretId = required(deployment, 'secretId');
  const { webhookSecretId } = deployment;
  if (webhookSecretId === undefined || webhookSecretId === secretId) {
    return parseZoomSecret(await read(secretId)).apps;
  }
  const [signing, tokens] = await Promise.all([
    read(secretId).then(parseSigningSecret),
    read(webhookSecretId).then(parseWebhookSecret),
  ]);
  return joinApps(signing.apps, tokens.apps);
}

function joinApps(
  signing: ReadonlyMap<string, SigningApp>,
  tokens: ReadonlyMap<string, VerifyingApp>,
): ReadonlyMap<string, ZoomApp> {
  const lone = [
    ...[...signing.keys()].filter((name) => !tokens.has(name)),
    ...[...tokens.keys()].filter((name) => !signing.has(name)),
  ];
  if (lone.length > 0) {
    throw new ServiceError(
      'config/invalid',
      `each app needs credentials in one secret and tokens in the other; missing in one of them: ${lone.join(', ')}`,
    );
  }
  const joined = [...signing].map(([name, app]) => {
    const { webhookSecretTokens } = tokens.get(name) as VerifyingApp;
    return [name, { ...app, webhookSecretTokens }] as const;
  });
  return new Map(joined);
}

/**
 * Reads the credentials of one Zoom app: from the variables of `npm start -- --live` when they are set, else from the
 * secret of the deployment.
 *
 * @param name that of the app in the secret and in the path of the webhook
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
