/**
 * Every CloudWatch metric this project emits, in namespace `RtmsKinesis`, with fixed dimensions only: ids
 * live in log fields. infra's dashboard and alarms and the code that emits share this table.
 *
 * Dimensions: every metric carries `service` (`webhook` or `runner`); those with `by` carry one more.
 */
export const METRIC_NAMESPACE = 'RtmsKinesis';

type MetricUnit = 'Count' | 'Milliseconds' | 'Bytes' | 'Percent' | 'None';
type MetricDimension = 'mediaType' | 'cause' | 'state' | 'scope' | 'event';

export const METRICS = {
  WebhookAccepted: { unit: 'Count', by: 'event' },
  WebhookUnknownEvent: { unit: 'Count' },
  WebhookRejected: { unit: 'Count', by: 'cause' },
  WebhookSignatureFailure: { unit: 'Count' },
  WebhookStoreFailure: { unit: 'Count' },
  ConcurrencyLimited: { unit: 'Count' },
  ConcurrencyShare: { unit: 'Percent' },
  Sessions: { unit: 'Count', by: 'state' },
  SlotsUsed: { unit: 'Count' },
  SlotsTotal: { unit: 'Count' },
  SlotUtilization: { unit: 'Percent' },
  OldestWaiting: { unit: 'Milliseconds' },
  WebhookToFirstFrame: { unit: 'Milliseconds' },
  CaptureToKinesis: { unit: 'Milliseconds' },
  FramesIn: { unit: 'Count', by: 'mediaType' },
  BytesIn: { unit: 'Bytes', by: 'mediaType' },
  FramesOut: { unit: 'Count', by: 'mediaType' },
  BytesOut: { unit: 'Bytes', by: 'mediaType' },
  FramesLost: { unit: 'Count', by: 'cause' },
  AggregationRatio: { unit: 'None' },
  PutUnits: { unit: 'Count' },
  PutLatency: { unit: 'Milliseconds' },
  PutRetries: { unit: 'Count' },
  PutThrottles: { unit: 'Count' },
  BufferBytes: { unit: 'Bytes' },
  BufferAge: { unit: 'Milliseconds' },
  SpoolBytes: { unit: 'Bytes' },
  SpoolAge: { unit: 'Milliseconds' },
  Reconnects: { unit: 'Count', by: 'scope' },
  SessionsMissed: { unit: 'Count' },
  SessionsFailed: { unit: 'Count', by: 'cause' },
  Takeovers: { unit: 'Count' },
  HandOvers: { unit: 'Count', by: 'cause' },
  DrainDuration: { unit: 'Milliseconds' },
  ProtectionFailures: { unit: 'Count' },
  FencedByHeartbeat: { unit: 'Count' },
  EventLoopDelay: { unit: 'Milliseconds' },
  MalformedMessages: { unit: 'Count', by: 'scope' },
  UnknownMessages: { unit: 'Count' },
  CostPerMeetingHour: { unit: 'None' },
} as const satisfies Record<string, { unit: MetricUnit; by?: MetricDimension }>;

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

/** Hands out its counters, for who adds to them for every frame. */
export interface CounterMetrics extends Metrics {
  counter(name: MetricName, by?: string): Counter;
}

export const NO_METRICS: CounterMetrics = {
  count() {},
  observe() {},
  counter: () => ({ add() {} }),
};
