import type { CatcherEnv, PutMode, RunnerEnv, WebhookEnv } from '../../../shared/env.ts';
import { EXAMPLE_API } from '../../../simulator/api/api-server.ts';
import { EXAMPLE_APP } from '../../../simulator/sockets/handshake.ts';

const QUEUES = 'https://sqs.us-east-1.amazonaws.com/000000000000';
export const METADATA_HOST = '169.254.170.2';
export const CLUSTER = 'cluster';
export const SERVICE = 'runners';

/** Audio in frames of a second, of which a large one (`shims/synthetic-frame.ts`) holds no more than a second: what a frame weighs and how often one comes changes no rule that is judged here. */
const MEDIA = JSON.stringify({
  audio: {
    codec: 'L16',
    sampleRate: 'SR_32K',
    channel: 'MONO',
    dataOpt: 'AUDIO_MULTI_STREAMS',
    sendRateMs: 1_000,
  },
  video: false,
  deskshare: false,
  transcript: {},
  chat: false,
});

export interface EnvironmentOptions {
  readonly capacity: number;
  readonly apiUrl: string;
  readonly oauthUrl: string;
  readonly putRecords: PutMode;
  readonly spoolMaxBytes: number;
}

const CLOUD = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'simulated',
  AWS_SECRET_ACCESS_KEY: 'simulated',
  AWS_EC2_METADATA_DISABLED: 'true',
};

const COMMON = {
  DEPLOYMENT: 'sim',
  SESSION_TABLE: 'sessions',
  JOB_QUEUE_URL: `${QUEUES}/jobs`,
  CATCHER_QUEUE_URL: `${QUEUES}/looks`,
  ALLOWED_HOSTS: '127.0.0.1',
};

export function webhookEnvironment(): Record<string, string> {
  return {
    ...CLOUD,
    ...COMMON,
    ZOOM_WEBHOOK_SECRET_ID: 'zoom-webhook',
    MAX_CLOCK_SKEW_SECONDS: '300',
    LOG_LEVEL: 'WARN',
  } satisfies WebhookEnv & Record<string, string>;
}

export function runnerEnvironment(
  taskId: string,
  options: EnvironmentOptions,
): Record<string, string> {
  return {
    ...CLOUD,
    ...COMMON,
    ZOOM_SECRET_ID: 'zoom-signing',
    MEDIA_STREAM: 'media',
    EVENTS_STREAM: 'events',
    RTMS_MEDIA: MEDIA,
    CAPACITY: String(options.capacity),
    HEALTH_PORT: '0',
    PUT_RECORDS: options.putRecords,
    SPOOL_DIR: '/spool',
    SPOOL_MAX_BYTES: String(options.spoolMaxBytes),
    MEMORY_MIB: '4096',
    LOG_LEVEL: 'info',
    ZM_RTMS_API_URL: options.apiUrl,
    ZM_RTMS_OAUTH_URL: options.oauthUrl,
    ECS_CONTAINER_METADATA_URI_V4: `http://${METADATA_HOST}/v4/${taskId}`,
  } satisfies RunnerEnv & Record<string, string>;
}

export function catcherEnvironment(options: EnvironmentOptions): Record<string, string> {
  const {
    HEALTH_PORT: _,
    MEMORY_MIB: __,
    ECS_CONTAINER_METADATA_URI_V4: ___,
    ...rest
  } = runnerEnvironment('', options);
  return {
    ...rest,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '2048',
    RUNNER_CLUSTER: CLUSTER,
    RUNNER_SERVICE: SERVICE,
    TASK_CAPACITY: String(options.capacity),
    MAX_TASKS: '64',
  } as unknown as Omit<CatcherEnv, 'PACKING'> & Record<string, string>;
}

/** What the secrets of the deployment hold. @param clientSecret as Zoom has it at the moment */
export function zoomSecrets(clientSecret = EXAMPLE_APP.clientSecret) {
  const { clientId, webhookSecretToken, videoSdkKey, videoSdkSecret } = EXAMPLE_APP;
  const { accountId, clientId: apiClientId, clientSecret: apiClientSecret } = EXAMPLE_API;
  const api = { accountId, clientId: apiClientId, clientSecret: apiClientSecret };
  const signing = { clientId, clientSecret, videoSdkKey, videoSdkSecret, api };
  return {
    'zoom-signing': JSON.stringify({ apps: { default: signing } }),
    'zoom-webhook': JSON.stringify({
      apps: { default: { webhookSecretTokens: [webhookSecretToken] } },
    }),
  };
}
