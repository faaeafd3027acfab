import { existsSync, readFileSync } from 'node:fs';
import { parseArgs, parseEnv } from 'node:util';
import { parseMediaRequest } from '../rtms/protocol/params.ts';
import type { UserEnv } from '../shared/env.ts';
import { ServiceError } from '../shared/errors.ts';
import { decodeText } from '../shared/plain-text.ts';
import {
  type ApiAddresses,
  type ApiCredentials,
  apiAddressesFrom,
  apiCredentialsFrom,
} from '../shared/zoom/api-credentials.ts';

/** The options of `npm start`. */
export interface DevOptions {
  /** Wait for Zoom's own webhooks instead of playing the simulated meeting. */
  readonly live: boolean;
  /** One JSON object a line on stdout, logs on stderr. */
  readonly json: boolean;
  /** Simulated meetings one after another, until somebody ends it; for whoever looks at the page. */
  readonly demo: boolean;
  /** Whether the page has buttons that act on the stack. */
  readonly act: boolean;
  /** Whether meetings are archived in the local S3. */
  readonly archive: boolean;
  /** Port of the page on loopback, 0 picks a free one. */
  readonly consolePort: number;
  readonly runners: number;
  /** The catcher and what starts runners when they are needed; undefined: there are runners from the start. */
  readonly catcher: { readonly taskStartMs: number } | undefined;
  readonly port: number;
  readonly path: string;
  readonly outDir: string;
  readonly credentials: ZoomCredentials;
  readonly allowedHosts: string;
  /** RTMS_MEDIA for the runner; undefined asks for everything that Zoom offers. */
  readonly media: string | undefined;
  /** Of Zoom's REST API. */
  readonly api: ApiAddresses;
}

export interface ZoomCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Newest first; two during a rotation. */
  readonly webhookSecretTokens: readonly string[];
  readonly videoSdkKey?: string;
  readonly videoSdkSecret?: string;
  /** What asks Zoom for streams again that it ended for a technical reason. */
  readonly api?: ApiCredentials;
}

export const USAGE = `npm start -- [options]

  (no options)     play a simulated Zoom meeting through the whole path, then stop
  --live           wait for Zoom's own webhooks on http://localhost:$ZM_RTMS_PORT$ZM_RTMS_PATH
  --demo           play simulated meetings one after another until Ctrl-C, for the page at the printed console address
  --console-port N port of that page (default 0: a free one)
  --no-act         the page only shows; without it, it has buttons that break and mend parts of this stack
  --no-archive     no archive: otherwise recordings are written to a local S3 too, below the folder of --out
  --json           stdout holds one JSON object a line, logs go to stderr
  --runners N      runner processes to keep running (default 2); 0: none until one is needed, the catcher serves meanwhile
  --task-start-seconds N
                   with --runners 0: how long a runner takes to start, as in ECS (default 45)
  --out DIR        folder for the produced files (default out)
  --help           this text

Variables are read from the environment, then from .env: see README.`;

/** Credentials of the simulated Zoom app. They open nothing outside this machine. */
const SIMULATED_CREDENTIALS: ZoomCredentials = {
  clientId: 'simulatedClientId',
  clientSecret: 'simulatedClientSecret',
  webhookSecretTokens: ['simulatedWebhookSecretToken'],
  videoSdkKey: 'simulatedVideoSdkKey',
  videoSdkSecret: 'simulatedVideoSdkSecret',
};

/** Raw PCM of each participant, so that the WAV files hold exactly what was sent. */
const SIMULATED_MEDIA = JSON.stringify({
  audio: {
    codec: 'L16',
    sampleRate: 'SR_16K',
    channel: 'MONO',
    dataOpt: 'AUDIO_MULTI_STREAMS',
    sendRateMs: 20,
  },
});

type Variables = Partial<Record<keyof UserEnv, string>>;

/**
 * Reads the command line and the variables.
 *
 * @param envFile read when it exists; a value in the environment wins over it
 * @returns undefined when only the usage text was asked for
 * @throws ServiceError `config/invalid` naming everything that is wrong at once
 */
export function readDevOptions(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  envFile = '.env',
): DevOptions | undefined {
  const flags = readFlags(argv);
  if (flags.help) return undefined;
  const problems: string[] = [];
  const variables: Variables = { ...trimmed(readEnvFile(envFile)), ...trimmed(environment) };
  const runners = readInteger('--runners', flags.runners ?? '2', 0, 32, problems);
  const taskStart = flags['task-start-seconds'];
  if (taskStart !== undefined && runners > 0) {
    problems.push('--task-start-seconds goes with --runners 0');
  }
  const startSeconds = readInteger('--task-start-seconds', taskStart ?? '45', 0, 600, problems);
  const consolePort = readInteger(
    '--console-port',
    flags['console-port'] ?? '0',
    0,
    65_535,
    problems,
  );
  if (flags.demo && flags.live) problems.push('give either --demo or --live, not both');
  const port = flags.live
    ? readInteger('ZM_RTMS_PORT', variables.ZM_RTMS_PORT ?? '8080', 0, 65_535, problems)
    : 0;
  const path = flags.live ? (variables.ZM_RTMS_PATH ?? '/webhook') : '/webhook';
  if (!path.startsWith('/')) problems.push('ZM_RTMS_PATH must start with /');
  const credentials = flags.live ? readCredentials(variables, problems) : SIMULATED_CREDENTIALS;
  const media = flags.live ? readMedia(variables.RTMS_MEDIA, problems) : SIMULATED_MEDIA;
  if (problems.length > 0) throw new ServiceError('config/invalid', problems.join('; '));
  return Object.freeze({
    live: flags.live,
    json: flags.json,
    demo: flags.demo,
    act: flags.act,
    archive: flags.archive,
    consolePort,
    runners,
    catcher: runners === 0 ? { taskStartMs: 1_000 * startSeconds } : undefined,
    port,
    path,
    outDir: flags.out,
    credentials,
    allowedHosts: flags.live
      ? (variables.ZM_RTMS_ALLOWED_HOSTS ?? 'zoom.us,zoom.com,zoomgov.com')
      : '127.0.0.1',
    media,
    api: apiAddressesFrom(variables),
  });
}

function readFlags(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowNegative: true,
      options: {
        live: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        demo: { type: 'boolean', default: false },
        act: { type: 'boolean', default: true },
        archive: { type: 'boolean', default: true },
        'console-port': { type: 'string' },
        runners: { type: 'string' },
        'task-start-seconds': { type: 'string' },
        out: { type: 'string', default: 'out' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (cause) {
    throw new ServiceError('config/invalid', `${(cause as Error).message} (try --help)`, { cause });
  }
}

function readEnvFile(path: string): Variables {
  if (!existsSync(path)) return {};
  try {
    return parseEnv(decodeText(readFileSync(path))) as Variables;
  } catch (cause) {
    const what = `${path} cannot be read: ${(cause as Error).message}`;
    throw new ServiceError('config/invalid', what, { cause });
  }
}

/** Removes the white space that copied values have at their ends. A value that is empty then counts as not set. */
function trimmed(environment: NodeJS.ProcessEnv): Variables {
  return Object.fromEntries(
    Object.entries(environment)
      .map(([name, value]) => [name, value?.trim()])
      .filter(([, value]) => value !== undefined && value !== ''),
  ) as Variables;
}

function readCredentials(variables: Variables, problems: string[]): ZoomCredentials {
  const required = (name: keyof UserEnv): string => {
    const value = variables[name];
    if (!value) problems.push(`${name} is missing`);
    return value ?? '';
  };
  const clientId = required('ZM_RTMS_CLIENT');
  const clientSecret = required('ZM_RTMS_SECRET');
  const tokens = required('ZM_RTMS_WEBHOOK_SECRET')
    .split(',')
    .map((token) => token.trim());
  if (tokens.length > 2) problems.push('ZM_RTMS_WEBHOOK_SECRET takes two tokens at most');
  const { ZM_RTMS_VIDEO_SDK_KEY: key, ZM_RTMS_VIDEO_SDK_SECRET: secret } = variables;
  if ((key === undefined) !== (secret === undefined)) {
    problems.push('ZM_RTMS_VIDEO_SDK_KEY and ZM_RTMS_VIDEO_SDK_SECRET go together');
  }
  const api = apiCredentialsFrom(variables);
  const isApiNamed =
    variables.ZM_RTMS_API_ACCOUNT ?? variables.ZM_RTMS_API_CLIENT ?? variables.ZM_RTMS_API_SECRET;
  if (api === undefined && isApiNamed !== undefined) {
    problems.push('ZM_RTMS_API_ACCOUNT, ZM_RTMS_API_CLIENT and ZM_RTMS_API_SECRET go together');
  }
  return {
    clientId,
    clientSecret,
    webhookSecretTokens: tokens.filter((token) => token !== ''),
    ...(key && secret ? { videoSdkKey: key, videoSdkSecret: secret } : {}),
    ...(api && { api }),
  };
}

function readMedia(json: string | undefined, problems: string[]): string | undefined {
  if (json === undefined) return undefined;
  try {
    parseMediaRequest(json);
  } catch (error) {
    problems.push(`RTMS_MEDIA: ${(error as Error).message}`);
  }
  return json;
}

function readInteger(
  name: string,
  text: string,
  least: number,
  most: number,
  problems: string[],
): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  problems.push(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
  return least;
}
