/**
 * Every CloudWatch metric this project emits, in namespace `RtmsKinesis`, with fixed dimensions only: ids
 * live in log fields. infra's dashboard and alarms and the code that emits share this table.
 *
 * Dimensions: every metric carries `deployment` (the variable `DEPLOYMENT`: without it two deployments of an
 * account would add up in each other's alarms, and scale each other) and `service` (`webhook`, `runner`, `synthetic` or `archiver`);
 * those with `by` carry one more. Those with `total` are emitted twice: with their own dimension for graphs,
 * and without it for alarms, which would otherwise have to know every value and miss a new one. Values in
 * `notInTotal` are left out of the total.
 */
export const METRIC_NAMESPACE = 'RtmsKinesis';

/** Dimensions of every metric, besides its own. */
export const COMMON_DIMENSIONS = ['deployment', 'service'] as const;

type MetricUnit = 'Count' | 'Milliseconds' | 'Bytes' | 'Percent' | 'None';
type MetricDimension = 'mediaType' | 'cause' | 'state' | 'scope' | 'event';

interface MetricDefinition {
  readonly unit: MetricUnit;
  readonly by?: MetricDimension;
  readonly total?: true;
  readonly notInTotal?: readonly string[];
}

export const METRICS = {
  WebhookAccepted: { unit: 'Count', by: 'event' },
  WebhookUnknownEvent: { unit: 'Count' },
  WebhookRejected: { unit: 'Count', by: 'cause' },
  WebhookSignatureFailure: { unit: 'Count' },
  WebhookStoreFailure: { unit: 'Count' },
  WebhookSecretFailure: { unit: 'Count' },
  WebhookDefect: { unit: 'Count' },
  ConcurrencyLimited: { unit: 'Count' },
  ConcurrencyShare: { unit: 'Percent' },
  Sessions: { unit: 'Count', by: 'state' },
  SlotsUsed: { unit: 'Count' },
  SlotsTotal: { unit: 'Count' },
  SlotUtilization: { unit: 'Percent' },
  /** Live tasks, as each of them reads in the session table. */
  Tasks: { unit: 'Count' },
  /** Free slots of the whole fleet, as each task reads them in the rows of all live tasks that do not drain. */
  FreeSlots: { unit: 'Count' },
  OldestWaiting: { unit: 'Milliseconds' },
  WebhookToFirstFrame: { unit: 'Milliseconds' },
  CaptureToKinesis: { unit: 'Milliseconds' },
  FramesIn: { unit: 'Count', by: 'mediaType' },
  BytesIn: { unit: 'Bytes', by: 'mediaType' },
  FramesOut: { unit: 'Count', by: 'mediaType' },
  BytesOut: { unit: 'Bytes', by: 'mediaType' },
  FramesLost: { unit: 'Count', by: 'cause', total: true, notInTotal: ['revoked'] },
  AggregationRatio: { unit: 'None' },
  PutUnits: { unit: 'Count' },
  PutLatency: { unit: 'Milliseconds' },
  PutRetries: { unit: 'Count' },
  PutThrottles: { unit: 'Count' },
  BufferBytes: { unit: 'Bytes' },
  BufferAge: { unit: 'Milliseconds' },
  SpoolBytes: { unit: 'Bytes' },
  SpoolAge: { unit: 'Milliseconds' },
  /** A runner that started without the disk that records overflow to: once per stream. */
  SpoolUnavailable: { unit: 'Count' },
  Reconnects: { unit: 'Count', by: 'scope' },
  /**
   * Runs of streams that Zoom announced; each ends in one of the other three, which are emitted together, so that shares
   * can be formed without filling gaps. `MeetingsInPart`: something of it is known to be lost, nobody was connected for a
   * while, or it was cut short. What an operator ended or Zoom revoked before it began is in none of them.
   */
  MeetingsWanted: { unit: 'Count' },
  MeetingsWhole: { unit: 'Count' },
  MeetingsInPart: { unit: 'Count' },
  MeetingsMissed: { unit: 'Count' },
  SessionsMissed: {
    unit: 'Count',
    by: 'cause',
    total: true,
    notInTotal: ['operator_stop', 'revoked'],
  },
  /** Streams that the catcher has claimed, because no task had. */
  SessionsCaught: { unit: 'Count' },
  SessionsFailed: { unit: 'Count', by: 'cause', total: true },
  /** Requests for streams that Zoom ended for a technical reason, and what came of them: see `session_restart`. */
  Restarts: { unit: 'Count', by: 'cause' },
  /** Meetings that are live at Zoom and never had a stream here, by what was done: see `zoom.reconcile`. */
  LiveMeetingsUnknown: { unit: 'Count', by: 'cause' },
  Takeovers: { unit: 'Count', by: 'cause' },
  HandOvers: { unit: 'Count', by: 'cause' },
  DrainDuration: { unit: 'Milliseconds' },
  ProtectionFailures: { unit: 'Count' },
  FencedByHeartbeat: { unit: 'Count' },
  UnreadableRows: { unit: 'Count' },
  RowsGivenUp: { unit: 'Count' },
  SessionDefects: { unit: 'Count' },
  StreamsQuarantined: { unit: 'Count' },
  HandBacks: { unit: 'Count' },
  SessionsOverloading: { unit: 'Count' },
  EventLoopDelay: { unit: 'Milliseconds' },
  MalformedMessages: { unit: 'Count', by: 'scope' },
  UnknownMessages: { unit: 'Count' },
  /** Data of a media type that is not wanted, or that another connection carries too: not recorded. */
  UnaskedMedia: { unit: 'Count', by: 'mediaType' },
  /** A camera that was selected and whose video did not come: once per selection. */
  VideoMissing: { unit: 'Count' },
  CostPerMeetingHour: { unit: 'None' },
  /** 100 or 0 for each synthetic meeting: its average is the share that went through. */
  SyntheticSuccess: { unit: 'Percent' },
  /** From the webhook to the first frame read back from Kinesis. */
  SyntheticLatency: { unit: 'Milliseconds' },
  /** How far the archive is behind Kinesis: the age of the oldest record of a shard that may not be in S3 yet. */
  ArchiveLag: { unit: 'Milliseconds' },
  /** What the archive has gathered and not written yet. */
  ArchiveBufferBytes: { unit: 'Bytes' },
  ArchiveObjects: { unit: 'Count' },
  /** Tries to write an object that failed: each is tried again until it succeeds. */
  ArchiveStoreFailures: { unit: 'Count' },
  /** Records that nobody can read, which the archive keeps aside. */
  ArchiveDamaged: { unit: 'Count' },
  /** Records that expired in Kinesis before the archive had read them: they are lost to it. */
  ArchiveTrimmed: { unit: 'Count' },
  /** Sessions that were finalised, by their verdict. */
  ArchiveSessions: { unit: 'Count', by: 'cause' },
  /** Versions of objects of revoked sessions that could not be deleted. */
  ArchiveDeletionsLeft: { unit: 'Count' },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;

/** Collects values in process; the process edge writes them as one EMF line per period. */
export interface Metrics {
  /** Adds to a counter. `by` is the value of the metric's own dimension, where it has one. */
  count(name: MetricName, value?: number, by?: string): void;
  /** One observation of a distribution or a level. */
  observe(name: MetricName, value: number, by?: string): void;
}

export interface Counter {
  add(value: number): void;
}

/** Hands out its counters to callers that add to them for every frame. */
export interface CounterMetrics extends Metrics {
  counter(name: MetricName, by?: string): Counter;
}

export const NO_METRICS: CounterMetrics = {
  count() {},
  observe() {},
  counter: () => ({ add() {} }),
};
