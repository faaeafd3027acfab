import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EmfEmitter } from './metrics.ts';

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
  emitter = new EmfEmitter();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('prints one line for metrics without a dimension of their own', () => {
  emitter.count('Takeovers');
  emitter.count('Takeovers', 2);
  emitter.observe('PutLatency', 5);
  emitter.observe('PutLatency', 7);
  emitter.flush();
  expect(printed).toHaveLength(1);
  expect(printed[0]).toMatchObject({ service: 'runner', Takeovers: 3, PutLatency: [5, 7] });
  const [emf] = printed[0]?._aws.CloudWatchMetrics ?? [];
  expect(emf).toMatchObject({ Namespace: 'RtmsKinesis', Dimensions: [['service']] });
  expect(emf?.Metrics).toMatchObject([
    { Name: 'Takeovers', Unit: 'Count' },
    { Name: 'PutLatency', Unit: 'Milliseconds' },
  ]);
});

test('prints one line for each value of a dimension', () => {
  emitter.count('FramesIn', 2, 'audio');
  emitter.count('BytesIn', 20, 'audio');
  emitter.count('FramesIn', 1, 'video');
  emitter.flush();
  expect(printed).toMatchObject([
    { mediaType: 'audio', FramesIn: 2, BytesIn: 20 },
    { mediaType: 'video', FramesIn: 1 },
  ]);
});

test('keeps a sample of many observations', () => {
  for (let value = 0; value < 5_000; value++) emitter.observe('CaptureToKinesis', value);
  emitter.flush();
  expect(printed).toHaveLength(1);
  const values = printed[0]?.['CaptureToKinesis'] as number[];
  expect(values).toHaveLength(99);
  expect(Math.max(...values)).toBeGreaterThan(100);
});

test('says nothing when there is nothing to say', () => {
  emitter.count('Takeovers');
  emitter.flush();
  emitter.flush();
  expect(printed).toHaveLength(1);
});
