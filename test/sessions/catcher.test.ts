import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 600_000, transcriptEveryMs: 500 });
const MEETINGS = 4;

let world: World;
beforeAll(async () => {
  world = await startWorld({ runners: 0, catcher: { taskStartMs: 1_000 } });
}, 60_000);
afterAll(() => world[Symbol.asyncDispose](), 60_000);

test('meetings without a runner are caught, then moved to the first task without losing a frame', {
  timeout: 60_000,
}, async () => {
  const startedAtMs = Date.now();
  const streams = Array.from({ length: MEETINGS }, () => world.simulator.start(MEETING) ?? '');
  for (const rtmsStreamId of streams) {
    const frame = await world.flowing(rtmsStreamId, 1, 20_000);
    expect(frame.readAtMs - startedAtMs).toBeLessThan(8_000);
    const { owner = '' } = await world.row(rtmsStreamId);
    expect(owner).toMatch(/^catcher-/);
  }
  for (const rtmsStreamId of streams) {
    await world.flowing(rtmsStreamId, 2, 40_000);
    expect(await world.row(rtmsStreamId)).toMatchObject({ owner: 'runner-1', epoch: 2 });
  }
  const { catcher } = world.stack;
  // An invocation ends with its last session, and its execution is frozen.
  await world.until('no execution runs', () => catcher?.function.running.length === 0);
  for (const rtmsStreamId of streams) {
    world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
    const sent = await world.simulator.finished(rtmsStreamId);
    await world.event('session_ended', { rtmsStreamId, epoch: 2 });
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
