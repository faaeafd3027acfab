import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { connectionsTo } from '../support/open-sockets.ts';
import { startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 600_000, transcriptEveryMs: 500 });
const MEETINGS = 2;

let world: World;
beforeAll(async () => {
  world = await startWorld({ runners: 0, catcher: { taskStartMs: 1_000 } });
}, 60_000);
afterAll(() => world[Symbol.asyncDispose](), 60_000);

test('meetings without a runner are caught, then moved to the first task without losing a frame', {
  timeout: 240_000,
}, async () => {
  const streams = Array.from({ length: MEETINGS }, () => world.simulator.start(MEETING) ?? '');
  for (const rtmsStreamId of streams) {
    await world.flowing(rtmsStreamId, 1, 90_000);
    const { owner = '' } = await world.row(rtmsStreamId);
    expect(owner).toMatch(/^catcher-/);
  }
  const { simulator, stack } = world;
  const zoom = new Set(
    [simulator.signalingUrl, simulator.mediaUrl].map((url) => Number(new URL(url).port)),
  );
  const toZoom = (pids: readonly number[] = []) =>
    pids.reduce((sum, pid) => sum + (connectionsTo(zoom, pid) ?? 0), 0);
  if (process.platform === 'linux') {
    // Signaling and one media connection of each meeting.
    expect(toZoom(stack.catcher?.function.running)).toBeGreaterThanOrEqual(2 * MEETINGS);
  }
  for (const rtmsStreamId of streams) {
    // A task that does not claim within 5 s, on a busy machine, is given the session once more, with one more epoch.
    const moved = async () => (await world.row(rtmsStreamId)).owner === 'runner-1';
    await world.until('a session on the task', moved, 90_000);
  }
  const { catcher } = world.stack;
  // An invocation ends with its last session, and its execution is frozen.
  await world.until('no execution runs', () => catcher?.function.running.length === 0);
  expect(catcher?.function.frozen.length).toBeGreaterThan(0);
  // A frozen process would take in nothing and answer nothing.
  expect(toZoom(catcher?.function.frozen)).toBe(0);
  for (const rtmsStreamId of streams) {
    world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
    const sent = await world.simulator.finished(rtmsStreamId);
    await world.event('session_ended', { rtmsStreamId });
    const expected = sent.sources.reduce((sum, { frames }) => sum + frames, 0);
    const distinct = () =>
      new Set(world.framesOf(rtmsStreamId).map((one) => `${one.userId}/${one.capturedAtMs}`)).size;
    await world.until('all frames read', () => distinct() >= expected);
    expect(world.framesOf(rtmsStreamId)).toHaveLength(expected);
    const { data } = await world.event('session_handed_over', { rtmsStreamId, epoch: 1 });
    expect(data.cause).toBe('caught');
  }
  expect(world.late).toEqual([]);
  expect(world.ledger.report()).toMatchObject({ ok: true, problems: [] });
});
