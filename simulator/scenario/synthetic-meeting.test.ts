import { afterEach, expect, test } from 'vitest';
import { joinUnified } from '../../test/support/raw-client.ts';
import { manualClock } from '../clock.ts';
import { readSyntheticFrame } from '../media/synthetic-frame.ts';
import { type Simulator, startSimulator } from '../simulator.ts';
import { syntheticMeeting } from './synthetic-meeting.ts';

let simulator: Simulator;
afterEach(() => simulator.close());

test('the synthetic meeting sends frames that prove themselves, and numbered lines', async () => {
  const clock = manualClock(1_738_392_033_699);
  simulator = await startSimulator({ clock, behaviour: { chatShape: 'direct' } });
  const scenario = syntheticMeeting({
    participants: 3,
    durationMs: 60_000,
    video: true,
    share: true,
    talkShare: 0.5,
    transcriptEveryMs: 1_000,
    chatEveryMs: 1_500,
  });
  const id = simulator.start(scenario) as string;
  const media_params = {
    audio: { data_opt: 2, codec: 4, sample_rate: 3 },
    video: { codec: 7, fps: 30 },
  };
  const { media } = await joinUnified(simulator, id, { media_params });
  clock.advance(4_000);
  await media.caughtUp();

  const next = new Map<number, number>();
  for (const { content } of media.take(14)) {
    const frame = readSyntheticFrame(Buffer.from(content.data, 'base64'));
    expect(frame).toMatchObject({ source: content.user_id, durationMs: 20 });
    expect(frame?.offsetMs).toBe(content.timestamp - 1_738_392_033_699);
    expect(frame?.offsetMs).toBeGreaterThanOrEqual(next.get(content.user_id) ?? 0);
    next.set(content.user_id, (frame?.offsetMs ?? 0) + 20);
  }
  expect(next.size).toBe(3);
  for (const type of [15, 16]) {
    const pictures = media.take(type);
    expect(pictures.length).toBeGreaterThan(3);
    for (const { content } of pictures) {
      expect(readSyntheticFrame(Buffer.from(content.data, 'base64'))).toBeDefined();
    }
  }
  expect(media.take(17).map(({ content }) => content.data)).toEqual([
    'Line 1.',
    'Line 2.',
    'Line 3.',
    'Line 4.',
  ]);
  expect(media.take(18).map(({ content }) => content.data)).toEqual(['Message 1', 'Message 2']);
});

test('the synthetic meeting of Contact Center has channels', () => {
  const { participants } = syntheticMeeting({ durationMs: 1, product: 'contact_center' });
  expect(participants.map(({ channelId }) => channelId)).toEqual(['channel-1', 'channel-2']);
});

test('the playable synthetic meeting sends speech and cameras that a decoder reads', async () => {
  const clock = manualClock(1_738_392_033_699);
  simulator = await startSimulator({ clock, behaviour: { chatShape: 'direct' } });
  const scenario = syntheticMeeting({ durationMs: 60_000, video: true, playable: true });
  const id = simulator.start(scenario) as string;
  const media_params = {
    audio: { data_opt: 2, codec: 1, sample_rate: 1, channel: 1 },
    video: { codec: 7, fps: 30 },
  };
  const { media } = await joinUnified(simulator, id, { media_params });
  clock.advance(2_000);
  await media.caughtUp();

  const spoken = media.take(14).map(({ content }) => Buffer.from(content.data, 'base64'));
  expect(spoken.length).toBeGreaterThan(50);
  // Speech is neither silence nor noise: most neighbouring samples are close to each other.
  const samples = spoken.flatMap((bytes) => [...new Int16Array(new Uint8Array(bytes).buffer)]);
  expect(Math.max(...samples)).toBeGreaterThan(2_000);
  const [unit] = media.take(15).map(({ content }) => Buffer.from(content.data, 'base64'));
  // An access unit delimiter, then a sequence parameter set: a decoder can begin here.
  expect(unit?.subarray(0, 5)).toEqual(Buffer.from([0, 0, 0, 1, 9]));
  expect(unit?.includes(Buffer.from([0, 0, 1, 0x67]))).toBe(true);
});
