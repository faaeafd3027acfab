import { describe, expect, test } from 'vitest';
import { wantedMediaTypes } from '../../rtms/protocol/params.ts';
import { slotsOf } from '../../shared/session-table/slots.ts';
import { type ConfigInput, readConfig } from '../config/schema.ts';
import { DEV, PROD } from '../config/stages.ts';
import { costPerHour, floodHour, runnerPrices, streamHour } from './cost-model.ts';
import { meetingLoad, shardsFor } from './meeting-load.ts';
import { HOURS_PER_MONTH } from './prices.ts';
import { tasksFor } from './scaling-rules.ts';

const PROVISIONED = readConfig({ records: { capacity: { mode: 'provisioned', meetings: 1000 } } });
const ON_DEMAND = readConfig({});

/** One meeting: three L16 sources of 20 ms frames, in aggregates of 200 ms. */
const AUDIO = { bytesPerSecond: 112_650, putsPerSecond: 5 };
/** The same with one 720p video. */
const AUDIO_AND_VIDEO = { bytesPerSecond: 112_650 + 159_000, putsPerSecond: 10 };

describe('shardsFor', () => {
  test.each([
    ['audio', AUDIO, 269],
    ['audio and video', AUDIO_AND_VIDEO, 648],
  ])('1,000 meetings of %s need as many shards as counted by hand', (_, load, shards) => {
    expect(shardsFor(load, 1000, 0.4)).toBe(shards);
  });

  test('shardsFor goes by records where these fill a shard first', () => {
    expect(shardsFor({ bytesPerSecond: 400, putsPerSecond: 100 }, 10, 0.5)).toBe(2);
  });

  test('shardsFor gives one shard at least', () => {
    expect(shardsFor({ bytesPerSecond: 0, putsPerSecond: 0 }, 1000, 0.4)).toBe(1);
  });
});

describe('streamHour', () => {
  test('1,000 meetings of audio on provisioned shards cost $4.3 an hour, as counted by hand', () => {
    expect(streamHour(PROVISIONED, AUDIO, 1000)).toBeCloseTo(4.29, 1);
  });

  test('1,000 meetings of audio on demand cost $31.6 in and $15.1 out an hour, as counted by hand', () => {
    expect(streamHour(ON_DEMAND, AUDIO, 1000)).toBeCloseTo(31.6 + 15.1, 0);
  });
});

/** 16 kHz mono alone. */
function l16(sendRateMs: number, dataOpt: 'AUDIO_MULTI_STREAMS' | 'AUDIO_MIXED_STREAM') {
  const audio = {
    codec: 'L16',
    sampleRate: 'SR_16K',
    channel: 'MONO',
    sendRateMs,
    dataOpt,
  } as const;
  return { audio, video: false, deskshare: false } as const;
}

describe('meetingLoad', () => {
  test('a meeting of L16 audio writes 112,650 B/s in five records a second', () => {
    const { zoom } = readConfig({
      zoom: {
        media: {
          audio: { codec: 'L16', sampleRate: 'SR_16K', channel: 'MONO' },
          video: false,
          deskshare: false,
        },
      },
    });
    const { media, events } = meetingLoad(zoom.media);
    expect(media).toEqual({ bytesPerSecond: 112_650, putsPerSecond: 5 });
    expect(events.putsPerSecond).toBeCloseTo(1.1);
  });

  test.each([
    { sendRateMs: 20, dataOpt: 'AUDIO_MULTI_STREAMS', puts: 5, bytes: 112_650 },
    { sendRateMs: 100, dataOpt: 'AUDIO_MULTI_STREAMS', puts: 5, bytes: 99_330 },
    { sendRateMs: 500, dataOpt: 'AUDIO_MULTI_STREAMS', puts: 5, bytes: 96_666 },
    { sendRateMs: 1_000, dataOpt: 'AUDIO_MULTI_STREAMS', puts: 3, bytes: 96_333 },
    { sendRateMs: 20, dataOpt: 'AUDIO_MIXED_STREAM', puts: 5, bytes: 37_550 },
    { sendRateMs: 500, dataOpt: 'AUDIO_MIXED_STREAM', puts: 2, bytes: 32_222 },
    { sendRateMs: 1_000, dataOpt: 'AUDIO_MIXED_STREAM', puts: 1, bytes: 32_111 },
  ] as const)(
    'sound in messages of $sendRateMs ms, $dataOpt, is written in $puts records a second',
    ({ sendRateMs, dataOpt, puts, bytes }) => {
      const { zoom } = readConfig({ zoom: { media: l16(sendRateMs, dataOpt) } });
      const { media } = meetingLoad(zoom.media);
      expect(media.putsPerSecond).toBeCloseTo(puts);
      expect(media.bytesPerSecond).toBeCloseTo(bytes);
    },
  );

  test('a meeting without media writes no media', () => {
    const { zoom } = readConfig({
      zoom: { media: { audio: false, video: false, deskshare: false, transcript: false } },
    });
    expect(meetingLoad(zoom.media).media).toEqual({ bytesPerSecond: 0, putsPerSecond: 0 });
  });
});

describe('costPerHour', () => {
  const sum = (meetings: number, config = ON_DEMAND) =>
    costPerHour(config, meetings).reduce((total, line) => total + line.dollarsPerHour, 0);

  test('cost grows with meetings, and provisioned streams are cheaper under load', () => {
    expect(sum(0)).toBeLessThan(0.3);
    expect(sum(1000)).toBeGreaterThan(5 * sum(100));
    expect(sum(1000, PROVISIONED)).toBeLessThan(sum(1000) / 5);
  });

  test('a private network pays NAT for every byte', () => {
    const behindNat = readConfig({ network: { kind: 'private' } });
    expect(sum(1000, behindNat) - sum(1000)).toBeGreaterThan(50);
  });
});

test('tasksFor fills tasks to 60 %, and never goes below the least number of tasks', () => {
  expect(tasksFor(ON_DEMAND, 0)).toBe(2);
  expect(tasksFor(ON_DEMAND, 1000)).toBe(56);
});

test('a meeting with all media takes one slot', () => {
  expect(slotsOf(wantedMediaTypes(ON_DEMAND.zoom.media))).toBe(1);
});

test('the runner is told either the price of shards or that of bytes', () => {
  expect(runnerPrices(ON_DEMAND)).toMatchObject({
    shardsPerMeetingHour: 0,
    millionPutUnits: 0,
    gigabyteIn: 0.08,
  });
  const { shardsPerMeetingHour, gigabyteIn } = runnerPrices(PROVISIONED);
  expect(shardsPerMeetingHour).toBeCloseTo(0.0097, 3);
  expect(gigabyteIn).toBe(0);
});

const line = (config: ConfigInput, meetings: number, item: string) =>
  costPerHour(readConfig(config), meetings).find((one) => one.item === item)?.dollarsPerHour ?? 0;

const month = (config: ConfigInput, meetings: number) =>
  costPerHour(readConfig(config), meetings).reduce((sum, one) => sum + one.dollarsPerHour, 0) *
  HOURS_PER_MONTH;

describe('prices follow the configuration', () => {
  test('dev idles at $45 a month or less', () => {
    expect(month(DEV, 0)).toBeLessThanOrEqual(45);
  });

  test('shards that are configured are paid for, however few meetings run', () => {
    const shards = 65;
    expect(line(PROD, 0, 'Kinesis media')).toBeCloseTo(shards * (0.015 + 0.02), 3);
    const forDay = { ...PROD, records: { ...PROD.records, retentionHours: 24 } };
    expect(line(forDay, 0, 'Kinesis media')).toBeCloseTo(shards * 0.015, 3);
  });

  test('On-Demand Advantage bills its commitment, and nothing more once that is used up', () => {
    const advantage: ConfigInput = {
      records: { capacity: { mode: 'on-demand', advantage: true } },
    };
    const gigabytes = (25 * 3600) / 1024;
    expect(line(advantage, 0, 'Kinesis commitment, unused')).toBeCloseTo(gigabytes * 0.048, 3);
    expect(line(advantage, 1000, 'Kinesis commitment, unused')).toBe(0);
    expect(line(advantage, 1000, 'Kinesis media')).toBeLessThan(
      line({}, 1000, 'Kinesis media') / 2,
    );
  });

  test('a flood costs in proportion to what the throttle lets in', () => {
    const flood = (requestsPerSecond: number) =>
      floodHour(readConfig({ webhook: { requestsPerSecond } }));
    expect(flood(2_000)).toBeLessThan(15);
    expect(flood(4_000)).toBeCloseTo(2 * flood(2_000), 6);
  });
});
