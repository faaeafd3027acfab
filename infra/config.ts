import * as v from 'valibot';
import { ServiceError } from '../shared/errors.ts';
import { completeMediaRequest, type MediaRequest } from '../shared/rtms/params.ts';
import { US_EAST_1_PRICES } from './cost/prices.ts';

/** Retentions CloudWatch Logs accepts, days. */
const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] as const;

/** Fargate's sizes of up to 2 vCPU (runners are single-threaded): CPU units to memory, MiB. */
const FARGATE_MEMORY_MIB: Readonly<Record<number, readonly number[]>> = {
  512: [1024, 2048, 3072, 4096],
  1024: [2048, 3072, 4096, 5120, 6144, 7168, 8192],
  2048: [4096, 5120, 6144, 7168, 8192],
};

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const price = v.pipe(v.number(), v.minValue(0));
const text = v.pipe(v.string(), v.minLength(1));

/** Short form of a media request: what is left out keeps its default, `false` is not wanted. */
type MediaInput = {
  readonly [Type in keyof MediaRequest]?: false | Partial<Exclude<MediaRequest[Type], false>>;
};

const MEDIA = v.rawTransform<MediaInput, MediaRequest>(({ dataset, addIssue, NEVER }) => {
  try {
    return completeMediaRequest(dataset.value);
  } catch (error) {
    addIssue({ message: error instanceof Error ? error.message : String(error) });
    return NEVER;
  }
});

const ZOOM = v.strictObject({
  /** Hosts, with their subdomains, that Zoom's server addresses must lie under. */
  allowedHosts: v.optional(v.pipe(v.array(text), v.minLength(1)), [
    'zoom.us',
    'zoom.com',
    'zoomgov.com',
  ]),
  /** Accepted age of a webhook's timestamp, seconds, both ways. */
  maxClockSkewSeconds: v.optional(count, 300),
  /** How long webhook and runners use the secrets without reading them again, 30 to 3600 s; a placeholder 30 s. */
  secretRefreshSeconds: v.optional(v.pipe(count, v.minValue(30), v.maxValue(3_600)), 600),
  /** What to ask Zoom for; media types and fields left out keep the default of `RTMS_MEDIA`. */
  media: v.optional(
    v.pipe(
      v.custom<MediaInput>(() => true),
      MEDIA,
    ),
    {},
  ),
});

const WEBHOOK = v.strictObject({
  /** Throttle of the whole endpoint; Zoom retries what is refused. */
  requestsPerSecond: v.optional(count, 50),
  burst: v.optional(count, 100),
  /** Lambda executions kept for, and granted to, the webhook function. */
  reservedConcurrency: v.optional(count, 20),
  /** A domain of your own; the default endpoint is then switched off. */
  domain: v.optional(
    v.strictObject({
      name: text,
      /** ACM certificate in the stack's Region. */
      certificateArn: v.pipe(v.string(), v.startsWith('arn:')),
    }),
  ),
  /** Posts a signed URL validation every five minutes and raises an alarm when it is not answered. */
  canary: v.optional(v.boolean(), false),
});

const CAPACITY = v.variant('mode', [
  v.strictObject({ mode: v.literal('on-demand') }),
  v.strictObject({
    mode: v.literal('provisioned'),
    /** Concurrent meetings at the peak; with `zoom.media` this gives the shard counts. */
    meetings: count,
    /** Share of each shard to fill on average: keys are placed by hash, so some shards get more. */
    shardLoad: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(0.8)), 0.4),
  }),
]);

const RECORDS = v.strictObject({
  capacity: v.optional(CAPACITY, { mode: 'on-demand' }),
  retentionHours: v.optional(v.pipe(v.number(), v.integer(), v.minValue(24), v.maxValue(8760)), 24),
});

const PREWARM = v.strictObject({
  /** Letters and digits; part of the scheduled action's name. */
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9]+$/)),
  /** Cron fields; the rest is `*`. For example minute `50`, hour `7-17`, weekDay `MON-FRI`. */
  minute: text,
  hour: text,
  weekDay: text,
  /** IANA time zone of the fields. */
  timeZone: text,
  /** Smallest number of tasks from then on, until the next entry. */
  minTasks: count,
});

const RUNNER = v.pipe(
  v.strictObject({
    cpu: v.optional(v.picklist([512, 1024, 2048]), 1024),
    memoryMiB: v.optional(count, 2048),
    /**
     * Slots of a task: cost units it accepts, weighed in `shared/cost-units.ts` (a meeting with all media: 1;
     * audio, transcript and chat: 0.45). 30 use half a vCPU, which leaves the rest for bursts.
     */
    capacity: v.optional(count, 30),
    minTasks: v.optional(v.pipe(count, v.minValue(2, 'two tasks at least, in two zones')), 2),
    maxTasks: v.optional(count, 20),
    /** Slots kept free for a burst: fewer add tasks, and `minTasks` is raised to hold them. */
    headroomSlots: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 10),
    prewarm: v.optional(v.array(PREWARM), []),
    /** Disk overflow of records when Kinesis is slow. */
    spoolGiB: v.optional(v.pipe(count, v.maxValue(150)), 15),
    /** Digest of the Node base image, `sha256:…`; unset: the tag in `runner/Dockerfile`. */
    baseImageDigest: v.optional(v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/))),
  }),
  v.forward(
    v.partialCheck(
      [['cpu'], ['memoryMiB']],
      ({ cpu, memoryMiB }) => FARGATE_MEMORY_MIB[cpu]?.includes(memoryMiB) === true,
      ({ input }) =>
        `Fargate offers ${FARGATE_MEMORY_MIB[input.cpu]?.join(', ')} MiB with ${input.cpu} CPU units`,
    ),
    ['memoryMiB'],
  ),
  v.forward(
    v.partialCheck(
      [['minTasks'], ['maxTasks']],
      ({ minTasks, maxTasks }) => maxTasks >= minTasks,
      'must not be below minTasks',
    ),
    ['maxTasks'],
  ),
);

const NETWORK = v.variant('kind', [
  /** Own VPC, tasks with public addresses and no inbound rule: no cost per GB. */
  v.strictObject({ kind: v.literal('public') }),
  /** Own VPC, tasks without public addresses behind NAT gateways. */
  v.strictObject({ kind: v.literal('private'), natGateways: v.optional(count, 2) }),
  /** Subnets of yours that reach Zoom, Kinesis and the other services by themselves. */
  v.strictObject({
    kind: v.literal('existing'),
    vpcId: v.pipe(v.string(), v.startsWith('vpc-')),
    availabilityZones: v.pipe(v.array(text), v.minLength(2)),
    subnetIds: v.pipe(v.array(v.pipe(v.string(), v.startsWith('subnet-'))), v.minLength(2)),
  }),
]);

const MONITORING = v.strictObject({
  /** Told when the composite alarm changes; each address confirms once. */
  emails: v.optional(v.array(v.pipe(v.string(), v.email())), []),
  /** Where this repository's `docs/runbook.md` can be read; alarm texts link to its headings. */
  runbookUrl: v.optional(text, 'docs/runbook.md'),
});

/** What CloudWatch takes as the value of a dimension, and Logs Insights as a folder of queries. */
const DEPLOYMENT_NAME = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, 'must be 1 to 64 letters, digits and hyphens'),
);

const CONFIG = v.strictObject({
  /**
   * Tells this deployment from others in the same account: a dimension of every metric. Unset: the name of
   * the stack (`RtmsKinesisStack`), or the construct's path.
   */
  deployment: v.optional(DEPLOYMENT_NAME),
  /** What becomes of table, streams, secret and logs when the stack is deleted. */
  onDelete: v.optional(v.picklist(['retain', 'destroy']), 'retain'),
  /** `customer-managed`: one KMS key of the stack's own, needed for readers in other accounts. */
  encryption: v.optional(v.picklist(['aws-managed', 'customer-managed']), 'aws-managed'),
  logRetentionDays: v.optional(v.picklist(LOG_RETENTION_DAYS), 30),
  zoom: v.optional(ZOOM, {}),
  webhook: v.optional(WEBHOOK, {}),
  records: v.optional(RECORDS, {}),
  runner: v.optional(RUNNER, {}),
  network: v.optional(NETWORK, { kind: 'public' }),
  monitoring: v.optional(MONITORING, {}),
  /** List prices of the stack's Region, for the cost estimates. */
  prices: v.optional(
    v.strictObject(
      v.entriesFromList(Object.keys(US_EAST_1_PRICES) as (keyof typeof US_EAST_1_PRICES)[], price),
    ),
    US_EAST_1_PRICES,
  ),
});

/** What a stage file may say; every key has a default. */
export type ConfigInput = v.InferInput<typeof CONFIG>;

/** Complete and checked. */
export type Config = v.InferOutput<typeof CONFIG>;

/**
 * Checks a stage's settings and fills in the defaults.
 *
 * @throws ServiceError `config/invalid`; the message names every wrong key and what it allows
 */
export function readConfig(input: ConfigInput): Config {
  const parsed = v.safeParse(CONFIG, input);
  if (parsed.success) return parsed.output;
  const faults = parsed.issues.map(
    (issue) => `${v.getDotPath(issue) ?? 'config'}: ${issue.message}`,
  );
  throw new ServiceError('config/invalid', faults.join('; '), { detail: { faults } });
}
