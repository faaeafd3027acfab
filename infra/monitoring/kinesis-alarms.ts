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

/** An archive that is behind loses nothing until Kinesis drops what it has not read: somebody has hours to look. */
const BEHIND_MS = 30 * 60_000;

/** Alarms about the archive in S3, where there is one. */
export function archiveAlarms({ metrics, hasArchive }: Observed): AlarmSpec[] {
  if (!hasArchive) return [];
  return [
    {
      heading: 'Archive behind',
      says: 'Records of half an hour ago may not be in S3 yet, or no archiver reports.',
      metric: metrics.of('ArchiveLag', 'Maximum'),
      above: BEHIND_MS,
      minutes: 10,
      pages: false,
      silenceIsBad: true,
    },
    {
      heading: 'Archive lost records',
      says: 'Records expired in Kinesis before they were archived.',
      metric: metrics.of('ArchiveTrimmed', 'Sum'),
      ...ONCE,
      pages: true,
    },
    {
      heading: 'Revoked recording not deleted',
      says: 'Zoom took back a consent, and S3 did not delete all objects of the recording.',
      metric: metrics.of('ArchiveDeletionsLeft', 'Sum'),
      ...ONCE,
      pages: false,
    },
  ];
}
