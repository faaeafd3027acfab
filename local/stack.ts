import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalEnv, RunnerEnv, WebhookEnv } from '../shared/env.ts';
import { ServiceError } from '../shared/errors.ts';
import { type ApiAddresses, ZOOM_API } from '../shared/zoom/api-credentials.ts';
import { type LocalAws, startLocalAws } from './aws/local-aws.ts';
import { type Child, startChild, stopChild } from './child.ts';
import { LocalCatcher, type LocalCatcherOptions } from './lambda/local-catcher.ts';
import type { ZoomCredentials } from './options.ts';
import { RunnerFleet } from './runner-fleet.ts';

export interface StackOptions {
  readonly credentials: ZoomCredentials;
  readonly allowedHosts: string;
  readonly media: string | undefined;
  readonly runners: number;
  /** Addresses of Zoom's REST API. @default Zoom's own */
  readonly api?: ApiAddresses;
  /** The catcher, which serves while no runner does. Unset: there is none. */
  readonly catcher?: LocalCatcherOptions | undefined;
  /** Shards of the media stream. @default as many as the local AWS makes */
  readonly mediaShards?: number | undefined;
  /** Replaces `runner/main.ts` in tests. */
  readonly runner?: RunnerVariant | undefined;
  /** Webhook port, 0 picks a free one. */
  readonly port: number;
  readonly path: string;
  /** Called for every line that the webhook or a runner writes. */
  readonly onLog: (
    process: string,
    line: string,
    json: Record<string, unknown> | undefined,
  ) => void;
}

/** Another program in the place of `runner/main.ts`, for tests. */
export interface RunnerVariant {
  /** Path inside the repository. */
  readonly entry: string;
  /** Variables added to those of every runner. */
  readonly environment: (taskId: string) => Readonly<Record<string, string>>;
}

/** Everything but Zoom and the consumer, on this machine. */
export interface Stack {
  readonly aws: LocalAws;
  readonly webhookUrl: string;
  readonly fleet: RunnerFleet;
  readonly catcher: LocalCatcher | undefined;
  /** Stops the webhook first, then drains the runners, then stops AWS. */
  close(): Promise<void>;
}

/** More slots than a local run needs. A test of a full runner sets its own. */
const LOCAL_SLOTS = '1000';
const LOCAL_SPOOL_BYTES = String(256 * 1024 * 1024);
const STOP_GRACE_MS = 5_000;

/**
 * Starts local AWS, the webhook function behind HTTP and the runner processes, and waits until all of them are ready.
 *
 * @throws ServiceError `local/port-in-use`; `config/invalid` with the last line of a webhook that did not start
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const stop of closers.splice(0).reverse()) await stop();
  };
  try {
    const aws = await startLocalAws({
      zoomSecret: zoomSecret(options.credentials),
      mediaShards: options.mediaShards,
    });
    closers.push(() => aws.close());
    const spool = await mkdtemp(join(tmpdir(), 'rtms-spool-'));
    closers.push(() => rm(spool, { recursive: true, force: true }));
    const fleet = new RunnerFleet(async (taskId) => {
      const spoolDir = join(spool, taskId);
      await mkdir(spoolDir);
      const extra = options.runner?.environment(taskId);
      return {
        ...runnerEnvironment(aws, options, spoolDir),
        ...catcherQueue(aws, options),
        TASK_ID: taskId,
        ...extra,
      };
    }, options.runner?.entry);
    fleet.on('line', ({ taskId }, line, json) => options.onLog(taskId, line, json));
    closers.push(() => fleet.stop());
    const catcher =
      options.catcher &&
      new LocalCatcher({
        ...options.catcher,
        aws,
        fleet,
        environment: {
          ...runnerEnvironment(aws, options, ''),
          ...catcherQueue(aws, options),
          RUNNER_CLUSTER: 'local',
          RUNNER_SERVICE: 'runners',
          TASK_CAPACITY: LOCAL_SLOTS,
        },
        onLine: (line, json) => options.onLog('catcher', line, json),
      });
    if (catcher) closers.push(() => catcher.close());
    const [webhook] = await Promise.all([startWebhook(aws, options), fleet.start(options.runners)]);
    closers.push(() => stopChild(webhook.child, STOP_GRACE_MS));
    return { aws, webhookUrl: webhook.url, fleet, catcher, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The webhook and the runners send to the catcher's queue, where there is a catcher. */
function catcherQueue(
  aws: LocalAws,
  { catcher }: StackOptions,
): Pick<WebhookEnv, 'CATCHER_QUEUE_URL'> {
  return catcher === undefined ? {} : { CATCHER_QUEUE_URL: aws.catcherQueueUrl };
}

function runnerEnvironment(aws: LocalAws, options: StackOptions, spoolDir: string) {
  return {
    ...aws.env(),
    ALLOWED_HOSTS: options.allowedHosts,
    RTMS_MEDIA: options.media ?? '{}',
    ZM_RTMS_API_URL: options.api?.apiUrl ?? ZOOM_API.apiUrl,
    ZM_RTMS_OAUTH_URL: options.api?.oauthUrl ?? ZOOM_API.oauthUrl,
    CAPACITY: LOCAL_SLOTS,
    HEALTH_PORT: '0',
    SPOOL_DIR: spoolDir,
    SPOOL_MAX_BYTES: LOCAL_SPOOL_BYTES,
    LOG_LEVEL: 'info',
  } satisfies RunnerEnv & Omit<LocalEnv, 'TASK_ID'> & Record<string, string>;
}

async function startWebhook(
  aws: LocalAws,
  options: StackOptions,
): Promise<{ child: Child; url: string }> {
  const ready = Promise.withResolvers<string>();
  /** Part of the error when the webhook does not start. */
  let lastLine = '';
  let isReady = false;
  const environment = {
    ...aws.env(),
    ...catcherQueue(aws, options),
    ALLOWED_HOSTS: options.allowedHosts,
    MAX_CLOCK_SKEW_SECONDS: '300',
    LOG_LEVEL: 'INFO',
  } satisfies WebhookEnv & Record<string, string>;
  const args = [String(options.port), options.path];
  const child = startChild('local/webhook-process.ts', args, environment, (line, json) => {
    lastLine = line;
    if (json?.['event'] === 'webhook_ready') {
      isReady = true;
      ready.resolve(String(json['url']));
    } else if (isReady) options.onLog('webhook', line, json);
  });
  void child.exited.then(() => {
    const inUse = lastLine.includes('local/port-in-use');
    const what = inUse
      ? `port ${options.port} is in use`
      : `the webhook did not start: ${lastLine}`;
    ready.reject(new ServiceError(inUse ? 'local/port-in-use' : 'config/invalid', what));
  });
  return { child, url: await ready.promise };
}

function zoomSecret(credentials: ZoomCredentials): string {
  return JSON.stringify({ apps: { default: credentials } });
}
