import { Duration } from 'aws-cdk-lib';
import { type AlarmSpec, ONCE } from './alarms.ts';
import type { Observed } from './on-call.ts';

/** The service level: this share of the meetings is recorded whole. */
const WHOLE_PERCENT = 99;
/** Long enough that a busy deployment has a hundred meetings in it. */
const WHOLE_PERIOD = Duration.hours(6);

/** Alarms about meetings that wait, are missed, fail or are recorded incompletely. */
export function meetingAlarms({ metrics, jobs, catcher, syntheticMeeting }: Observed): AlarmSpec[] {
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
      says: 'A stream was not recorded at all; its session_missed event says why.',
      metric: metrics.total('SessionsMissed'),
      ...ONCE,
      pages: true,
    },
    {
      heading: 'Too few meetings whole',
      says: `Less than ${WHOLE_PERCENT} % of the meetings that ended in six hours were recorded whole.`,
      metric: metrics.wholeShare(WHOLE_PERIOD),
      below: WHOLE_PERCENT,
      minutes: 1,
      // The last numbers of a period may come after it was judged.
      outOfMinutes: 2,
      pages: false,
    },
    {
      heading: 'Sessions failed',
      says: 'Sessions ended although Zoom had not stopped their streams: lost, refused or failed.',
      metric: metrics.total('SessionsFailed'),
      ...ONCE,
      pages: true,
    },
    {
      heading: 'Frames lost',
      says: 'Frames from Zoom did not reach Kinesis; a gap event tells each loss.',
      metric: metrics.total('FramesLost'),
      ...ONCE,
      pages: true,
    },
    {
      heading: 'Streams quarantined',
      says: 'A stream brought down two runners in a row, so nobody records it for ten minutes.',
      metric: metrics.of('StreamsQuarantined', 'Sum'),
      ...ONCE,
      pages: true,
    },
    {
      heading: 'Session rows given up',
      says: 'DynamoDB refused what a session had to write into its row: the row stays as it is until somebody looks at it.',
      metric: metrics.of('RowsGivenUp', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Session rows unreadable',
      says: 'Runners found session rows that this release cannot read: their streams are not recorded.',
      metric: metrics.of('UnreadableRows', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Hand-overs taken back',
      says: 'Another task did not serve a session that was handed over to it: a bad release, or no free slots.',
      metric: metrics.of('HandBacks', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Video missing',
      says: 'The video of a selected camera did not arrive.',
      metric: metrics.of('VideoMissing', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Old jobs in the queue',
      says:
        catcher === undefined
          ? 'A job has waited in the queue for more than 15 s: runners are full, or do not poll.'
          : 'A job has waited in the queue for more than 5 minutes: the catcher asks for tasks, and none comes.',
      metric: jobs.metricOldestAge(),
      above: catcher === undefined ? 15 : 300,
      minutes: 2,
      pages: true,
    },
    {
      heading: 'Dead letters',
      says: 'A job was received five times and never finished.',
      metric: jobs.metricDeadLetters(),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Zoom concurrency limit',
      says: 'Zoom refused streams, or is about to, because the account is at its concurrency limit.',
      metric: metrics.of('ConcurrencyLimited', 'Sum'),
      ...ONCE,
      pages: false,
    },
    ...(syntheticMeeting === undefined
      ? []
      : [
          {
            heading: 'Synthetic meeting failing',
            says: 'In the last two hours a synthetic meeting did not arrive completely, or none was played.',
            metric: syntheticMeeting.metricSuccess(),
            below: 100,
            minutes: 1,
            pages: true,
            silenceIsBad: true,
          },
        ]),
  ];
}
