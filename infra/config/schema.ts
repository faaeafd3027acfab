import * as v from 'valibot';
import { ServiceError } from '../../shared/errors.ts';
import { US_EAST_1_PRICES } from '../planning/prices.ts';
import { describeFault, misplacedLists } from './faults.ts';
import { MONITORING } from './sections/monitoring.ts';
import { NETWORK } from './sections/network.ts';
import { RECORDS } from './sections/records.ts';
import { RUNNER } from './sections/runner.ts';
import { WEBHOOK } from './sections/webhook.ts';
import { ZOOM } from './sections/zoom.ts';

/** Retentions that CloudWatch Logs accepts, days. */
const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] as const;

/** The narrower of two rules: a dimension's value in CloudWatch, and a folder of queries in Logs Insights. */
const DEPLOYMENT_NAME = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/),
  v.description('1 to 64 letters, digits and hyphens'),
);

/** What CloudFormation accepts, without the prefix of the tag that is set in any case. */
const TAGS = v.record(
  v.pipe(
    v.string(),
    v.check(
      (name) => /^(?!aws:|rtms-kinesis:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu.test(name),
      'allowed as a key is 1 to 128 letters, digits, spaces and _.:/=+-@; the prefixes aws: and rtms-kinesis: are reserved',
    ),
  ),
  v.pipe(v.string(), v.maxLength(256), v.description('text of up to 256 characters')),
);

const price = v.pipe(v.number(), v.minValue(0));

/** The whole configuration; `readConfig` checks against it. */
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
  /** Tags of everything that can be tagged, tasks included, beside `rtms-kinesis:deployment`. */
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

/** What a stage or a caller may set; every key has a default. */
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
