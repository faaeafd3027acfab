import type { RunnerPrices } from '../../shared/cost.ts';
import { costOf } from '../../shared/cost-units.ts';
import { wantedMediaTypes } from '../../shared/rtms/params.ts';
import type { Config } from '../config.ts';
import { meetingLoad } from '../meeting-load.ts';
import { leastTasks, TARGET_UTILIZATION_PERCENT } from '../scaling-rules.ts';
import { shardsFor, type WriteLoad } from '../shards.ts';

export interface CostLine {
  readonly item: string;
  readonly dollarsPerHour: number;
}

const HOURS_PER_MONTH = 730;
const KIB = 1024;
const GIB = 1024 ** 3;
const SECONDS_PER_HOUR = 3600;
/** The AWS JSON protocol and Zoom's messages both carry media as base64. */
const BASE64 = 4 / 3;
const AVAILABILITY_ZONES = 2;

/** Per meeting-hour: three webhooks, each a write of row and index; claim, handshake and end the same. */
const WEBHOOKS_PER_MEETING = 3;
const ROW_WRITES_PER_MEETING = 2 * 6;
/** Each task renews its heartbeat, in row and index, every 3 s. */
const HEARTBEATS_PER_HOUR = SECONDS_PER_HOUR / 3;
/** Each task re-reads its rows of about 1 KiB every 2 s, and all heartbeats of about 0.2 KiB every second. */
const RECONCILES_PER_HOUR = SECONDS_PER_HOUR / 2;
const ROW_KIB = 1;
const HEARTBEAT_KIB = 0.2;
const LOG_BYTES_PER_MEETING = 40 * KIB;
const LOG_BYTES_PER_TASK_HOUR = 12 * 1024 * KIB;
/** Our metrics with their dimension values, and those of Container Insights. */
const METRICS = 130;
const ALARMS = 25;

/** Tasks that scaling settles on with this many meetings running. */
export function tasksFor(config: Config, meetings: number): number {
  const { capacity, headroomSlots, minTasks } = config.runner;
  const slots = meetings * costOf(wantedMediaTypes(config.zoom.media));
  return Math.max(
    leastTasks(minTasks, headroomSlots, capacity),
    Math.ceil(slots / (capacity * (TARGET_UTILIZATION_PERCENT / 100))),
  );
}

/** Price of one runner task for an hour, without its network. */
export function taskHour({ prices, runner }: Pick<Config, 'prices' | 'runner'>): number {
  return (
    (runner.cpu / 1024) * prices.fargateVcpuHour + (runner.memoryMiB / 1024) * prices.fargateGbHour
  );
}

/**
 * What an hour costs with this many meetings running all through it, one consumer reading both streams.
 * List prices, without free tiers, support, KMS requests and what consumers cost themselves.
 */
export function costPerHour(config: Config, meetings: number): CostLine[] {
  const load = meetingLoad(config.zoom.media);
  const tasks = tasksFor(config, meetings);
  return [
    { item: 'Fargate tasks', dollarsPerHour: tasks * taskHour(config) },
    { item: 'Network', dollarsPerHour: networkHour(config, tasks, meetings, load.media) },
    { item: 'Kinesis media', dollarsPerHour: streamHour(config, load.media, meetings) },
    { item: 'Kinesis events', dollarsPerHour: streamHour(config, load.events, meetings) },
    { item: 'Webhook, DynamoDB, SQS', dollarsPerHour: dispatchHour(config, tasks, meetings) },
    { item: 'Logs, metrics, alarms', dollarsPerHour: monitoringHour(config, tasks, meetings) },
  ];
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

/** One stream for an hour; provisioned ones are sized for the meetings that run. */
export function streamHour(
  { prices, records }: Pick<Config, 'prices' | 'records'>,
  load: WriteLoad,
  meetings: number,
): number {
  const puts = load.putsPerSecond * meetings * SECONDS_PER_HOUR;
  if (records.capacity.mode === 'provisioned') {
    const unitsPerPut = Math.ceil(load.bytesPerSecond / load.putsPerSecond / 25_000);
    return (
      shardsFor(load, meetings, records.capacity.shardLoad) * prices.kinesisShardHour +
      ((puts * unitsPerPut) / 1e6) * prices.kinesisMillionPutUnits
    );
  }
  const roundedBytes = Math.ceil(load.bytesPerSecond / load.putsPerSecond / KIB) * KIB;
  const bytes = load.bytesPerSecond * meetings * SECONDS_PER_HOUR;
  return (
    prices.kinesisOnDemandStreamHour +
    ((puts * roundedBytes) / GIB) * prices.kinesisOnDemandGbIn +
    (bytes / GIB) * prices.kinesisOnDemandGbOut
  );
}

function dispatchHour({ prices }: Config, tasks: number, meetings: number): number {
  const webhooks = meetings * WEBHOOKS_PER_MEETING;
  const writes = meetings * ROW_WRITES_PER_MEETING + tasks * HEARTBEATS_PER_HOUR * 2;
  const reads =
    tasks * RECONCILES_PER_HOUR * queryUnits((meetings / tasks) * ROW_KIB) +
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

function monitoringHour({ prices }: Config, tasks: number, meetings: number): number {
  const logBytes = meetings * LOG_BYTES_PER_MEETING + tasks * LOG_BYTES_PER_TASK_HOUR;
  const perMonth =
    METRICS * prices.metricMonth +
    ALARMS * prices.alarmMonth +
    prices.dashboardMonth +
    prices.secretMonth;
  return perMonth / HOURS_PER_MONTH + (logBytes / GIB) * prices.logsGb;
}

/** What a runner needs to estimate the cost of its own meetings. */
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
    gigabyteIn: isProvisioned ? 0 : prices.kinesisOnDemandGbIn,
  };
}
