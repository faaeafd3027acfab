import { expect, test } from 'vitest';
import { RtmsClient } from '../../../rtms/client.ts';
import { completeMediaRequest } from '../../../rtms/protocol/params.ts';
import { SILENT_LOGGER } from '../../../shared/logger.ts';
import type { EventData } from '../../../shared/record/event-data.ts';
import type { VideoFollow } from '../../../shared/video-follow.ts';
import type { ActionInput, ScenarioInput } from '../../../simulator/scenario/scenario.ts';
import { startSimulator } from '../../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../../simulator/sockets/handshake.ts';
import { EventLog, QUICK } from '../../../test/support/rtms/simulated-client.ts';
import { followVideo } from './follow-video.ts';

const NAMES = ['Ada', 'Ben', 'Cam'];
const [ADA, BEN, CAM] = [16_778_240, 16_779_264, 16_780_288] as const;
const CAMERA = {
  kind: 'synthetic',
  fps: 25,
  frameBytes: 300,
  keyFrameBytes: 900,
  keyEvery: 25,
} as const;
const THREE_CAMERAS = [ADA, BEN, CAM].map((userId, index) => ({
  userId,
  userName: NAMES[index] ?? '',
  video: CAMERA,
}));

/** A client with three cameras before it, on Zoom's real pace; what was recorded of whom. */
async function follow(
  policy: VideoFollow,
  scenario: Partial<ScenarioInput> = {},
  missingMs = 10_000,
) {
  const simulator = await startSimulator({ seed: 'video' });
  const rtmsStreamId = simulator.start({
    name: 'three cameras',
    durationMs: 60_000,
    participants: THREE_CAMERAS,
    ...scenario,
  }) as string;
  const { entityId } = simulator.streams()[0] as { entityId: string };
  const client = new RtmsClient({
    ...QUICK,
    media: completeMediaRequest({
      audio: false,
      deskshare: false,
      transcript: false,
      chat: false,
      video: { codec: 'H264', fps: 25, dataOpt: 'VIDEO_SINGLE_INDIVIDUAL_STREAM' },
    }),
  });
  const log = new EventLog(client);
  const selected: EventData['video_selected'][] = [];
  const missing: number[] = [];
  const counts: string[] = [];
  followVideo(
    client,
    policy,
    { selected: (data) => selected.push(data), missing: (userId) => missing.push(userId) },
    {
      missingMs,
      logger: SILENT_LOGGER,
      metrics: { count: (name) => counts.push(name), observe: () => {} },
    },
  );
  client.join({
    product: 'meeting',
    entityId,
    rtmsStreamId,
    serverUrls: [simulator.serverUrl(rtmsStreamId)],
    clientId: EXAMPLE_APP.clientId,
    clientSecret: EXAMPLE_APP.clientSecret,
  });
  return {
    client,
    log,
    selected,
    missing,
    counts,
    act: (action: ActionInput) => simulator.act(rtmsStreamId, action),
    pictures: (userId: number) => log.of('frame').filter((frame) => frame.userId === userId).length,
    /** Pictures recorded by person are those that Zoom sent of each. */
    async expectAllRecorded() {
      await client.leave();
      for (const userId of [ADA, BEN, CAM]) {
        const sent = simulator
          .sent(rtmsStreamId)
          .sources.filter((source) => source.mediaType === 'video' && source.userId === userId)
          .reduce((total, { frames }) => total + frames, 0);
        expect(this.pictures(userId), String(userId)).toBe(sent);
      }
    },
    async [Symbol.asyncDispose]() {
      await client.leave();
      await simulator.close();
    },
  };
}

test.concurrent('the active speaker is followed, and again after a reconnect', async () => {
  await using it = await follow('active-speaker');
  await it.log.until(() => it.pictures(ADA) >= 10);
  it.act({ do: 'active_speaker', userId: BEN });
  await it.log.until(() => it.pictures(BEN) >= 10);
  expect(it.selected.map(({ userName }) => userName)).toEqual(['Ada', 'Ben']);
  const [first, second] = it.selected;
  expect(Number(second?.timestampMs) - Number(first?.timestampMs)).toBeGreaterThanOrEqual(2_900);
  it.act({ do: 'cut_signaling' });
  const before = it.pictures(BEN);
  await it.log.next('reconnected');
  await it.log.until(() => it.pictures(BEN) >= before + 10);
  expect(it.pictures(CAM)).toBe(0);
  expect(it.missing).toEqual([]);
});

test.concurrent('pinned people are recorded in their order, cameras of others are not', async () => {
  await using it = await follow({ pinned: ['Cam', BEN] });
  await it.log.until(() => it.pictures(CAM) >= 5);
  it.act({ do: 'video_off', userId: CAM });
  await it.log.until(() => it.pictures(BEN) >= 5);
  it.act({ do: 'cut_media', mediaType: 'video', how: 'close' });
  const before = it.pictures(BEN);
  await it.log.until(() => it.pictures(BEN) >= before + 5);
  it.act({ do: 'leave', userId: BEN });
  while (it.selected.at(-1)?.userId !== undefined) await new Promise(setImmediate);
  expect(it.selected.map(({ follow: by, userName }) => `${by} ${userName}`)).toEqual([
    'pinned Cam',
    'pinned Ben',
    'pinned undefined',
  ]);
  await it.expectAllRecorded();
});

test.concurrent('everybody has a turn', async () => {
  await using it = await follow({ 'round-robin': 1 });
  await it.log.until(() => [ADA, BEN, CAM].every((userId) => it.pictures(userId) >= 15));
  expect(it.selected.slice(0, 3).map(({ userName }) => userName)).toEqual(NAMES);
  await it.expectAllRecorded();
});

test.concurrent('a selection before the video connection is up waits for it', async () => {
  await using it = await follow('active-speaker');
  // Cameras were on before we came, so the choice is made before there is anything to choose on.
  await it.log.next('videoSubscribed');
  const [chosen] = it.log.of('videoSubscribed');
  expect(chosen).toMatchObject({ userId: ADA, status: 0 });
  await it.log.until(() => it.pictures(ADA) >= 3);
});

test.concurrent('a camera that is on and does not come is told once, and asked for again', async () => {
  const participants = THREE_CAMERAS.map(({ video: _none, ...person }) => person);
  await using it = await follow('active-speaker', { participants }, 300);
  await it.log.next('joined');
  it.act({ do: 'video_on', userId: ADA });
  await it.log.next('videoSubscribed', 2);
  expect(it.missing).toEqual([ADA]);
  expect(it.counts).toEqual(['VideoMissing']);
});
