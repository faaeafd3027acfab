import { expect, test } from 'vitest';
import type { VideoFollow } from '../../shared/video-follow.ts';
import { ADA, BEN, CY, FPS, NAMES, THREE_CAMERAS } from '../support/three-cameras.ts';
import { type SeenFrame, startWorld, type World } from '../support/world.ts';

/*
 * The owner of a meeting with three cameras is killed with SIGKILL. Nothing of what it had selected is written down
 * anywhere: whoever takes over has to find out who is there and whose camera is on, and select by itself.
 */
const STEP_MS = 1_000 / FPS;
const TAKEOVER_MS = 40_000;
const ENOUGH = 2 * FPS;
const SELECTING_MS = 2_000;

function startCameras(follow: VideoFollow, cameras: number): Promise<World> {
  const video = { fps: FPS, dataOpt: 'VIDEO_SINGLE_INDIVIDUAL_STREAM', follow, cameras };
  const others = { audio: false, deskshare: false, transcript: false, chat: false };
  const environment = {
    RTMS_MEDIA: JSON.stringify({ ...others, video }),
    RTMS_PROTOCOL: JSON.stringify({ meeting: { version: cameras > 1 ? 2 : 1 } }),
  };
  return startWorld({
    runners: 2,
    runner: { entry: 'runner/main.ts', environment: () => environment },
    // Zoom lets nobody in while it takes a dead client for a living one.
    behaviour: { keepAliveMs: 3_000, keepAliveOnlyWhenIdle: false },
  });
}

function picturesOf(world: World, id: string, epoch: number, userId: number): SeenFrame[] {
  return world
    .framesOf(id, epoch)
    .filter((frame) => frame.userId === userId)
    .sort((a, b) => a.capturedAtMs - b.capturedAtMs);
}

/** Kills the owner of epoch 1 once everybody in `before` is recorded; ends when everybody in `after` is again. */
async function killOwner(world: World, id: string, before: number[], after: number[]) {
  const shows = (epoch: number, userIds: number[], timeoutMs?: number) =>
    world.until(
      `pictures in epoch ${epoch}`,
      () => userIds.every((one) => picturesOf(world, id, epoch, one).length >= ENOUGH),
      timeoutMs,
    );
  const { taskId } = await world.log('claimed', { rtmsStreamId: id, epoch: 1 }, TAKEOVER_MS);
  await shows(1, before, TAKEOVER_MS);
  process.kill(world.pid(taskId), 'SIGKILL');
  await shows(2, after, TAKEOVER_MS);
}

function selected(world: World, id: string, epoch: number) {
  return world
    .eventsOf(id)
    .flatMap((event) =>
      event.name === 'video_selected' && event.epoch === epoch ? [event.data] : [],
    );
}

/** Every picture of these people that Zoom sent is recorded once, but for those around the death of the owner. */
async function expectAllButTheDeath(world: World, id: string, userIds: readonly number[]) {
  world.simulator.act(id, { do: 'stop', reason: 6 });
  const { sources } = await world.simulator.finished(id);
  await world.event('session_ended', { rtmsStreamId: id, epoch: 2 });
  await world.until('a complete ledger', () => world.ledger.report().ok, 20_000);
  const { data } = await world.event('session_taken_over', { rtmsStreamId: id, epoch: 2 });
  const [blind = expect.unreachable()] = data.blind ?? [];
  expect(blind.mediaType).toBe('video');
  for (const userId of userIds) {
    const name = NAMES.get(userId);
    const sent = sources.find((source) => source.userId === userId) ?? expect.unreachable();
    const read = [1, 2].map((epoch) => picturesOf(world, id, epoch, userId));
    const [old = [], young = []] = read;
    for (const frames of read) {
      const steps = frames.slice(1).map(({ capturedAtMs }, index) => {
        return capturedAtMs - Number(frames[index]?.capturedAtMs);
      });
      expect([...new Set(steps)], name).toEqual([STEP_MS]);
    }
    expect(old[0]?.capturedAtMs, name).toBe(sent.firstTimestampMs);
    expect(young.at(-1)?.capturedAtMs, name).toBe(sent.lastTimestampMs);
    const lost = sent.frames - old.length - young.length;
    const lastOldMs = old.at(-1)?.capturedAtMs ?? 0;
    expect(lost, name).toBeGreaterThanOrEqual(0);
    // What the dead owner had not written yet lies within the time that the new one says it was blind.
    expect(lastOldMs + STEP_MS, name).toBeGreaterThanOrEqual(blind.fromMs);
    // It says so when its connections are up; the selection follows within a round trip or two.
    expect(young[0]?.capturedAtMs, name).toBeLessThanOrEqual(blind.toMs + SELECTING_MS);
  }
  expect(world.late).toEqual([]);
  expect(world.bad).toEqual([]);
}

test('after the death of its owner another runner selects the same camera again', {
  timeout: 120_000,
}, async () => {
  await using world = await startCameras({ pinned: ['Cy', BEN] }, 1);
  const id = world.play(THREE_CAMERAS);
  await world.until('pictures of Cy', () => picturesOf(world, id, 1, CY).length > 0, TAKEOVER_MS);
  world.simulator.act(id, { do: 'video_off', userId: CY });
  await killOwner(world, id, [BEN], [BEN]);
  expect(selected(world, id, 1).at(-1)).toMatchObject({ userId: BEN, userName: 'Ben' });
  expect(selected(world, id, 2)).toMatchObject([{ userId: BEN, userName: 'Ben' }]);
  expect(picturesOf(world, id, 2, CY)).toEqual([]);
  expect(picturesOf(world, id, 2, ADA)).toEqual([]);
  await expectAllButTheDeath(world, id, [BEN]);
});

test('after the death of its owner another runner records all three cameras again (V2)', {
  timeout: 120_000,
}, async () => {
  await using world = await startCameras('active-speaker', 3);
  const id = world.play(THREE_CAMERAS);
  const everybody = [ADA, BEN, CY];
  await killOwner(world, id, everybody, everybody);
  for (const epoch of [1, 2]) {
    const names = selected(world, id, epoch)
      .at(-1)
      ?.cameras?.map(({ userName }) => userName);
    expect(names?.toSorted(), `epoch ${epoch}`).toEqual(['Ada', 'Ben', 'Cy']);
  }
  await expectAllButTheDeath(world, id, everybody);
});
