import type { RunnerPrices } from '../../shared/cost.ts';
import { putUnits } from '../../shared/kinesis-rules.ts';
import type { Config } from '../config/schema.ts';
import { archiveAlarmCount, archiveCost } from './archive-cost.ts';
import { meetingLoad, shardsFor, type WriteLoad } from './meeting-load.ts';
import { HOURS_PER_MONTH } from './prices.ts';
import { leastTasks, tasksFor } from './scaling-rules.ts';

/** One item of the bill, US dollars. */
export interface CostLine {
  readonly item: string;
  readonly dollarsPerHour: number;
}

/** The synthetic meeting's task: Fargate's smallest size. */
export const SYNTHETIC_TASK = { cpu: 256, memoryMiB: 512 } as const;

const KIB = 1024;
const GIB = 1024 ** 3;
const SECONDS_PER_HOUR = 3600;
/** The AWS JSON protocol and Zoom's messages both carry media as base64. */
const BASE64 = 4 / 3;
/** CDK spans two zones when a stack does not name its account and Region. */
const AVAILABILITY_ZONES = 2;

/** A meeting sends three webhooks. Each of them writes row and index; claim, handshake and end write them too. */
const WEBHOOKS_PER_MEETING = 3;
const ROW_WRITES_PER_MEETING = 2 * 6;
/** Each task renews its heartbeat, in row and index, every 3 s. */
const HEARTBEATS_PER_HOUR = SECONDS_PER_HOUR / 3;
/** Each task re-reads its rows of about 1 KiB every 2 s, and all heartbeats of about 0.2 KiB every second. */
const RECONCILES_PER_HOUR = SECONDS_PER_HOUR / 2;
const ROW_KIB = 1;
const HEARTBEAT_KIB = 0.2;
const LOG_BYTES_PER_MEETING = 40 * KIB;
/** An idle task logs six lines of metric levels every ten seconds; a busy one adds lines per frame kind and cause. */
const LOG_BYTES_PER_IDLE_TASK_HOUR = 1024 * KIB;
const LOG_BYTES_PER_TASK_HOUR = 12 * 1024 * KIB;
/** Metrics that an idle task reports; all of ours, counted per dimension value; those of Container Insights. */
const IDLE_METRICS = 16;
const METRICS = 90;
const INSIGHTS_METRICS = 40;
/** Credentials and webhook tokens. */
const SECRETS = 2;
/** Alarms of each `monitoring.alarms` where a task always runs; a test compares them with the template. */
const ALARMS = { essential: 12, all: 37 } as const;
/** Alarms of the catcher: those that page, and all. */
const CATCHER_ALARMS = { essential: 1, all: 2 } as const;
/** Alarms behind scaling rules: one on the queue's age and, where no task may run, those for the first and the last task. */
const SCALING_ALARMS = 1;
const ALARMS_AROUND_ZERO = 2;
/** Lambda keeps five long polls of 20 s at the catcher's queue. */
const CATCHER_POLLS_PER_HOUR = (5 * SECONDS_PER_HOUR) / 20;
/** How long an execution of the catcher takes to see that a task has claimed a row, s. */
const LOOK_SECONDS = 0.05;
const HOURS_OF_FIRST_RETENTION = 24;
const HOURS_OF_EXTENDED_RETENTION = 168;
/** On-Demand Advantage bills the account for at least this much in each direction, used or not. */
const ADVANTAGE_MIB_PER_SECOND = 25;

/** Dollars for one runner task for an hour, without its network. */
export function taskHour({
  prices,
  runner,
}: {
  readonly prices: Config['prices'];
  readonly runner: Pick<Config['runner'], 'cpu' | 'memoryMiB'>;
}): number {
  return (
    (runner.cpu / 1024) * prices.fargateVcpuHour + (runner.memoryMiB / 1024) * prices.fargateGbHour
  );
}

/**
 * Dollars an hour, by item, while this many meetings run all the time and one consumer reads both streams. List prices;
 * free tiers, support, KMS requests and the consumer's own costs are left out.
 */
export function costPerHour(config: Config, meetings: number): CostLine[] {
  const load = meetingLoad(config.zoom.media);
  const tasks = tasksFor(config, meetings);
  const media = streamHour(config, load.media, meetings);
  const events = streamHour(config, load.events, meetings);
  return [
    { item: 'Fargate tasks', dollarsPerHour: tasks * taskHour(config) },
    { item: 'Network', dollarsPerHour: networkHour(config, tasks, meetings, load.media) },
    { item: 'Kinesis media', dollarsPerHour: media },
    { item: 'Kinesis events', dollarsPerHour: events },
    ...commitment(config, media + events),
    { item: 'Webhook, DynamoDB, SQS', dollarsPerHour: dispatchHour(config, tasks, meetings) },
    ...catcherLine(config, meetings),
    { item: 'Logs, metrics, alarms', dollarsPerHour: monitoringHour(config, tasks, meetings) },
    ...syntheticMeeting(config),
    ...archiveCost(config, meetings, taskHour),
  ];
}

/** Alarms that a deployment of this configuration has. */
export function alarmCount(config: Pick<Config, 'monitoring' | 'runner' | 'records'>): number {
  const { monitoring, runner, records } = config;
  const { minTasks, maxTasks, headroomSlots, capacity, catcher } = runner;
  const least = leastTasks(minTasks, headroomSlots, capacity);
  const ofCatcher = catcher === undefined ? 0 : CATCHER_ALARMS[monitoring.alarms];
  // "No runners" says nothing where none need run.
  const withoutTasks = minTasks === 0 ? -1 : 0;
  const ofScaling = least === maxTasks ? 0 : SCALING_ALARMS;
  const aroundZero = least === 0 ? ALARMS_AROUND_ZERO : 0;
  const ofOthers = ofCatcher + archiveAlarmCount({ monitoring, records });
  return ALARMS[monitoring.alarms] + ofOthers + withoutTasks + ofScaling + aroundZero;
}

/** Looks and polls. What it costs to serve until a task does is in docs/scaling.md: it depends on how meetings arrive. */
function catcherLine({ prices, runner }: Config, meetings: number): CostLine[] {
  const { catcher } = runner;
  if (catcher === undefined) return [];
  const gbSeconds = meetings * LOOK_SECONDS * (catcher.memoryMiB / 1024);
  const requests = CATCHER_POLLS_PER_HOUR + 3 * meetings;
  const dollarsPerHour =
    gbSeconds * prices.lambdaGbSecond +
    (requests / 1e6) * prices.sqsMillionRequests +
    (meetings / 1e6) * (prices.lambdaMillionRequests + prices.dynamoDbMillionReads);
  return [{ item: 'Catcher, waiting', dollarsPerHour }];
}

/** Dollars for a meeting with everything served by Lambda alone for an hour, and by a full task. */
export function meetingHours(config: Config): { readonly lambda: number; readonly task: number } {
  const { prices, runner } = config;
  const { memoryMiB, capacity } = runner.catcher ?? { memoryMiB: 2_048, capacity: 20 };
  const lambda = (SECONDS_PER_HOUR * (memoryMiB / 1024) * prices.lambdaGbSecond) / capacity;
  return { lambda, task: taskHour(config) / runner.capacity };
}

/** Task, address, DNS name, secret, two metrics and the alarm. Its records, some cents a month, are left out. */
function syntheticMeeting({ prices, network, monitoring }: Config): CostLine[] {
  if (!monitoring.syntheticMeeting) return [];
  const task = taskHour({ prices, runner: SYNTHETIC_TASK });
  const address = network.kind === 'public' ? prices.publicIpv4Hour : 0;
  const perMonth =
    prices.privateZoneMonth + prices.secretMonth + 2 * prices.metricMonth + prices.alarmMonth;
  return [
    { item: 'Synthetic meeting', dollarsPerHour: task + address + perMonth / HOURS_PER_MONTH },
  ];
}

/** The part of On-Demand Advantage's commitment that these streams do not use; other streams of the account might. */
function commitment({ prices, records }: Config, usedPerHour: number): CostLine[] {
  const { capacity } = records;
  if (capacity.mode !== 'on-demand' || !capacity.advantage) return [];
  const gigabytes = (ADVANTAGE_MIB_PER_SECOND * SECONDS_PER_HOUR) / 1024;
  const least = gigabytes * (prices.kinesisAdvantageGbIn + prices.kinesisAdvantageGbOut);
  return [{ item: 'Kinesis commitment, unused', dollarsPerHour: Math.max(0, least - usedPerHour) }];
}

function networkHour(
  { network, prices }: Config,
  tasks: number,
  meetings: number,
  load: WriteLoad,
): number {
  if (network.kind === 'public') return tasks * prices.publicIpv4Hour;
  if (network.kind === 'existing') return 0;
  const gigabytes = (meetings * load.bytesPerSecond * BASE64 * SECONDS_PER_HOUR) / GIB;
  return (
    network.natGateways * prices.natGatewayHour +
    gigabytes * prices.natGb +
    AVAILABILITY_ZONES * prices.endpointHour +
    gigabytes * prices.endpointGb
  );
}

/**
 * Dollars for one stream for an hour, retention included. A provisioned stream is billed for the shards of the meetings
 * it is configured for, however few run.
 */
export function streamHour(
  { prices, records }: Pick<Config, 'prices' | 'records'>,
  load: WriteLoad,
  meetings: number,
): number {
  const { capacity, retentionHours } = records;
  const puts = load.putsPerSecond * meetings * SECONDS_PER_HOUR;
  const gigabytes = (load.bytesPerSecond * meetings * SECONDS_PER_HOUR) / GIB;
  const isExtended = retentionHours > HOURS_OF_FIRST_RETENTION;
  const kept = keptHour(prices, gigabytes, retentionHours);
  if (capacity.mode === 'provisioned') {
    const unitsPerPut = puts === 0 ? 0 : putUnits(load.bytesPerSecond / load.putsPerSecond);
    const shardHour =
      prices.kinesisShardHour + (isExtended ? prices.kinesisExtendedRetentionShardHour : 0);
    return (
      shardsFor(load, capacity.meetings, capacity.shardLoad) * shardHour +
      ((puts * unitsPerPut) / 1e6) * prices.kinesisMillionPutUnits +
      kept.long
    );
  }
  const roundedBytes =
    puts === 0 ? 0 : Math.ceil(load.bytesPerSecond / load.putsPerSecond / KIB) * KIB;
  const gigabytesIn = (puts * roundedBytes) / GIB;
  const moved = capacity.advantage
    ? gigabytesIn * prices.kinesisAdvantageGbIn + gigabytes * prices.kinesisAdvantageGbOut
    : prices.kinesisOnDemandStreamHour +
      gigabytesIn * prices.kinesisOnDemandGbIn +
      gigabytes * prices.kinesisOnDemandGbOut;
  return moved + kept.extended + kept.long;
}

/** Dollars an hour for data older than a day and older than a week, if meetings ran at this rate all the time. */
function keptHour(
  prices: Config['prices'],
  gigabytesPerHour: number,
  retentionHours: number,
): { readonly extended: number; readonly long: number } {
  const past = (from: number, to: number) => Math.max(0, Math.min(retentionHours, to) - from);
  const extended = past(HOURS_OF_FIRST_RETENTION, HOURS_OF_EXTENDED_RETENTION);
  const long = past(HOURS_OF_EXTENDED_RETENTION, Number.POSITIVE_INFINITY);
  return {
    extended:
      (gigabytesPerHour * extended * prices.kinesisExtendedRetentionGbMonth) / HOURS_PER_MONTH,
    long: (gigabytesPerHour * long * prices.kinesisLongRetentionGbMonth) / HOURS_PER_MONTH,
  };
}

function dispatchHour({ prices }: Config, tasks: number, meetings: number): number {
  const webhooks = meetings * WEBHOOKS_PER_MEETING;
  const writes = meetings * ROW_WRITES_PER_MEETING + tasks * HEARTBEATS_PER_HOUR * 2;
  const reads =
    tasks * RECONCILES_PER_HOUR * queryUnits((meetings / Math.max(1, tasks)) * ROW_KIB) +
    tasks * SECONDS_PER_HOUR * (queryUnits(tasks * HEARTBEAT_KIB) + queryUnits(0));
  const queueRequests = meetings * 3 + tasks * (SECONDS_PER_HOUR / 20);
  return (
    (webhooks / 1e6) * (prices.httpApiMillionRequests + prices.lambdaMillionRequests) +
    webhooks * 0.1 * prices.lambdaGbSecond +
    (writes / 1e6) * prices.dynamoDbMillionWrites +
    (reads / 1e6) * prices.dynamoDbMillionReads +
    (queueRequests / 1e6) * prices.sqsMillionRequests
  );
}

/** Read units of an eventually consistent query: half a unit per 4 KiB, half a unit at least. */
function queryUnits(kib: number): number {
  return Math.ceil(Math.max(1, kib) / 4) / 2;
}

function monitoringHour(config: Config, tasks: number, meetings: number): number {
  const { prices, monitoring, encryption } = config;
  const isIdle = meetings === 0;
  const logBytes =
    meetings * LOG_BYTES_PER_MEETING +
    tasks * (isIdle ? LOG_BYTES_PER_IDLE_TASK_HOUR : LOG_BYTES_PER_TASK_HOUR);
  const metrics =
    (isIdle ? Math.min(1, tasks) * IDLE_METRICS : METRICS) +
    (monitoring.containerInsights ? INSIGHTS_METRICS : 0);
  const perMonth =
    metrics * prices.metricMonth +
    alarmCount(config) * prices.alarmMonth +
    prices.compositeAlarmMonth +
    prices.dashboardMonth +
    SECRETS * prices.secretMonth +
    (encryption === 'customer-managed' ? prices.keyMonth : 0);
  return perMonth / HOURS_PER_MONTH + (logBytes / GIB) * prices.logsGb;
}

/** Bytes that a refused request logs: its access log line and the function's own lines. */
const LOG_BYTES_PER_REFUSAL = 900;
/** GB-seconds that the function takes to refuse a forged request. */
const REFUSAL_GB_SECONDS = 0.005;

/** Dollars for an hour of forged requests that use up the webhook's throttle; the function refuses each of them. */
export function floodHour({ prices, webhook }: Pick<Config, 'prices' | 'webhook'>): number {
  const requests = webhook.requestsPerSecond * SECONDS_PER_HOUR;
  return (
    (requests / 1e6) * (prices.httpApiMillionRequests + prices.lambdaMillionRequests) +
    requests * REFUSAL_GB_SECONDS * prices.lambdaGbSecond +
    ((requests * LOG_BYTES_PER_REFUSAL) / GIB) * prices.logsGb
  );
}

/** Prices from which a runner estimates what its own meetings cost (the variable `PRICES`). */
export function runnerPrices(config: Config): RunnerPrices {
  const { prices, records, network, zoom } = config;
  const { capacity } = records;
  const load = meetingLoad(zoom.media);
  const isProvisioned = capacity.mode === 'provisioned';
  const shards = isProvisioned
    ? shardsFor(load.media, capacity.meetings, capacity.shardLoad) +
      shardsFor(load.events, capacity.meetings, capacity.shardLoad)
    : 0;
  return {
    taskHour: taskHour(config) + (network.kind === 'public' ? prices.publicIpv4Hour : 0),
    shardsPerMeetingHour: isProvisioned
      ? (shards * prices.kinesisShardHour) / capacity.meetings
      : 0,
    millionPutUnits: isProvisioned ? prices.kinesisMillionPutUnits : 0,
    gigabyteIn: gigabyteIn(config),
  };
}

function gigabyteIn({ prices, records: { capacity } }: Config): number {
  if (capacity.mode === 'provisioned') return 0;
  return capacity.advantage ? prices.kinesisAdvantageGbIn : prices.kinesisOnDemandGbIn;
}
