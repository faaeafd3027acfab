import {
  AlarmStatusWidget,
  type GraphWidgetProps,
  type IAlarm,
  type IMetric,
  type IWidget,
  SingleValueWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { MetricName } from '../../shared/metrics.ts';
import { TARGET_UTILIZATION_PERCENT } from '../planning/scaling-rules.ts';
import type { DeploymentMetrics } from './deployment-metrics.ts';
import type { Observed } from './on-call.ts';

const BLUE = '#1f77b4';
const GREEN = '#2ca02c';
const ORANGE = '#ff7f0e';
const RED = '#d62728';

const MEETING_NUMBERS = [
  ['MeetingsWanted', 'Meetings wanted', BLUE],
  ['MeetingsWhole', 'Recorded whole', GREEN],
  ['MeetingsInPart', 'Recorded in part', ORANGE],
  ['MeetingsMissed', 'Missed', RED],
] as const satisfies readonly (readonly [MetricName, string, string])[];

/** States in which a stream should be recorded and no media arrives. */
const STUCK_STATES = ['connecting', 'reconnecting'] as const;

/** Is every meeting recorded? Over the time that the dashboard shows, not the last minute. */
export function meetingRow({ metrics }: Observed): IWidget[] {
  return MEETING_NUMBERS.map(([metricName, title, color]) => {
    const shown = metrics.of(metricName, 'Sum', { label: title.toLowerCase(), color });
    return singleValue(title, [shown], { width: 6, setPeriodToTimeRange: true });
  });
}

/** Numbers of the last minute: what somebody who was woken looks at first. */
export function healthRow({ metrics }: Observed, alarms: readonly IAlarm[]): IWidget[] {
  return [
    singleValue('Meetings flowing', [
      metrics.fleetTotal('Sessions', 'flowing', { by: 'streaming', color: GREEN }),
    ]),
    singleValue(
      'Meetings stuck',
      STUCK_STATES.map((by) => metrics.fleetTotal('Sessions', by, { by, color: ORANGE })),
    ),
    singleValue('Frames lost in a minute', [
      metrics.total('FramesLost', { label: 'frames lost', color: RED }),
    ]),
    singleValue('Oldest waiting', [
      metrics.of('OldestWaiting', 'Maximum', { label: 'ms without a runner', color: ORANGE }),
    ]),
    new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 8, height: 4 }),
  ];
}

/** What happens to sessions, and the job queue. */
export function meetingGraphs({ metrics, jobs, catcher }: Observed): GraphWidgetProps[] {
  return [
    {
      title: 'Sessions by state',
      left: ['streaming', 'paused', ...STUCK_STATES].map((by) =>
        metrics.fleetTotal('Sessions', by, { by }),
      ),
      stacked: true,
    },
    {
      title: 'Reconnects by scope, hand-overs by cause, takeovers',
      left: [
        metrics.perValue('Reconnects', 'Sum'),
        metrics.perValue('HandOvers', 'Sum'),
        metrics.perValue('Takeovers', 'Sum'),
      ],
    },
    {
      title: 'Restarts asked of Zoom, live meetings without a stream',
      left: [metrics.perValue('Restarts', 'Sum'), metrics.perValue('LiveMeetingsUnknown', 'Sum')],
    },
    {
      title: 'Lost, failed, missed',
      left: [
        metrics.perValue('FramesLost', 'Sum'),
        metrics.perValue('SessionsFailed', 'Sum'),
        metrics.perValue('SessionsMissed', 'Sum'),
        metrics.of('SessionsCaught', 'Sum'),
        metrics.of('UnreadableRows', 'Sum'),
        metrics.of('UnreadableRows', 'Sum', {
          service: 'webhook',
          label: 'UnreadableRows, webhook',
        }),
        metrics.of('RowsGivenUp', 'Sum'),
        metrics.of('SessionDefects', 'Sum'),
        metrics.of('StreamsQuarantined', 'Sum'),
        metrics.of('HandBacks', 'Sum'),
        metrics.of('SessionsOverloading', 'Sum'),
        metrics.of('SpoolUnavailable', 'Sum'),
      ],
    },
    {
      title: 'Job queue',
      left: [
        jobs.metricWaiting().with({ label: 'waiting' }),
        jobs.metricDeadLetters().with({ label: 'dead letters' }),
      ],
      right: [jobs.metricOldestAge().with({ label: 'oldest, s' })],
    },
    ...(catcher === undefined
      ? []
      : [
          {
            title: 'Catcher',
            left: [catcher.metricExecutions().with({ label: 'executions' })],
            right: [
              catcher.metricThrottles().with({ label: 'without concurrency' }),
              catcher.metricErrors().with({ label: 'failed' }),
            ],
          },
        ]),
  ];
}

/** How long each step from the webhook to Kinesis takes. */
export function latencyGraphs({ metrics, webhook }: Observed): GraphWidgetProps[] {
  return [
    { title: 'Webhook to first frame, ms', left: percentiles(metrics, 'WebhookToFirstFrame') },
    { title: 'Capture to Kinesis, ms', left: percentiles(metrics, 'CaptureToKinesis') },
    { title: 'PutRecords, ms', left: percentiles(metrics, 'PutLatency') },
    {
      title: 'Webhook answer, ms',
      left: ['p50', 'p99'].map((statistic) =>
        webhook.metricLatency(statistic).with({ label: statistic }),
      ),
      leftAnnotations: [{ value: 3000, label: 'Zoom stops waiting', color: RED }],
    },
  ];
}

/** Frames and bytes from Zoom and to Kinesis. */
export function throughputGraphs({ metrics }: Observed): GraphWidgetProps[] {
  return [
    { title: 'Frames in, per minute', left: [metrics.perValue('FramesIn', 'Sum')] },
    { title: 'Frames out, per minute', left: [metrics.perValue('FramesOut', 'Sum')] },
    { title: 'Bytes in, per minute', left: [metrics.perValue('BytesIn', 'Sum')], stacked: true },
    { title: 'Bytes out, per minute', left: [metrics.perValue('BytesOut', 'Sum')], stacked: true },
  ];
}

/** Calls to Kinesis, and the records that wait for them. */
export function kinesisGraphs({ metrics, streams }: Observed): GraphWidgetProps[] {
  return [
    {
      title: 'PUT units per minute and frames per record',
      left: [metrics.of('PutUnits', 'Sum')],
      right: [metrics.of('AggregationRatio', 'Average')],
    },
    {
      title: 'Retries and throttles',
      left: [
        metrics.of('PutRetries', 'Sum'),
        metrics.of('PutThrottles', 'Sum'),
        streams.metricThrottled(streams.media).with({ label: 'media, as Kinesis counts' }),
        streams.metricThrottled(streams.events).with({ label: 'events, as Kinesis counts' }),
      ],
    },
    {
      title: 'Waiting in memory',
      left: [metrics.of('BufferBytes', 'Maximum')],
      right: [metrics.of('BufferAge', 'Maximum')],
    },
    {
      title: 'Waiting on disk',
      left: [metrics.of('SpoolBytes', 'Maximum')],
      right: [metrics.of('SpoolAge', 'Maximum')],
    },
  ];
}

/** Slots, tasks, and how busy the tasks are. */
export function capacityGraphs({ metrics, service }: Observed): GraphWidgetProps[] {
  return [
    {
      title: 'Slots and tasks',
      left: [
        metrics.fleetTotal('SlotsTotal', 'total'),
        metrics.fleetTotal('SlotsUsed', 'used'),
        metrics.of('FreeSlots', 'Average', { label: 'free' }),
      ],
      right: [metrics.of('Tasks', 'Average', { label: 'tasks' })],
    },
    {
      title: 'Slot utilization, %',
      left: [
        metrics.of('SlotUtilization', 'Average'),
        metrics.of('SlotUtilization', 'Maximum', { label: 'fullest task' }),
      ],
      leftAnnotations: [{ value: TARGET_UTILIZATION_PERCENT, label: 'scaling target' }],
      leftYAxis: { min: 0, max: 100 },
    },
    {
      title: 'Event-loop delay, ms; CPU and memory, %',
      left: [metrics.of('EventLoopDelay', 'p99')],
      right: [service.metricCpuUtilization(), service.metricMemoryUtilization()],
    },
    {
      title: 'Drain, ms; protection failures and fences',
      left: [metrics.of('DrainDuration', 'Maximum')],
      right: [metrics.of('ProtectionFailures', 'Sum'), metrics.of('FencedByHeartbeat', 'Sum')],
    },
  ];
}

/** Requests to the webhook, odd messages from Zoom, and cost. */
export function webhookAndCostGraphs({ metrics, webhook }: Observed): GraphWidgetProps[] {
  return [
    {
      title: 'Webhooks accepted by event',
      left: [metrics.perValue('WebhookAccepted', 'Sum'), metrics.of('WebhookUnknownEvent', 'Sum')],
      stacked: true,
    },
    {
      title: 'Webhooks refused and failed',
      left: [
        webhook.metricRequests().with({ label: 'requests' }),
        metrics.perValue('WebhookRejected', 'Sum'),
        metrics.of('WebhookSignatureFailure', 'Sum'),
        metrics.of('WebhookStoreFailure', 'Sum'),
        metrics.of('WebhookSecretFailure', 'Sum'),
        metrics.of('WebhookDefect', 'Sum'),
        webhook.metricServerErrors().with({ label: 'answered 5xx' }),
      ],
    },
    {
      title: "Share of Zoom's concurrency limit, %; odd messages",
      left: [metrics.of('ConcurrencyShare', 'Maximum'), metrics.of('ConcurrencyLimited', 'Sum')],
      right: [
        metrics.perValue('MalformedMessages', 'Sum'),
        metrics.of('UnknownMessages', 'Sum'),
        metrics.perValue('UnaskedMedia', 'Sum'),
        metrics.of('VideoMissing', 'Sum'),
      ],
    },
    {
      title: 'Estimated cost of a meeting-hour, $; synthetic meetings, % good and ms',
      left: [metrics.of('CostPerMeetingHour', 'Average')],
      right: [metrics.of('SyntheticSuccess', 'Average'), metrics.of('SyntheticLatency', 'Maximum')],
    },
    {
      title: 'Archive: behind, ms; objects and sessions; waiting bytes and what went wrong',
      left: [
        metrics.of('ArchiveLag', 'Maximum'),
        metrics.of('ArchiveObjects', 'Sum'),
        metrics.perValue('ArchiveSessions', 'Sum'),
      ],
      right: [
        metrics.of('ArchiveBufferBytes', 'Maximum'),
        metrics.of('ArchiveStoreFailures', 'Sum'),
        metrics.of('ArchiveDamaged', 'Sum'),
        metrics.of('ArchiveTrimmed', 'Sum'),
        metrics.of('ArchiveDeletionsLeft', 'Sum'),
      ],
    },
  ];
}

function singleValue(
  title: string,
  metrics: IMetric[],
  options: { readonly width?: number; readonly setPeriodToTimeRange?: boolean } = {},
): SingleValueWidget {
  const { width = 4, setPeriodToTimeRange = false } = options;
  return new SingleValueWidget({ title, metrics, width, height: 4, setPeriodToTimeRange });
}

function percentiles(metrics: DeploymentMetrics, metricName: MetricName): IMetric[] {
  return ['p50', 'p99'].map((statistic) => metrics.of(metricName, statistic, { label: statistic }));
}
