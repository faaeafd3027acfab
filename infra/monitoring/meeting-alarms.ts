import { type AlarmSpec, ONCE } from './alarm-spec.ts';
import type { Observed } from './observed.ts';

/** Meetings: waiting, missed, failed, incomplete. */
export function meetingAlarms({ metrics, jobs, syntheticMeeting }: Observed): AlarmSpec[] {
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
      ...ONCE,
      pages: true,
    },
    {
      heading: 'Sessions failed',
      says: 'Sessions ended that Zoom had not stopped: lost, refused or failed.',
      metric: metrics.total('SessionsFailed'),
      ...ONCE,
      pages: true,
    },
    {
      heading: 'Frames lost',
      says: 'Frames were lost; every loss is in a gap event.',
      metric: metrics.total('FramesLost'),
      ...ONCE,
      pages: true,
    },
    {
      heading: 'Streams quarantined',
      says: 'A stream has ended two owners: nobody records it for ten minutes.',
      metric: metrics.of('StreamsQuarantined', 'Sum'),
      ...ONCE,
      pages: true,
    },
    {
      heading: 'Session rows given up',
      says: 'A row refused what a session had to write in it: it stays as it is until somebody looks.',
      metric: metrics.of('RowsGivenUp', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Session rows unreadable',
      says: 'Runners leave rows alone that are not of the shape this release writes: their streams are not recorded.',
      metric: metrics.of('UnreadableRows', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Hand-overs taken back',
      says: 'A newer revision did not serve a session that was given to it: a bad release, or one without room.',
      metric: metrics.of('HandBacks', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Video missing',
      says: 'The video of a selected camera did not come.',
      metric: metrics.of('VideoMissing', 'Sum'),
      ...ONCE,
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
