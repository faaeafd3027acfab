import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Observed } from './observed.ts';

type Threshold =
  | { readonly above: number; readonly below?: never }
  | { readonly below: number; readonly above?: never };

/**
 * A metric of a log line can arrive minutes late, when the minute has been judged already. An alarm that looked
 * at the last minute only would then stay green for ever; this many minutes are looked at instead.
 */
const LATE_MINUTES = 5;

/** Of the endpoint's throttle. Zoom alone comes nowhere near it. */
const FLOOD_SHARE = 0.5;

/** One alarm, before it is a resource. */
export type AlarmSpec = Threshold & {
  /** Its heading in docs/runbook.md; also its name. */
  readonly heading: string;
  /** What is the matter, for whoever is woken. */
  readonly says: string;
  readonly metric: IMetric;
  /** Bad periods of the metric, one minute unless it says otherwise, until the alarm goes off. */
  readonly minutes: number;
  /** Out of how many, when they need not follow each other. */
  readonly outOfMinutes?: number;
  /** Part of the composite alarm: meetings suffer now. */
  readonly pages: boolean;
  /** No data at all is the fault itself. */
  readonly silenceIsBad?: boolean;
};

/** Every alarm of the service but the composite one. */
export function alarmSpecs(observed: Observed): readonly AlarmSpec[] {
  return [
    ...meetingAlarms(observed),
    ...webhookAlarms(observed),
    ...kinesisAlarms(observed),
    ...runnerAlarms(observed),
  ];
}

function meetingAlarms({ metrics, jobs, syntheticMeeting }: Observed): AlarmSpec[] {
  return [
    {
      heading: 'Meetings waiting',
      says: 'A stream that Zoom started has waited for a runner for more than 15 s.',
      metric: metrics.of('OldestWaiting', 'Maximum'),
      above: 15_000,
      minutes: 2,
      pages: true,
    },
    {
      heading: 'Meetings missed',
      says: 'Zoom refused a stream because we came too late.',
      metric: metrics.of('SessionsMissed', 'Sum'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: true,
    },
    {
      heading: 'Sessions failed',
      says: 'Sessions ended that Zoom had not stopped: lost, refused or failed.',
      metric: metrics.total('SessionsFailed'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: true,
    },
    {
      heading: 'Frames lost',
      says: 'Frames were lost; every loss is in a gap event.',
      metric: metrics.total('FramesLost'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: true,
    },
    {
      heading: 'Streams quarantined',
      says: 'A stream has ended two owners: nobody records it for ten minutes.',
      metric: metrics.of('StreamsQuarantined', 'Sum'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: true,
    },
    {
      heading: 'Session rows given up',
      says: 'A row refused what a session had to write in it: it stays as it is until somebody looks.',
      metric: metrics.of('RowsGivenUp', 'Sum'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    {
      heading: 'Session rows unreadable',
      says: 'Runners leave rows alone that are not of the shape this release writes: their streams are not recorded.',
      metric: metrics.of('UnreadableRows', 'Sum'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    {
      heading: 'Hand-overs taken back',
      says: 'A newer revision did not serve a session that was given to it: a bad release, or one without room.',
      metric: metrics.of('HandBacks', 'Sum'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    {
      heading: 'Video missing',
      says: 'The video of a selected camera did not come.',
      metric: metrics.of('VideoMissing', 'Sum'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    {
      heading: 'Old jobs in the queue',
      says: 'No runner has taken a job for more than 15 s.',
      metric: jobs.metricOldestAge(),
      above: 15,
      minutes: 2,
      pages: true,
    },
    {
      heading: 'Dead letters',
      says: 'A job was received five times and never finished.',
      metric: jobs.metricDeadLetters(),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    {
      heading: 'Zoom concurrency limit',
      says: 'Zoom refused streams, or is about to, because the account is at its concurrency limit.',
      metric: metrics.of('ConcurrencyLimited', 'Sum'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    ...(syntheticMeeting === undefined
      ? []
      : [
          {
            heading: 'Synthetic meeting failing',
            says: 'A meeting that this deployment plays to itself did not arrive whole in two hours, or none was played.',
            metric: syntheticMeeting.metricSuccess(),
            below: 100,
            minutes: 1,
            pages: true,
            silenceIsBad: true,
          },
        ]),
  ];
}

function webhookAlarms({ metrics, webhook, canary }: Observed): AlarmSpec[] {
  return [
    {
      heading: 'Webhook errors',
      says: 'The webhook answered 5xx: starts are not stored and Zoom is retrying.',
      metric: webhook.metricServerErrors(),
      above: 0,
      minutes: 2,
      outOfMinutes: 3,
      pages: true,
    },
    {
      heading: 'Webhook slow',
      says: 'The webhook p99 is above 2 s; Zoom gives up at 3 s.',
      metric: webhook.metricLatency('p99'),
      above: 2000,
      minutes: 3,
      outOfMinutes: 5,
      pages: true,
    },
    {
      heading: 'Webhook store failures',
      says: 'The webhook could not write the session row or send its job.',
      metric: metrics.of('WebhookStoreFailure', 'Sum'),
      above: 0,
      minutes: 2,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Webhook secret unavailable',
      says: 'The webhook has no token to verify with: every delivery is answered 503.',
      metric: metrics.of('WebhookSecretFailure', 'Sum'),
      above: 0,
      minutes: 2,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Webhook defects',
      says: 'The webhook failed by a bug of its own; the log has the stack.',
      metric: metrics.of('WebhookDefect', 'Sum'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    {
      heading: 'Webhook rows unreadable',
      says: 'The webhook could not read the row of a stream: what Zoom said of it was not stored.',
      metric: metrics.of('UnreadableRows', 'Sum', { service: 'webhook' }),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    {
      heading: 'Webhook flooded',
      says: 'Requests reach half of what the webhook lets in. Above it Zoom is refused too, and does not repeat.',
      metric: webhook.metricRequests(),
      above: webhook.requestsPerSecond * 60 * FLOOD_SHARE,
      minutes: 2,
      outOfMinutes: 3,
      pages: true,
    },
    {
      heading: 'Webhook refusing',
      says: 'Most requests to the webhook are refused with 4xx: a wrong token or address, or somebody trying.',
      metric: webhook.metricRefusedPercent(),
      above: 50,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Webhook signatures refused',
      says: 'Many webhooks carry a wrong signature: a rotated token, or somebody trying.',
      metric: metrics.of('WebhookSignatureFailure', 'Sum'),
      above: 10,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
    ...(canary === undefined
      ? []
      : [
          {
            heading: 'Webhook canary failing',
            says: 'The canary got no valid answer from the webhook twice running (five-minute periods).',
            metric: canary.metricFailures(),
            above: 0,
            minutes: 2,
            pages: true,
          },
        ]),
  ];
}

function kinesisAlarms({ metrics }: Observed): AlarmSpec[] {
  return [
    {
      heading: 'Records delayed',
      says: 'Records have waited in memory for Kinesis for more than 2 s.',
      metric: metrics.of('BufferAge', 'Maximum'),
      above: 2000,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Spool in use',
      says: 'Kinesis takes less than Zoom sends: records overflow to disk. Loss follows when it is full.',
      metric: metrics.of('SpoolBytes', 'Maximum'),
      above: 0,
      minutes: 3,
      pages: true,
    },
    {
      heading: 'Spool unavailable',
      says: 'A runner cannot use its disk: what memory cannot hold is lost when Kinesis is slow.',
      metric: metrics.of('SpoolUnavailable', 'Sum'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    {
      heading: 'Kinesis throttling',
      says: 'Kinesis throttles writes for minutes: a shard or the stream is at its limit.',
      metric: metrics.of('PutThrottles', 'Sum'),
      above: 50,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Media late',
      says: 'p99 from capture to Kinesis is above 5 s.',
      metric: metrics.of('CaptureToKinesis', 'p99'),
      above: 5000,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
  ];
}

function runnerAlarms({ metrics, service }: Observed): AlarmSpec[] {
  return [
    {
      heading: 'No runners',
      says: 'No runner has reported for three minutes.',
      metric: metrics.of('SlotsTotal', 'SampleCount'),
      below: 1,
      minutes: 3,
      pages: true,
      silenceIsBad: true,
    },
    {
      heading: 'Slots running out',
      says: 'Runners are more than 85 % full: scaling does not keep up, or has reached maxTasks.',
      metric: metrics.of('SlotUtilization', 'Average'),
      above: 85,
      minutes: 3,
      pages: false,
    },
    {
      heading: 'Runner lost',
      says: 'Sessions were taken over from a runner that died or was cut off.',
      metric: metrics.of('Takeovers', 'Sum', { by: 'owner_lost' }),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    {
      heading: 'Runner fenced',
      says: 'A runner could not renew its heartbeat and stopped writing; dropped after 40 s.',
      metric: metrics.of('FencedByHeartbeat', 'Sum'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: true,
    },
    {
      heading: 'Drain slow',
      says: 'A runner needed more than 100 s to hand over; ECS kills it at 120 s.',
      metric: metrics.of('DrainDuration', 'Maximum'),
      above: 100_000,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    {
      heading: 'Task protection failing',
      says: 'ECS refuses scale-in protection: tasks with sessions may be stopped.',
      metric: metrics.of('ProtectionFailures', 'Sum'),
      above: 0,
      minutes: 5,
      outOfMinutes: 10,
      pages: false,
    },
    {
      heading: 'Event loop blocked',
      says: 'The event-loop delay p99 is above 200 ms: keep alives and flushes are late.',
      metric: metrics.of('EventLoopDelay', 'p99'),
      above: 200,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Session defects',
      says: 'A bug ended a session, or nearly the task; the log has the stack.',
      metric: metrics.of('SessionDefects', 'Sum'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    {
      heading: 'Sessions overloading',
      says: 'A session took more than its share of the event loop and was ended.',
      metric: metrics.of('SessionsOverloading', 'Sum'),
      above: 0,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
    {
      heading: 'Runner memory high',
      says: 'A runner uses more than 85 % of its memory.',
      metric: service.metricMemoryUtilization({ statistic: 'Maximum' }),
      above: 85,
      minutes: 1,
      outOfMinutes: LATE_MINUTES,
      pages: false,
    },
  ];
}
