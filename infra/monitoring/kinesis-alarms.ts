import { type AlarmSpec, ONCE } from './alarms.ts';
import type { Observed } from './on-call.ts';

/** Alarms about records that wait for Kinesis, and why they wait. */
export function kinesisAlarms({ metrics }: Observed): AlarmSpec[] {
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
      says: 'Kinesis takes less than Zoom sends, so records wait on disk. When the disk is full they are lost.',
      metric: metrics.of('SpoolBytes', 'Maximum'),
      above: 0,
      minutes: 3,
      pages: true,
    },
    {
      heading: 'Spool unavailable',
      says: 'A runner cannot use its disk: while Kinesis is slow, what memory cannot hold is lost.',
      metric: metrics.of('SpoolUnavailable', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Kinesis throttling',
      says: 'Kinesis has throttled writes for minutes: a shard or the stream is at its limit.',
      metric: metrics.of('PutThrottles', 'Sum'),
      above: 50,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Media late',
      says: 'Media reaches Kinesis more than 5 s after its capture, at p99.',
      metric: metrics.of('CaptureToKinesis', 'p99'),
      above: 5000,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
  ];
}
