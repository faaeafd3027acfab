import { ServiceError } from './errors.ts';

/**
 * Names of every environment variable that infra sets and a process reads. infra writes
 * `environment: {...} satisfies RunnerEnv`; each process's `config.ts` reads them once.
 */
export interface WebhookEnv {
  /** Name of this deployment: the dimension `deployment` of every metric (`shared/metrics.ts`). */
  DEPLOYMENT: string;
  SESSION_TABLE: string;
  JOB_QUEUE_URL: string;
  /** Queue of the catcher, which looks at a start that no task has claimed. Unset: the deployment has no catcher. */
  CATCHER_QUEUE_URL?: string;
  /**
   * Secrets Manager id or ARN of the secret with the webhook tokens alone: `{"apps": {"<app>": {"webhookSecretTokens": ["current", "previous"]}}}`.
   * The function that faces the internet needs no client secret. A secret that holds both is read as well.
   */
  ZOOM_WEBHOOK_SECRET_ID: string;
  /** Comma-separated host suffixes that signaling and media addresses must match. */
  ALLOWED_HOSTS: string;
  /** Accepted distance of `x-zm-request-timestamp` from our clock, seconds. */
  MAX_CLOCK_SKEW_SECONDS: string;
  /** How long the secret is used without reading it again, 30 to 3600. Unset: 600; a placeholder always 30. */
  SECRET_REFRESH_SECONDS?: string;
  LOG_LEVEL: string;
}

export interface WebhookAuthorizerEnv {
  /** As in `WebhookEnv`. */
  MAX_CLOCK_SKEW_SECONDS: string;
}

export interface CanaryEnv {
  /** The webhook's public address. */
  WEBHOOK_URL: string;
  /** As in `WebhookEnv`. */
  ZOOM_WEBHOOK_SECRET_ID: string;
}

/** Of `functions/synthetic-meeting/main.ts`; what has a default need not be set. */
export interface SyntheticMeetingEnv {
  /** As in `WebhookEnv`. */
  DEPLOYMENT: string;
  /** The webhook's public address, without an app. */
  WEBHOOK_URL: string;
  /**
   * Secret of the synthetic meeting's own app: `{"synthetic": "<random text>"}`. Webhook and runners have its id after
   * their own, with a comma between.
   */
  SYNTHETIC_SECRET_ID: string;
  MEDIA_STREAM: string;
  EVENTS_STREAM: string;
  /** Name under which runners reach this task; stands as `ws://<name>` in their ALLOWED_HOSTS and the webhook's. */
  HOST: string;
  /** Address to listen on. @default 0.0.0.0 */
  BIND_HOST?: string;
  /** @default 8081 */
  SIGNALING_PORT?: string;
  /** @default 8082 */
  MEDIA_PORT?: string;
  /** From the first frame read back to the end. @default 20 */
  MEETING_SECONDS?: string;
  /** What the way there and back may take beside the meeting itself. @default 60 */
  DEADLINE_SECONDS?: string;
  /** From the end of one meeting to the next; 0: one meeting, exit code 1 when it failed. @default 3600 */
  INTERVAL_SECONDS?: string;
}

export interface RunnerEnv {
  /** As in `WebhookEnv`. */
  DEPLOYMENT: string;
  SESSION_TABLE: string;
  JOB_QUEUE_URL: string;
  /** As in `WebhookEnv`. */
  CATCHER_QUEUE_URL?: string;
  /** Secrets Manager id or ARN; what signs handshakes, shape in `shared/zoom/credentials.ts`. */
  ZOOM_SECRET_ID: string;
  ALLOWED_HOSTS: string;
  MEDIA_STREAM: string;
  EVENTS_STREAM: string;
  /** JSON, what to ask Zoom for; shape and default in `rtms/protocol/params.ts`. */
  RTMS_MEDIA: string;
  /** JSON, how to speak with each product; shape in `rtms/protocol/protocol-settings.ts`. Unset: V1, JSON, WebSocket. */
  RTMS_PROTOCOL?: string;
  /** Slots of one task; weights in `shared/session-table/slots.ts`. */
  CAPACITY: string;
  HEALTH_PORT: string;
  /** `sdk`, `http-json` or `http-cbor`, see `PUT_MODES`. Unset: `DEFAULT_PUT_MODE`. */
  PUT_RECORDS?: string;
  SPOOL_DIR: string;
  SPOOL_MAX_BYTES: string;
  /**
   * Memory limit of the container, MiB. Without it the memory guard would compare with the memory of the
   * machine below the container, and never refuse a session.
   */
  MEMORY_MIB?: string;
  /** As in `WebhookEnv`. */
  SECRET_REFRESH_SECONDS?: string;
  /** Zoom's REST API and its OAuth endpoint. Unset: Zoom's own; see `shared/zoom/api-credentials.ts`. */
  ZM_RTMS_API_URL?: string;
  ZM_RTMS_OAUTH_URL?: string;
  /** `off`, `report` or `start`, see `ZoomReconcile`. Unset: off. */
  ZOOM_RECONCILE?: string;
  /** JSON of `RunnerPrices` in `shared/cost.ts`; unset: no cost is estimated. */
  PRICES?: string;
  /** JSON of `Packing` in `shared/packing.ts`, or `off`; unset: off. */
  PACKING?: string;
  LOG_LEVEL: string;
}

/** Of `functions/session-catcher/handler.ts`: a runner without health check and metadata, and the service that it starts tasks of. */
export interface CatcherEnv
  extends Omit<
      RunnerEnv,
      'HEALTH_PORT' | 'MEMORY_MIB' | 'PACKING' | 'PRICES' | 'ZOOM_RECONCILE' | 'CATCHER_QUEUE_URL'
    >,
    Required<Pick<WebhookEnv, 'CATCHER_QUEUE_URL'>> {
  /** Cluster and service of the runners. */
  RUNNER_CLUSTER: string;
  RUNNER_SERVICE: string;
  /** Slots of one task, and the most tasks that the service may have. */
  TASK_CAPACITY: string;
  MAX_TASKS: string;
}

/** Of `functions/archiver/main.ts`, a task on Fargate. */
export interface ArchiverEnv {
  DEPLOYMENT: string;
  MEDIA_STREAM: string;
  EVENTS_STREAM: string;
  /** Tables of its two consumer groups, and of the sessions that are not finalised. */
  MEDIA_GROUP_TABLE: string;
  EVENTS_GROUP_TABLE: string;
  ARCHIVE_TABLE: string;
  ARCHIVE_BUCKET: string;
  /** Unset or empty: the whole bucket. */
  ARCHIVE_PREFIX?: string;
  ARCHIVE_BUFFER_MIB: string;
  ARCHIVE_MAX_AGE_SECONDS: string;
  ARCHIVE_IDLE_SECONDS: string;
  /** `none`, or the picture of `meeting.mp4`: `speaker`, `share`, `tracks`. */
  ARCHIVE_MEETING_FILE: string;
  /** `delete` or `record`. */
  ARCHIVE_ON_REVOCATION: string;
  /** `yes` where Object Lock is in governance mode and the role may delete all the same; `no`. */
  ARCHIVE_BYPASS_GOVERNANCE: string;
  LOG_LEVEL: string;
}

/**
 * Variables that only the local stack sets: the endpoints of the local AWS servers, and the task id. In AWS the SDK finds
 * the endpoints by itself, and the ECS metadata name the task.
 */
export interface LocalEnv {
  AWS_ENDPOINT_URL_SQS: string;
  AWS_ENDPOINT_URL_DYNAMODB: string;
  AWS_ENDPOINT_URL_KINESIS: string;
  AWS_ENDPOINT_URL_SECRETS_MANAGER: string;
  AWS_ENDPOINT_URL_ECS: string;
  TASK_ID: string;
}

/** What a user may set for `npm start` and `npm start -- --live`. */
export interface UserEnv {
  ZM_RTMS_PORT: string;
  ZM_RTMS_PATH: string;
  ZM_RTMS_CLIENT: string;
  ZM_RTMS_SECRET: string;
  ZM_RTMS_WEBHOOK_SECRET: string;
  ZM_RTMS_VIDEO_SDK_KEY: string;
  ZM_RTMS_VIDEO_SDK_SECRET: string;
  ZM_RTMS_ALLOWED_HOSTS: string;
  /** Server-to-server OAuth app, for Zoom's REST API; see `shared/zoom/api-credentials.ts`. */
  ZM_RTMS_API_ACCOUNT: string;
  ZM_RTMS_API_CLIENT: string;
  ZM_RTMS_API_SECRET: string;
  ZM_RTMS_API_URL: string;
  ZM_RTMS_OAUTH_URL: string;
  RTMS_MEDIA: string;
}

/**
 * What is done about meetings that are live at Zoom and have never had a stream here: nothing, a line in the log and a
 * metric, or also a request for the stream.
 */
export const ZOOM_RECONCILE = ['off', 'report', 'start'] as const;
export type ZoomReconcile = (typeof ZOOM_RECONCILE)[number];

/** Reads the variable `ZOOM_RECONCILE`. @throws ServiceError `config/invalid` */
export function parseReconcile(text: string): ZoomReconcile {
  const mode = ZOOM_RECONCILE.find((name) => name === text);
  if (mode !== undefined) return mode;
  throw new ServiceError('config/invalid', `"${text}"; allowed is ${ZOOM_RECONCILE.join(', ')}`);
}

/**
 * How PutRecords calls are made. `sdk`: by the SDK's client. `http-json`: by our own writer, for half of the CPU.
 * `http-cbor`: the same with bytes as they are instead of base64, for two fifths; it goes on in JSON from the first call
 * on whose format the service refuses (docs/adr/0014-our-own-putrecords-writer.md).
 */
export const PUT_MODES = ['sdk', 'http-json', 'http-cbor'] as const;
export type PutMode = (typeof PUT_MODES)[number];
export const DEFAULT_PUT_MODE: PutMode = 'http-cbor';

/** Reads the variable `PUT_RECORDS`. @throws ServiceError `config/invalid` */
export function parsePutMode(text: string): PutMode {
  const mode = PUT_MODES.find((name) => name === text);
  if (mode !== undefined) return mode;
  throw new ServiceError('config/invalid', `"${text}"; allowed is ${PUT_MODES.join(', ')}`);
}
