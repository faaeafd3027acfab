import * as v from 'valibot';
import {
  checkCameras,
  completeMediaRequest,
  type MediaRequest,
  UNKNOWN_FIELD,
} from '../../rtms/protocol/params.ts';
import { completeProtocol, type ProtocolRequest } from '../../rtms/protocol/protocol-settings.ts';
import { ServiceError } from '../../shared/errors.ts';
import { TIME_OF_DAY } from '../../shared/packing.ts';
import { parseAllowedHosts } from '../../shared/zoom/allowed-hosts.ts';
import { US_EAST_1_PRICES } from '../study/prices.ts';
import { describeFault, misplacedLists, NO_SUCH_KEY } from './config-faults.ts';
import { cronField, isTimeZone } from './cron-fields.ts';

/** Retentions CloudWatch Logs accepts, days. */
const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] as const;

/** Fargate's sizes of up to 2 vCPU (runners are single-threaded): CPU units to memory, MiB. */
const FARGATE_MEMORY_MIB: Readonly<Record<number, readonly number[]>> = {
  256: [512, 1024, 2048],
  512: [1024, 2048, 3072, 4096],
  1024: [2048, 3072, 4096, 5120, 6144, 7168, 8192],
  2048: [4096, 5120, 6144, 7168, 8192],
};

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const price = v.pipe(v.number(), v.minValue(0));
const text = v.pipe(v.string(), v.minLength(1));

/** What CDK puts in the place of a value that only a deployment knows, such as the id of a VPC in the same app. */
const TOKEN = /[$#]\{Token\[/;

/** Text of a certain form, or a token that will have it. */
function textLike(form: RegExp, description: string) {
  return v.pipe(
    v.string(),
    v.check((value) => form.test(value) || TOKEN.test(value), `allowed is ${description}`),
    v.description(description),
  );
}

/** Text that a function knows how to read. */
function textOf(isGood: (value: string) => boolean, description: string) {
  return v.pipe(
    v.string(),
    v.check((value) => isGood(value), `allowed is ${description}`),
    v.description(description),
  );
}

const EMAIL = textLike(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an e-mail address');
/** As runners and webhook read it when they start: what they refuse must not get as far as a deployment. */
const HOST = v.pipe(
  v.string(),
  v.check((host) => {
    try {
      return parseAllowedHosts(host).length === 1 && !host.includes(',');
    } catch {
      return false;
    }
  }, 'allowed is a bare host name'),
  v.description('a bare host name'),
);
const HTTPS = textLike(/^https:\/\/[^\s/]+/, 'an https:// address');

/** Short form of a media request: what is left out keeps its default, `false` is not wanted. */
type MediaInput = {
  readonly [Type in keyof MediaRequest]?: false | Partial<Exclude<MediaRequest[Type], false>>;
};

const MEDIA = v.rawTransform<MediaInput, MediaRequest>(({ dataset, addIssue, NEVER }) => {
  try {
    return completeMediaRequest(dataset.value);
  } catch (error) {
    addIssue(issueOf(error, 'media', dataset.value));
    return NEVER;
  }
});

/** What a shared parser refused, told as the rest of the configuration is. */
function issueOf(error: unknown, root: string, input: unknown) {
  if (!(error instanceof ServiceError)) throw error;
  const { field, value, allowed } = error.detail;
  const isKey = String(field).endsWith(' key');
  const path = pathTo(String(field).replace(/ key$/, ''), root, input);
  const known = [allowed].flat().join(', ');
  const message =
    value === UNKNOWN_FIELD
      ? `${NO_SUCH_KEY} ${known}`
      : `allowed ${isKey ? 'as a key ' : ''}is ${known}`;
  return { message, ...(path && { path }) };
}

/** `audio.codec` as valibot's path below `media`; a field about the whole request has none. */
function pathTo(
  field: string,
  root: string,
  input: unknown,
): [v.IssuePathItem, ...v.IssuePathItem[]] | undefined {
  const [first, ...rest] = field.split('.');
  const keys = first === root ? rest : [first, ...rest];
  const items = keys.map((key) => pathItem(key, input));
  const [item, ...others] = items;
  return item === undefined ? undefined : [item, ...others];
}

function pathItem(key: unknown, input: unknown): v.IssuePathItem {
  return { type: 'unknown', origin: 'value', input, key, value: undefined };
}

const PROTOCOL = v.rawTransform<object, ProtocolRequest>(({ dataset, addIssue, NEVER }) => {
  try {
    return completeProtocol(dataset.value);
  } catch (error) {
    addIssue(issueOf(error, 'protocol', dataset.value));
    return NEVER;
  }
});

const ZOOM_FIELDS = v.strictObject({
  /** How to speak with each product: version, format, transport, names of event codes. */
  protocol: v.optional(
    v.pipe(
      v.custom<object>(() => true),
      PROTOCOL,
    ),
    {},
  ),
  /** Hosts, with their subdomains, that Zoom's server addresses must lie under. */
  allowedHosts: v.optional(v.pipe(v.array(HOST), v.minLength(1)), [
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

/** What no field says alone. */
const ZOOM = v.pipe(
  ZOOM_FIELDS,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { media, protocol } = dataset.value;
    try {
      checkCameras(media, protocol);
    } catch (error) {
      const { message, path } = issueOf(error, 'media', media);
      addIssue({ message, ...(path && { path: [pathItem('media', dataset.value), ...path] }) });
    }
  }),
);

const WEBHOOK = v.pipe(
  v.strictObject({
    /**
     * Throttle of the whole endpoint, which Zoom shares with the rest of the world. Zoom does not repeat what was
     * refused with 429, so a stranger who fills the bucket makes meetings go unrecorded. A forgery that is let in
     * costs some 5 ms of one function; keep this far above anything that Zoom sends.
     */
    requestsPerSecond: v.optional(count, 2_000),
    burst: v.optional(count, 4_000),
    /**
     * Lambda executions kept for, and granted to, the webhook function. Unset: it takes what the account has.
     * A new account has 10 in all, of which none can be reserved.
     */
    reservedConcurrency: v.optional(count),
    /** A domain of your own; the default endpoint is then switched off. */
    domain: v.optional(
      v.strictObject({
        name: textLike(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i, 'a host name'),
        /** ACM certificate in the stack's Region; behind CloudFront, in us-east-1. */
        certificateArn: textLike(/^arn:[a-z-]+:acm:/, 'the ARN of an ACM certificate'),
      }),
    ),
    /**
     * CloudFront with AWS WAF in front. It refuses what a single address sends too much of, before it reaches
     * the shared throttle.
     */
    cloudFront: v.optional(
      v.strictObject({
        /** Requests of one address in five minutes. Zoom's own deliveries come from few addresses. */
        requestsPerFiveMinutes: v.optional(
          v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(2_000_000_000)),
          6_000,
        ),
        /** A web ACL of yours, of scope CLOUDFRONT; unset: one is made, for which the stack must be in us-east-1. */
        webAclArn: v.optional(textLike(/^arn:[a-z-]+:wafv2:/, 'the ARN of a web ACL')),
      }),
    ),
    /**
     * A Lambda authorizer before the function: requests without Zoom's headers end at API Gateway. The
     * signature itself covers the body, which no authorizer sees; the function verifies it in any case.
     */
    authorizer: v.optional(v.boolean(), false),
    /** Posts a signed URL validation every five minutes and raises an alarm when it is not answered. */
    canary: v.optional(v.boolean(), false),
  }),
  v.forward(
    v.partialCheck(
      [['cloudFront'], ['domain']],
      ({ cloudFront, domain }) =>
        cloudFront === undefined ||
        domain === undefined ||
        TOKEN.test(domain.certificateArn) ||
        domain.certificateArn.split(':')[3] === 'us-east-1',
      'allowed behind CloudFront is a certificate in us-east-1',
    ),
    ['domain', 'certificateArn'],
  ),
);

const CAPACITY = v.variant('mode', [
  v.strictObject({
    mode: v.literal('on-demand'),
    /**
     * The account has On-Demand Advantage switched on (docs/deploy.md): at least 60 % less per GB, no price per
     * stream, and a commitment to 25 MiB/s in and out for the whole account.
     */
    advantage: v.optional(v.boolean(), false),
    /** With `advantage`: what the media stream takes at once. Unset: 4 MB/s, doubling over tens of minutes. */
    warmMiBps: v.optional(count),
  }),
  v.strictObject({
    mode: v.literal('provisioned'),
    /** Concurrent meetings at the peak; with `zoom.media` this gives the shard counts. */
    meetings: count,
    /** Share of each shard to fill on average: keys are placed by hash, so some shards get more. */
    shardLoad: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(0.8)), 0.4),
  }),
]);

const RECORDS = v.pipe(
  v.strictObject({
    capacity: v.optional(CAPACITY, { mode: 'on-demand' }),
    retentionHours: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(24), v.maxValue(8760)),
      24,
    ),
  }),
  v.forward(
    v.partialCheck(
      [['capacity']],
      ({ capacity }) =>
        capacity.mode !== 'on-demand' || capacity.warmMiBps === undefined || capacity.advantage,
      'allowed only with advantage: true; Kinesis offers warm throughput to such accounts alone',
    ),
    ['capacity', 'warmMiBps'],
  ),
);

const PREWARM = v.strictObject({
  /** Letters and digits; part of the scheduled action's name. */
  name: textLike(/^[A-Za-z0-9]+$/, 'letters and digits'),
  /** Cron fields; the rest is `*`. For example minute `50`, hour `7-17`, weekDay `MON-FRI`. */
  minute: textOf(cronField(0, 59), '0 to 59, as in 45, 0-30/10 or *'),
  hour: textOf(cronField(0, 23), '0 to 23, as in 7, 7-17 or *'),
  weekDay: textOf(
    cronField(1, 7, ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']),
    'SUN to SAT or 1 to 7, as in MON-FRI or *',
  ),
  /** IANA time zone of the fields. */
  timeZone: textOf(isTimeZone, 'an IANA time zone, as in America/New_York'),
  /** Smallest number of tasks from then on, until the next entry. */
  minTasks: count,
});

const TIME = textOf((value) => TIME_OF_DAY.test(value), 'a time of day, 00:00 to 23:59');

const PACKING = v.pipe(
  v.strictObject({
    /** Time of day at which packing may begin and at which it ends; past midnight when `to` is earlier. */
    from: TIME,
    to: TIME,
    /** IANA time zone of both. */
    timeZone: textOf(isTimeZone, 'an IANA time zone, as in America/New_York'),
    /** Only while less than this share of the fleet's slots is used. */
    belowPercent: v.optional(v.pipe(count, v.maxValue(50)), 30),
    /**
     * `audio`: only sessions that have audio alone, which lose nothing. `all`: the others too; each loses the transcript, chat,
     * video and share of the second or two in which nobody is connected.
     */
    sessions: v.optional(v.picklist(['audio', 'all']), 'audio'),
  }),
  v.forward(
    v.partialCheck(
      [['from'], ['to']],
      ({ from, to }) => from !== to,
      'allowed is another time than in from',
    ),
    ['to'],
  ),
);

const RUNNER = v.pipe(
  v.strictObject({
    cpu: v.optional(v.picklist([256, 512, 1024, 2048]), 1024),
    memoryMiB: v.optional(count, 2048),
    /**
     * Slots of a task, weighed in `shared/session-table/slots.ts` (a meeting with all media: 1;
     * audio, transcript and chat: 0.45). 30 use half a vCPU, which leaves the rest for bursts.
     */
    capacity: v.optional(count, 30),
    /** One is enough to try things out; with two, one zone may fail. */
    minTasks: v.optional(count, 2),
    maxTasks: v.optional(count, 20),
    /** Slots for a burst that finds nothing running: `minTasks` is raised to hold them. */
    headroomSlots: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 10),
    prewarm: v.optional(v.array(PREWARM), []),
    /** Quiet hours in which tasks give their sessions to fuller ones, so that some can be stopped. Unset: never. */
    packing: v.optional(PACKING),
    /** Disk overflow of records when Kinesis is slow. */
    spoolGiB: v.optional(v.pipe(count, v.maxValue(150)), 15),
    /** Digest of the Node base image, `sha256:…`; unset: the tag in `runner/Dockerfile`. */
    baseImageDigest: v.optional(
      textLike(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hexadecimal digits'),
    ),
    architecture: v.optional(v.picklist(['arm64', 'x86_64']), 'arm64'),
    /** A runner image that is already in a registry: the deployment then needs no Docker. */
    imageUri: v.optional(
      textLike(
        /^[^\s:/]+(\/[^\s:]+)+([:@][^\s]+)$/,
        'an image with a tag or digest, registry/name:tag',
      ),
    ),
  }),
  v.forward(
    v.partialCheck(
      [['cpu'], ['memoryMiB']],
      ({ cpu, memoryMiB }) => FARGATE_MEMORY_MIB[cpu]?.includes(memoryMiB) === true,
      ({ input }) =>
        `allowed is ${FARGATE_MEMORY_MIB[input.cpu]?.join(', ')} with ${input.cpu} CPU units`,
    ),
    ['memoryMiB'],
  ),
  v.forward(
    v.partialCheck(
      [['minTasks'], ['maxTasks']],
      ({ minTasks, maxTasks }) => maxTasks >= minTasks,
      ({ input }) => `allowed is at least minTasks, ${input.minTasks}`,
    ),
    ['maxTasks'],
  ),
  v.forward(
    v.partialCheck(
      [['headroomSlots'], ['maxTasks'], ['capacity']],
      ({ headroomSlots, maxTasks, capacity }) => headroomSlots <= maxTasks * capacity,
      ({ input }) =>
        `allowed is what maxTasks hold, up to ${Number(input.maxTasks) * Number(input.capacity)} (maxTasks × capacity)`,
    ),
    ['headroomSlots'],
  ),
  v.forward(
    v.partialCheck(
      [['prewarm'], ['maxTasks']],
      ({ prewarm, maxTasks }) => prewarm.every(({ minTasks }) => minTasks <= maxTasks),
      ({ input }) => `allowed in minTasks is up to maxTasks, ${input.maxTasks}`,
    ),
    ['prewarm'],
  ),
  v.forward(
    v.partialCheck(
      [['prewarm']],
      ({ prewarm }) => new Set(prewarm.map(({ name }) => name)).size === prewarm.length,
      'allowed is each name once',
    ),
    ['prewarm'],
  ),
  v.forward(
    v.partialCheck(
      [['imageUri'], ['baseImageDigest']],
      ({ imageUri, baseImageDigest }) => imageUri === undefined || baseImageDigest === undefined,
      'allowed only without imageUri, whose base is what it was built on',
    ),
    ['baseImageDigest'],
  ),
);

/** Of a VPC of our own. */
export const MAX_ZONES = 3;

const NETWORK = v.variant('kind', [
  /** Own VPC, tasks with public addresses and no inbound rule: no cost per GB. */
  v.strictObject({ kind: v.literal('public') }),
  /** Own VPC, tasks without public addresses behind NAT gateways. */
  v.strictObject({
    kind: v.literal('private'),
    /** One in each zone at most. */
    natGateways: v.optional(v.pipe(count, v.maxValue(MAX_ZONES)), 2),
    /** Lambda functions too: for organisations that allow none outside of a VPC. */
    functions: v.optional(v.boolean(), false),
  }),
  /** Subnets of yours that reach Zoom, Kinesis and the other services by themselves. */
  v.pipe(
    v.strictObject({
      kind: v.literal('existing'),
      vpcId: textLike(/^vpc-/, 'the id of a VPC, vpc-…'),
      availabilityZones: v.pipe(v.array(text), v.minLength(2)),
      subnetIds: v.pipe(
        v.array(textLike(/^subnet-/, 'the id of a subnet, subnet-…')),
        v.minLength(2),
      ),
    }),
    v.forward(
      v.partialCheck(
        [['availabilityZones'], ['subnetIds']],
        ({ availabilityZones, subnetIds }) => subnetIds.length % availabilityZones.length === 0,
        ({ input }) => {
          const zones = (input as { availabilityZones: unknown[] }).availabilityZones.length;
          return `allowed is as many for each of the ${zones} availabilityZones`;
        },
      ),
      ['subnetIds'],
    ),
  ),
]);

/** An address, or `{ email }` and `{ https }` where the address is a token. */
const SUBSCRIBER = v.pipe(
  v.union([
    v.pipe(v.string(), v.regex(/^(https:\/\/[^\s/]+.*|[^\s@:/]+@[^\s@]+\.[^\s@]+)$/)),
    v.strictObject({ email: EMAIL, https: v.optional(v.undefined()) }),
    v.strictObject({ https: HTTPS, email: v.optional(v.undefined()) }),
  ]),
  v.description(
    'an e-mail address or an https:// address; { email: … } or { https: … } for a token',
  ),
);

const MONITORING = v.strictObject({
  /** Woken when meetings suffer: told when the composite alarm changes. */
  pages: v.optional(v.array(SUBSCRIBER), []),
  /** Told of every single alarm, of those that page as well: what is to be looked at in working hours. */
  tickets: v.optional(v.array(SUBSCRIBER), []),
  /** `essential`: only what loses meetings or media, for deployments that nobody is on call for. */
  alarms: v.optional(v.picklist(['all', 'essential']), 'all'),
  /**
   * A small task of its own that plays a meeting through the deployment every hour and after each release, and an alarm
   * when not all of it arrives: docs/synthetic-meeting.md.
   */
  syntheticMeeting: v.optional(v.boolean(), false),
  /** ECS's own metrics of clusters, services and tasks; our alarms and dashboard do without them. */
  containerInsights: v.optional(v.boolean(), true),
  /** Where `docs/runbook.md` can be read; alarm texts link to its headings. Unset: they link to the dashboard. */
  runbookUrl: v.optional(HTTPS),
  /** Dollars a month; AWS Budgets tells `tickets` at 80 % of it and when the forecast is above it. */
  monthlyBudget: v.optional(count),
});

/** One address of `monitoring.pages` or `monitoring.tickets`. */
export type Subscriber = v.InferOutput<typeof SUBSCRIBER>;

/** What CloudWatch takes as the value of a dimension, and Logs Insights as a folder of queries. */
const DEPLOYMENT_NAME = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/),
  v.description('1 to 64 letters, digits and hyphens'),
);

/** What CloudFormation takes, and not the tag that is set in any case. */
const TAGS = v.record(
  v.pipe(
    v.string(),
    v.check(
      (name) => /^(?!aws:|rtms-kinesis:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu.test(name),
      'allowed as a key is 1 to 128 letters, digits, spaces and _.:/=+-@; aws: and rtms-kinesis: are taken',
    ),
  ),
  v.pipe(v.string(), v.maxLength(256), v.description('text of up to 256 characters')),
);

/** The whole of it; `readConfig` is how it is used. */
export const CONFIG = v.strictObject({
  /**
   * Tells this deployment from others in the same account: a dimension of every metric. Unset: the name of
   * the stack (`RtmsKinesisStack`), or the construct's path.
   */
  deployment: v.optional(DEPLOYMENT_NAME),
  /** What becomes of table, streams, secret and logs when the stack is deleted. */
  onDelete: v.optional(v.picklist(['retain', 'destroy']), 'retain'),
  /** CloudFormation refuses to delete the stack (`RtmsKinesisStack` only). */
  terminationProtection: v.optional(v.boolean(), false),
  /** On everything that can be tagged, the tasks too, beside `rtms-kinesis:deployment`. */
  tags: v.optional(TAGS, {}),
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
  const lists = misplacedLists(CONFIG, input);
  const parsed = v.safeParse(CONFIG, input);
  if (parsed.success && lists.length === 0) return parsed.output;
  const issues = parsed.issues ?? [];
  const faults = [...lists, ...issues.map((issue) => describeFault(CONFIG, input, issue))];
  throw new ServiceError('config/invalid', faults.join('\n  '), { detail: { faults } });
}
