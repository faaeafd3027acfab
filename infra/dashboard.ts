import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type GraphWidgetProps,
  type IAlarm,
  type IMetric,
  type IWidget,
  Row,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { LOSS_CAUSES } from './alarm-specs.ts';
import { fleetTotal, metric, metricPerValue, metricSum, runningTasks } from './metric.ts';
import type { Observed } from './observed.ts';
import { TARGET_UTILIZATION_PERCENT } from './scaling-rules.ts';

/** CloudWatch's grid: 24 columns. */
const WIDTH = 24;
const GREEN = '#2ca02c';
const ORANGE = '#ff7f0e';
const RED = '#d62728';

/** States in which Zoom wants a stream's media and none flows. */
const STUCK_STATES = ['connecting', 'reconnecting'] as const;

export interface DashboardProps {
  readonly observed: Observed;
  readonly alarms: readonly IAlarm[];
  /** Name of the dashboard in CloudWatch. */
  readonly name: string;
}

/** One page, most urgent first: is every meeting flowing, how fast, how much, at what cost? */
export class Dashboard extends Construct {
  readonly dashboard: CloudWatchDashboard;

  constructor(scope: Construct, id: string, { observed, alarms, name }: DashboardProps) {
    super(scope, id);
    this.dashboard = new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: name,
      defaultInterval: Duration.hours(3),
    });
    this.dashboard.addWidgets(new Row(...healthRow(observed, alarms)));
    this.#addSection('Meetings', meetings(observed));
    this.#addSection('Latency', latency(observed));
    this.#addSection('Throughput', throughput());
    this.#addSection('Kinesis', kinesis(observed));
    this.#addSection('Capacity', capacity(observed));
    this.#addSection('Webhook and cost', webhookAndCost(observed));
  }

  #addSection(title: string, graphs: readonly GraphWidgetProps[]): void {
    this.dashboard.addWidgets(new TextWidget({ markdown: `## ${title}`, width: WIDTH, height: 1 }));
    const width = WIDTH / graphs.length;
    this.dashboard.addWidgets(
      new Row(...graphs.map((graph) => new GraphWidget({ height: 6, ...graph, width }))),
    );
  }
}

function healthRow({ service }: Observed, alarms: readonly IAlarm[]): IWidget[] {
  return [
    singleValue('Meetings flowing', [
      fleetTotal(service, 'Sessions', 'flowing', { by: 'streaming', color: GREEN }),
    ]),
    singleValue(
      'Meetings stuck',
      STUCK_STATES.map((by) => fleetTotal(service, 'Sessions', by, { by, color: ORANGE })),
    ),
    singleValue('Frames lost in a minute', [
      metricSum('FramesLost', LOSS_CAUSES, 'frames lost', RED),
    ]),
    singleValue('Oldest waiting', [
      metric('OldestWaiting', 'Maximum', { label: 'ms without a runner', color: ORANGE }),
    ]),
    new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 8, height: 4 }),
  ];
}

function meetings({ service, jobs }: Observed): GraphWidgetProps[] {
  return [
    {
      title: 'Sessions by state',
      left: ['streaming', 'paused', ...STUCK_STATES].map((by) =>
        fleetTotal(service, 'Sessions', by, { by }),
      ),
      stacked: true,
    },
    {
      title: 'Reconnects by scope, hand-overs by cause, takeovers',
      left: [
        metricPerValue('Reconnects', 'Sum'),
        metricPerValue('HandOvers', 'Sum'),
        metric('Takeovers', 'Sum', { color: RED }),
      ],
    },
    {
      title: 'Lost, failed, missed',
      left: [
        metricPerValue('FramesLost', 'Sum'),
        metricPerValue('SessionsFailed', 'Sum'),
        metric('SessionsMissed', 'Sum'),
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
  ];
}

function latency({ webhook }: Observed): GraphWidgetProps[] {
  return [
    { title: 'Webhook to first frame, ms', left: percentiles('WebhookToFirstFrame') },
    { title: 'Capture to Kinesis, ms', left: percentiles('CaptureToKinesis') },
    { title: 'PutRecords, ms', left: percentiles('PutLatency') },
    {
      title: 'Webhook answer, ms',
      left: ['p50', 'p99'].map((statistic) =>
        webhook.metricLatency(statistic).with({ label: statistic }),
      ),
      leftAnnotations: [{ value: 3000, label: 'Zoom gives up', color: RED }],
    },
  ];
}

function throughput(): GraphWidgetProps[] {
  return [
    { title: 'Frames in, per minute', left: [metricPerValue('FramesIn', 'Sum')] },
    { title: 'Frames out, per minute', left: [metricPerValue('FramesOut', 'Sum')] },
    { title: 'Bytes in, per minute', left: [metricPerValue('BytesIn', 'Sum')], stacked: true },
    { title: 'Bytes out, per minute', left: [metricPerValue('BytesOut', 'Sum')], stacked: true },
  ];
}

function kinesis({ streams }: Observed): GraphWidgetProps[] {
  return [
    {
      title: 'PUT units per minute and frames per record',
      left: [metric('PutUnits', 'Sum')],
      right: [metric('AggregationRatio', 'Average')],
    },
    {
      title: 'Retries and throttles',
      left: [
        metric('PutRetries', 'Sum'),
        metric('PutThrottles', 'Sum'),
        streams.metricThrottled(streams.media).with({ label: 'media, as Kinesis counts' }),
        streams.metricThrottled(streams.events).with({ label: 'events, as Kinesis counts' }),
      ],
    },
    {
      title: 'Waiting in memory',
      left: [metric('BufferBytes', 'Maximum')],
      right: [metric('BufferAge', 'Maximum')],
    },
    {
      title: 'Waiting on disk',
      left: [metric('SpoolBytes', 'Maximum')],
      right: [metric('SpoolAge', 'Maximum')],
    },
  ];
}

function capacity({ service }: Observed): GraphWidgetProps[] {
  return [
    {
      title: 'Slots and tasks',
      left: [fleetTotal(service, 'SlotsTotal', 'total'), fleetTotal(service, 'SlotsUsed', 'used')],
      right: [runningTasks(service)],
    },
    {
      title: 'Slot utilization, %',
      left: [
        metric('SlotUtilization', 'Average'),
        metric('SlotUtilization', 'Maximum', { label: 'fullest task' }),
      ],
      leftAnnotations: [{ value: TARGET_UTILIZATION_PERCENT, label: 'scaling target' }],
      leftYAxis: { min: 0, max: 100 },
    },
    {
      title: 'Event-loop delay, ms; CPU and memory, %',
      left: [metric('EventLoopDelay', 'p99')],
      right: [service.metricCpuUtilization(), service.metricMemoryUtilization()],
    },
    {
      title: 'Drain, ms; trouble of tasks',
      left: [metric('DrainDuration', 'Maximum')],
      right: [metric('ProtectionFailures', 'Sum'), metric('FencedByHeartbeat', 'Sum')],
    },
  ];
}

function webhookAndCost({ webhook }: Observed): GraphWidgetProps[] {
  return [
    {
      title: 'Webhooks accepted by event',
      left: [metricPerValue('WebhookAccepted', 'Sum'), metric('WebhookUnknownEvent', 'Sum')],
      stacked: true,
    },
    {
      title: 'Webhooks refused and failed',
      left: [
        metricPerValue('WebhookRejected', 'Sum'),
        metric('WebhookSignatureFailure', 'Sum'),
        metric('WebhookStoreFailure', 'Sum'),
        webhook.metricServerErrors().with({ label: 'answered 5xx' }),
      ],
    },
    {
      title: "Share of Zoom's concurrency limit, %; odd messages",
      left: [metric('ConcurrencyShare', 'Maximum'), metric('ConcurrencyLimited', 'Sum')],
      right: [metricPerValue('MalformedMessages', 'Sum'), metric('UnknownMessages', 'Sum')],
    },
    {
      title: 'Estimated cost of a meeting-hour, $',
      left: [metric('CostPerMeetingHour', 'Average')],
    },
  ];
}

function singleValue(title: string, metrics: IMetric[]): SingleValueWidget {
  return new SingleValueWidget({
    title,
    metrics,
    width: 4,
    height: 4,
    setPeriodToTimeRange: false,
  });
}

function percentiles(metricName: Parameters<typeof metric>[0]): IMetric[] {
  return ['p50', 'p99'].map((statistic) => metric(metricName, statistic, { label: statistic }));
}
