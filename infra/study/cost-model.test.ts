import { describe, expect, test } from 'vitest';
import { wantedMediaTypes } from '../../rtms/protocol/params.ts';
import { slotsOf } from '../../shared/session-table/slots.ts';
import { readConfig } from '../config/config.ts';
import { meetingLoad } from '../config/meeting-load.ts';
import { shardsFor } from '../config/shards.ts';
import { costPerHour, runnerPrices, streamHour, tasksFor } from './cost-model.ts';

const PROVISIONED = readConfig({ records: { capacity: { mode: 'provisioned', meetings: 1000 } } });
const ON_DEMAND = readConfig({});

/** 1,000 meetings of aws-facts §6: three L16 streams of 20 ms frames, aggregated every 200 ms. */
const AUDIO = { bytesPerSecond: 112_650, putsPerSecond: 5 };
/** The same with one 720p video. */
const AUDIO_AND_VIDEO = { bytesPerSecond: 112_650 + 159_000, putsPerSecond: 10 };

describe('shardsFor', () => {
  test.each([
    ['audio', AUDIO, 269],
    ['audio and video', AUDIO_AND_VIDEO, 648],
  ])('agrees with the table of aws-facts for %s', (_, load, shards) => {
    expect(shardsFor(load, 1000, 0.4)).toBe(shards);
  });

  test('goes by records where they are what fills a shard', () => {
    expect(shardsFor({ bytesPerSecond: 400, putsPerSecond: 100 }, 10, 0.5)).toBe(2);
  });

  test('is one shard at least', () => {
    expect(shardsFor({ bytesPerSecond: 0, putsPerSecond: 0 }, 1000, 0.4)).toBe(1);
  });
});

describe('streamHour', () => {
  test('agrees with aws-facts for provisioned audio: $4.3', () => {
    expect(streamHour(PROVISIONED, AUDIO, 1000)).toBeCloseTo(4.29, 1);
  });

  test('agrees with aws-facts for on-demand audio: $31.6 in, $15.1 out', () => {
    expect(streamHour(ON_DEMAND, AUDIO, 1000)).toBeCloseTo(31.6 + 15.1, 0);
  });
});

describe('meetingLoad', () => {
  test('of L16 audio is what aws-facts assumes', () => {
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

  test('of nothing is nothing', () => {
    const { zoom } = readConfig({
      zoom: { media: { audio: false, video: false, deskshare: false, transcript: false } },
    });
    expect(meetingLoad(zoom.media).media).toEqual({ bytesPerSecond: 0, putsPerSecond: 0 });
  });
});

describe('costPerHour', () => {
  const sum = (meetings: number, config = ON_DEMAND) =>
    costPerHour(config, meetings).reduce((total, line) => total + line.dollarsPerHour, 0);

  test('grows with meetings, and provisioned streams are cheaper under load', () => {
    expect(sum(0)).toBeLessThan(0.3);
    expect(sum(1000)).toBeGreaterThan(5 * sum(100));
    expect(sum(1000, PROVISIONED)).toBeLessThan(sum(1000) / 5);
  });

  test('charges NAT for every byte', () => {
    const behindNat = readConfig({ network: { kind: 'private' } });
    expect(sum(1000, behindNat) - sum(1000)).toBeGreaterThan(50);
  });
});

test('tasks follow the meetings at 60 %, and never fall below the least', () => {
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
