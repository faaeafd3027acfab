import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { MetricName } from '../../shared/metrics.ts';
import { CostMeter, EmfEmitter } from './metrics.ts';

interface EmfLine {
  readonly [name: string]: unknown;
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
}

let printed: EmfLine[];
let emitter: EmfEmitter;

beforeEach(() => {
  // Powertools writes to a console of its own unless this is set; then it is the global one.
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  printed = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    printed.push(JSON.parse(line) as EmfLine);
  });
  emitter = new EmfEmitter('prod');
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('metrics without a dimension of their own share one line', () => {
  emitter.count('SessionsMissed');
  emitter.count('SessionsMissed', 2);
  emitter.observe('PutLatency', 5);
  emitter.observe('PutLatency', 7);
  emitter.flush();
  expect(printed).toHaveLength(1);
  expect(printed[0]).toMatchObject({
    deployment: 'prod',
    service: 'runner',
    SessionsMissed: 3,
    PutLatency: [5, 7],
  });
  const [emf] = printed[0]?._aws.CloudWatchMetrics ?? [];
  expect(emf).toMatchObject({ Namespace: 'RtmsKinesis', Dimensions: [['service', 'deployment']] });
  expect(emf?.Metrics).toMatchObject([
    { Name: 'SessionsMissed', Unit: 'Count' },
    { Name: 'PutLatency', Unit: 'Milliseconds' },
  ]);
});

test('each value of a dimension has a line of its own', () => {
  emitter.count('FramesIn', 2, 'audio');
  emitter.count('BytesIn', 20, 'audio');
  emitter.count('FramesIn', 1, 'video');
  emitter.flush();
  expect(printed).toMatchObject([
    { mediaType: 'audio', FramesIn: 2, BytesIn: 20 },
    { mediaType: 'video', FramesIn: 1 },
  ]);
});

test('of many observations a sample is printed', () => {
  for (let value = 0; value < 5_000; value++) emitter.observe('CaptureToKinesis', value);
  emitter.flush();
  expect(printed).toHaveLength(1);
  const values = printed[0]?.['CaptureToKinesis'] as number[];
  expect(values).toHaveLength(99);
  expect(Math.max(...values)).toBeGreaterThan(100);
});

test('nothing is printed when nothing was collected', () => {
  emitter.count('SessionsMissed');
  emitter.flush();
  emitter.flush();
  expect(printed).toHaveLength(1);
});

test('the values of a dimension are added up for alarms, without those that are no fault', () => {
  emitter.count('FramesLost', 2, 'buffer_full');
  emitter.counter('FramesLost', 'a cause of tomorrow').add(3);
  emitter.count('FramesLost', 100, 'revoked');
  emitter.count('HandOvers', 1, 'shutdown');
  emitter.flush();
  const lost = printed.filter((line) => 'FramesLost' in line);
  expect(lost.map(({ cause, FramesLost }) => [cause, FramesLost])).toEqual(
    expect.arrayContaining([
      ['buffer_full', 2],
      ['a cause of tomorrow', 3],
      ['revoked', 100],
      [undefined, 5],
    ]),
  );
  expect(lost).toHaveLength(4);
  expect(printed.filter((line) => 'HandOvers' in line)).toHaveLength(1);
});

test('the cost meter prices what was written since the last period, and nothing while there is no meeting', () => {
  vi.useFakeTimers({ now: 0 });
  const seen: [MetricName, number][] = [];
  const metrics = {
    count() {},
    observe: (name: MetricName, value: number) => seen.push([name, value]),
  };
  const prices = { taskHour: 0, shardsPerMeetingHour: 0, millionPutUnits: 1, gigabyteIn: 0 };
  const meter = new CostMeter(prices, metrics);
  vi.advanceTimersByTime(10_000);
  meter.observe(0, [{ putUnits: 500, bytes: 0 }]);
  vi.advanceTimersByTime(10_000);
  meter.observe(2, [
    { putUnits: 1_500, bytes: 0 },
    { putUnits: 1_000, bytes: 0 },
  ]);
  vi.useRealTimers();
  // 2,000 units in 10 s are 720,000 an hour, 0.72 at a dollar a million, shared by two.
  expect(seen).toEqual([['CostPerMeetingHour', expect.closeTo(0.36, 6)]]);
});
