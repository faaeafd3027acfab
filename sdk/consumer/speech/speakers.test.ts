import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input } from 'mediabunny';
import { describe, expect, test } from 'vitest';
import type { MediaRecord } from '../../../shared/record/media-record.ts';
import {
  CountingListener,
  countingRecords,
  NUMBERS,
} from '../../../test/support/counting-speaker.ts';
import {
  count,
  expectContinuous,
  expectSaid,
  framesOf,
  type Heard,
  hear,
  numbers,
} from '../../../test/support/heard-lanes.ts';
import { frame, mediaRecord, START_MS } from '../../../test/support/test-records.ts';
import type { SpeakerLane, SpeechBlock } from './speaker-lane.ts';
import { speakers } from './speakers.ts';
import type { SpeechNotice } from './speech-notice.ts';
import type { SpeakersOptions } from './speech-options.ts';

describe('speakers', () => {
  test('a speaker who counts to 500 is heard once for each number, at its time', async () => {
    const said = count(NUMBERS, 170);
    const { lanes, notices } = await hear(framesOf(countingRecords(said, NUMBERS * 170 + 200)));
    expect(lanes).toHaveLength(1);
    const { lane, blocks } = lanes[0] as Heard;
    expect([lane.userId, lane.userName, lane.joinedAtMs]).toEqual([7, 'Ada', START_MS]);
    expectContinuous(blocks);
    expectSaid(numbers(blocks), said);
    expect(notices).toEqual([]);
  });

  test.each([8_000, 24_000, 44_100, 48_000])('sound of %i Hz becomes 16,000 Hz', async (rate) => {
    const said = count(5, 300);
    const records = countingRecords(said, 2_000, { sampleRateHz: rate });
    const { lanes } = await hear(framesOf(records));
    const { blocks } = lanes[0] as Heard;
    expectSaid(numbers(blocks), said);
    expect(blocks.at(-1)?.endMs).toBe(START_MS + 2_000);
  });

  test('silence stands where a speaker sent nothing, up to what others said', async () => {
    const said = [
      { number: 1, atMs: 0 },
      { number: 2, atMs: 5_000 },
    ];
    const ada = countingRecords(said, 6_000).filter((_, i) => i < 20 || i >= 240);
    const bob = countingRecords([], 9_000, { userId: 8, userName: 'Bob' });
    const both = [...ada, ...bob].sort((a, b) => a.capturedAtMs - b.capturedAtMs);
    const { lanes } = await hear(framesOf(both));
    const of = (id: number) => lanes.find(({ lane }) => lane.userId === id)?.blocks ?? [];
    expectContinuous(of(7));
    expectSaid(numbers(of(7)), said);
    // Two seconds behind the other speaker, whose last frame ends at 9 s.
    expect(of(7).at(-1)?.endMs).toBeGreaterThanOrEqual(START_MS + 6_800);
  });

  test('a lane goes on exactly where an earlier run left it', async () => {
    const said = count(20, 300);
    const records = countingRecords(said, 7_000);
    const listener = new CountingListener();
    let atMs: number | undefined;
    for (const stopAfter of [13, 27, 1_000]) {
      const resume = atMs === undefined ? [] : [{ rtmsStreamId: 'stream-1', userId: 7, atMs }];
      for await (const lane of speakers({ reader: framesOf(records), resume, whenFull: 'wait' })) {
        let taken = 0;
        for await (const block of lane) {
          if (atMs !== undefined) expect(block.atMs).toBe(atMs);
          listener.hear(block.samples, block.atMs, block.isSilence);
          atMs = block.endMs;
          taken += 1;
          if (taken === stopAfter) break;
        }
        break;
      }
    }
    listener.end();
    expectSaid(listener.heard, said);
  });

  test('a slow consumer loses its oldest sound with a notice, keeps its time, and stops nobody', async () => {
    const records = [
      ...countingRecords(count(100, 300), 30_000),
      ...countingRecords(count(100, 300), 30_000, { userId: 8 }),
    ].sort((a, b) => a.capturedAtMs - b.capturedAtMs);
    const lanes: SpeakerLane[] = [];
    const notices: SpeechNotice[] = [];
    const fast: SpeechBlock[] = [];
    const tasks: Promise<void>[] = [];
    const options = { bufferMs: 5_000, onNotice: (each: SpeechNotice) => void notices.push(each) };
    for await (const lane of speakers({ reader: framesOf(records), ...options })) {
      lanes.push(lane);
      if (lane.userId === 7) continue;
      tasks.push(
        (async () => {
          for await (const block of lane) fast.push(block);
        })(),
      );
    }
    await Promise.all(tasks);
    expectSaid(numbers(fast), count(100, 300));
    const slow: SpeechBlock[] = [];
    for await (const block of lanes[0] as SpeakerLane) slow.push(block);
    expectContinuous(slow);
    const lostMs = slow.reduce((sum, block) => sum + block.lostMs, 0);
    expect(lostMs).toBeCloseTo(25_000, 0);
    expect(
      notices.filter(({ kind }) => kind === 'dropped').every(({ userId }) => userId === 7),
    ).toBe(true);
    expectSaid(
      numbers(slow),
      count(100, 300).filter(({ atMs }) => atMs > 25_000),
    );
  });
});

test('Opus is decoded, a damaged packet becomes silence, and nothing moves', async () => {
  const input = new Input({
    source: new FilePathSource('simulator/assets/speech/01.ogg'),
    formats: ALL_FORMATS,
  });
  const track = await input.getPrimaryAudioTrack();
  if (!track) throw new Error('no audio track');
  const packets: Buffer[] = [];
  for await (const { data } of new EncodedPacketSink(track).packets())
    packets.push(Buffer.from(data));
  input.dispose();
  const opus = { codec: 4, sampleRateHz: 48_000, channels: 1 };
  const records = packets.slice(0, 100).map((payload, index) =>
    // Its first byte says two frames of one length, and three bytes are not.
    mediaRecord({
      ...opus,
      sequence: index + 1,
      payload: index === 50 ? Buffer.from([0xf9, 1, 2, 3]) : payload,
    }),
  );
  const { lanes, notices } = await hear(framesOf(records));
  const { blocks } = lanes[0] as Heard;
  expectContinuous(blocks);
  expect(notices.map(({ kind }) => kind)).toEqual(['undecodable']);
  const samples = blocks.flatMap((block) => [...block.samples]);
  // Less the look-ahead of 6.5 ms, which lies before the lane.
  expect(samples.length).toBe(2_000 * 16 - 104);
  expect(Math.max(...samples)).toBeGreaterThan(3_000);
  const damaged = samples.slice(1_005 * 16, 1_012 * 16);
  expect(Math.max(...damaged.map(Math.abs))).toBeLessThan(50);
});

describe('bad input', () => {
  test('capture times that jump back and forth move nothing for long', async () => {
    const said = count(10, 300);
    const records = countingRecords(said, 3_200).map((record, index) => ({
      ...record,
      capturedAtMs:
        record.capturedAtMs + ([41, 80, 121].includes(index) ? (-1) ** index * 3_600_000 : 0),
    }));
    const { lanes } = await hear(framesOf(records));
    expectContinuous(lanes[0]?.blocks ?? []);
    expectSaid(numbers(lanes[0]?.blocks ?? []), said);
  });

  test.each([
    ['rateHz', { rateHz: 7_999 }],
    ['rateHz', { rateHz: 16_001 }],
    ['blockMs', { blockMs: 0 }],
    ['bufferMs', { bufferMs: Number.NaN }],
    ['whenFull', { whenFull: 'later' }],
    ['latenessMs', { latenessMs: -1 }],
    ['leaveAfterMs', { leaveAfterMs: 0 }],
    ['maxSpeakers', { maxSpeakers: 0 }],
    ['resume', { resume: [{ rtmsStreamId: '', atMs: 1 }] }],
    ['no such option: rate', { rate: 1 }],
    ['no checkpoints', { reader: { checkpoints: {} } }],
    ['reader', { reader: undefined }],
  ])('refuses an option that cannot be used: %s', (name, changes) => {
    const options = { reader: framesOf([]), ...changes } as unknown as SpeakersOptions;
    expect(() => speakers(options)).toThrow(name);
    expect(() => speakers(options)).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });

  test('frames that cannot be heard are told, and become silence', async () => {
    const good = countingRecords(count(3, 300), 1_000);
    const bad: Partial<MediaRecord>[] = [
      { codec: 4, payload: Buffer.from([0xff, 0x41, 0x3e]) },
      { codec: 99 },
      { sampleRateHz: 12_345 },
      { payload: Buffer.alloc(0) },
      { payload: Buffer.alloc(1) },
      { sampleRateHz: 8_000, payload: Buffer.alloc(400_000) },
    ];
    const last = mediaRecord({
      sequence: 50,
      capturedAtMs: START_MS + 1_200,
      receivedAtMs: START_MS + 1_240,
    });
    const damaged = bad.map((changes, index) => ({
      ...(good[49] as MediaRecord),
      sequence: 51 + index,
      ...changes,
    }));
    const { lanes, notices } = await hear(
      framesOf([...good, ...damaged, { ...last, sequence: 60 }]),
    );
    expect(notices.map(({ kind }) => kind)).toEqual([
      'undecodable',
      'undecodable',
      'undecodable',
      'empty',
      'empty',
      'undecodable',
    ]);
    expectSaid(numbers(lanes[0]?.blocks ?? []).slice(0, 3), count(3, 300));
    expect(lanes[0]?.blocks.at(-1)?.endMs).toBe(START_MS + 1_220);
  });

  test('the codec may change in the middle of a word', async () => {
    const said = count(12, 300);
    const wide = countingRecords(said, 4_000);
    const narrow = countingRecords(said, 4_000, { sampleRateHz: 8_000 });
    const records = wide.map((each, index) => (Math.floor(index / 7) % 2 ? narrow[index] : each));
    const { lanes, notices } = await hear(framesOf(records as MediaRecord[]));
    expectContinuous(lanes[0]?.blocks ?? []);
    expectSaid(numbers(lanes[0]?.blocks ?? []), said);
    expect(new Set(notices.map(({ kind }) => kind))).toEqual(new Set(['format']));
  });

  test('speakers beyond the limit are told, and the others are heard', async () => {
    const records = Array.from({ length: 2_000 }, (_, userId) => mediaRecord({ userId }));
    const { lanes, notices } = await hear(framesOf(records), { maxSpeakers: 1_800 });
    expect(lanes).toHaveLength(1_800);
    expect(lanes.filter(({ lane }) => lane.isMixed)).toHaveLength(1);
    expect(lanes.every(({ blocks }) => blocks.length === 1)).toBe(true);
    expect(notices).toHaveLength(200);
    expect(notices[0]).toMatchObject({ kind: 'too_many', userId: 1_800 });
  });

  test('what the reader throws comes out of the loop and of the lanes', async () => {
    const broken = (async function* () {
      yield frame();
      throw new Error('the stream is gone');
    })();
    const lanes: SpeakerLane[] = [];
    const all = async () => {
      for await (const lane of speakers({ reader: broken })) lanes.push(lane);
    };
    await expect(all()).rejects.toThrow('the stream is gone');
    const [lane] = lanes;
    expect((await lane?.next())?.value?.samples).toHaveLength(320);
    await expect(lane?.next()).rejects.toThrow('the stream is gone');
  });
});
