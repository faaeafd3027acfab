import { existsSync, readFileSync } from 'node:fs';
import * as v from 'valibot';
import { ServiceError } from '../../shared/errors.ts';
import { decodeText } from '../../shared/plain-text.ts';

const text = v.pipe(v.string(), v.minLength(1));

/**
 * The description file: `rtms.json`, or `out/stack.json` of the local stack. Every field may be left out. Unknown fields
 * are ignored, so that the `ready` line of `npm start -- --live --json` is a description file too.
 */
const DESCRIPTION = v.object({
  region: v.optional(text),
  profile: v.optional(text),
  table: v.optional(text),
  queueUrl: v.optional(text),
  streams: v.optional(v.object({ media: v.optional(text), events: v.optional(text) })),
  secretId: v.optional(text),
  webhookSecretId: v.optional(text),
  pagesTopicArn: v.optional(text),
  ticketsTopicArn: v.optional(text),
  webhookUrl: v.optional(v.pipe(text, v.url())),
  /** Separated by commas, as ALLOWED_HOSTS of the deployment. */
  allowedHosts: v.optional(text),
  /** `s3://bucket/prefix`. */
  archive: v.optional(text),
  endpoints: v.optional(
    v.object({
      sqs: v.optional(text),
      kinesis: v.optional(text),
      dynamodb: v.optional(text),
      secretsManager: v.optional(text),
      sns: v.optional(text),
      serviceQuotas: v.optional(text),
      s3: v.optional(text),
    }),
  ),
});

/** Where a deployment is, as far as the user has said. Read a name that a command needs with `required`. */
export interface Deployment {
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly table?: string | undefined;
  readonly queueUrl?: string | undefined;
  readonly mediaStream?: string | undefined;
  readonly eventsStream?: string | undefined;
  readonly secretId?: string | undefined;
  /** Secret of the webhook tokens, where the deployment keeps them in one of their own. */
  readonly webhookSecretId?: string | undefined;
  readonly pagesTopic?: string | undefined;
  readonly ticketsTopic?: string | undefined;
  readonly webhookUrl?: string | undefined;
  readonly allowedHosts?: string | undefined;
  /** Where recordings are archived, `s3://bucket/prefix`; commands that read it have a flag of their own for it. */
  readonly archive?: string | undefined;
  readonly endpoints?:
    | {
        readonly sqs?: string | undefined;
        readonly kinesis?: string | undefined;
        readonly dynamodb?: string | undefined;
        readonly secretsManager?: string | undefined;
        readonly sns?: string | undefined;
        readonly serviceQuotas?: string | undefined;
        readonly s3?: string | undefined;
      }
    | undefined;
}

export type NameOf = Exclude<keyof Deployment, 'endpoints' | 'archive'>;

/** Flags as commander parses them. */
export type DeploymentFlags = Partial<Record<NameOf | 'config', string>> & {
  readonly local?: string | true;
};

/** The environment variable, the flag and the field of the file for each name. */
const NAMES: Readonly<
  Record<NameOf, { variable?: string; flag: string; field: string; what: string }>
> = {
  region: { variable: 'AWS_REGION', flag: '--region', field: 'region', what: 'AWS Region' },
  profile: { variable: 'AWS_PROFILE', flag: '--profile', field: 'profile', what: 'AWS profile' },
  table: { variable: 'SESSION_TABLE', flag: '--table', field: 'table', what: 'session table' },
  queueUrl: {
    variable: 'JOB_QUEUE_URL',
    flag: '--queue-url',
    field: 'queueUrl',
    what: 'job queue',
  },
  mediaStream: {
    variable: 'MEDIA_STREAM',
    flag: '--media-stream',
    field: 'streams.media',
    what: 'media stream',
  },
  eventsStream: {
    variable: 'EVENTS_STREAM',
    flag: '--events-stream',
    field: 'streams.events',
    what: 'events stream',
  },
  secretId: {
    variable: 'ZOOM_SECRET_ID',
    flag: '--secret-id',
    field: 'secretId',
    what: 'Zoom secret',
  },
  webhookSecretId: {
    variable: 'ZOOM_WEBHOOK_SECRET_ID',
    flag: '--webhook-secret-id',
    field: 'webhookSecretId',
    what: 'secret of the webhook tokens',
  },
  pagesTopic: {
    variable: 'PAGES_TOPIC',
    flag: '--pages-topic',
    field: 'pagesTopicArn',
    what: 'topic of pages',
  },
  ticketsTopic: {
    variable: 'TICKETS_TOPIC',
    flag: '--tickets-topic',
    field: 'ticketsTopicArn',
    what: 'topic of tickets',
  },
  webhookUrl: {
    variable: 'WEBHOOK_URL',
    flag: '--webhook-url',
    field: 'webhookUrl',
    what: 'webhook URL',
  },
  allowedHosts: {
    variable: 'ALLOWED_HOSTS',
    flag: '--allowed-hosts',
    field: 'allowedHosts',
    what: 'list of allowed hosts',
  },
};

export const DEPLOYMENT_NAMES = Object.keys(NAMES) as readonly NameOf[];

export const CONFIG_FILE = 'rtms.json';
export const LOCAL_FILE = 'out/stack.json';

/**
 * Finds the deployment. A flag wins over a file that the user named (`--config`, `--local`), that file over the
 * environment, and the environment over `rtms.json` in the working directory.
 *
 * @throws ServiceError `config/invalid` for a file that is missing or wrong
 */
export function findDeployment(flags: DeploymentFlags, environment: NodeJS.ProcessEnv): Deployment {
  const named = namedFile(flags);
  const found: Deployment = {
    ...(named === undefined && existsSync(CONFIG_FILE) ? readDescription(CONFIG_FILE) : {}),
    ...pick((name) => {
      const { variable } = NAMES[name];
      return variable === undefined ? undefined : environment[variable];
    }),
    ...(named === undefined ? {} : readDescription(named)),
    ...pick((name) => flags[name]),
  };
  return found;
}

/** @throws ServiceError `config/invalid` with every way to give the name */
export function required(deployment: Deployment, name: NameOf): string {
  const value = deployment[name];
  if (value !== undefined) return value;
  const { variable, flag, field, what } = NAMES[name];
  throw new ServiceError(
    'config/invalid',
    `which ${what}? Give ${flag}, set ${variable}, or write "${field}" into ${CONFIG_FILE}; ` +
      'for the local stack: --local',
    { detail: { missing: name } },
  );
}

function namedFile({ config, local }: DeploymentFlags): string | undefined {
  if (local === undefined) return config;
  if (config !== undefined) {
    throw new ServiceError('config/invalid', 'give either --config or --local, not both');
  }
  return local === true || local === '' ? LOCAL_FILE : local;
}

function readDescription(path: string): Deployment {
  const result = v.safeParse(DESCRIPTION, parseJson(path));
  if (!result.success) {
    const fields = result.issues.map((issue) => v.getDotPath(issue) ?? 'the whole');
    throw new ServiceError('config/invalid', `${path} is wrong at ${fields.join(', ')}`);
  }
  const { streams, pagesTopicArn, ticketsTopicArn, ...rest } = result.output;
  return defined({
    ...rest,
    mediaStream: streams?.media,
    eventsStream: streams?.events,
    pagesTopic: pagesTopicArn,
    ticketsTopic: ticketsTopicArn,
  });
}

/** Parses the file, or else its first line: the output of `npm start --json` goes on after the `ready` line. */
function parseJson(path: string): unknown {
  let content: string;
  try {
    content = decodeText(readFileSync(path));
  } catch (cause) {
    const hint = path === LOCAL_FILE ? '; is `npm start -- --live` running here?' : '';
    throw new ServiceError('config/invalid', `${path} cannot be read${hint}`, { cause });
  }
  for (const candidate of [content, content.split('\n', 1)[0] ?? '']) {
    try {
      return JSON.parse(candidate);
    } catch {
      // Try the next candidate; after the last one the error below is thrown.
    }
  }
  throw new ServiceError('config/invalid', `${path} is not JSON`);
}

function pick(read: (name: NameOf) => string | undefined): Deployment {
  return defined(
    Object.fromEntries(DEPLOYMENT_NAMES.map((name) => [name, read(name) || undefined])),
  );
}

function defined(fields: Deployment): Deployment {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
