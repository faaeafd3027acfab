import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 600_000, transcriptEveryMs: 500 });

let world: World;
beforeAll(async () => {
  world = await startWorld({ runners: 2 });
}, 60_000);
afterAll(() => world[Symbol.asyncDispose](), 60_000);

/** Waits for the end of a stream and says what of its audio was sent and not read, and read twice. */
async function endOf(rtmsStreamId: string) {
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  const sent = await world.simulator.finished(rtmsStreamId);
  const ended = await world.event('session_ended', { rtmsStreamId });
  const received = ended.data.ledger.filter(({ mediaType }) => mediaType === 'audio');
  const expected = received.reduce((sum, { written }) => sum + written, 0);
  await world.until('all frames read', () => {
    return world.framesOf(rtmsStreamId, ended.epoch).length >= expected;
  });
  const frames = world.framesOf(rtmsStreamId);
  const distinct = new Set(frames.map(({ userId, capturedAtMs }) => `${userId}/${capturedAtMs}`));
  const sentFrames = sent.sources.reduce((sum, { frames: count }) => sum + count, 0);
  return { ended, lost: sentFrames - distinct.size, twice: frames.length - distinct.size };
}

test('hands over on SIGTERM without losing a frame', { timeout: 180_000 }, async () => {
  const rtmsStreamId = world.play(MEETING);
  await world.flowing(rtmsStreamId, 1);
  const { taskId } = await world.log('claimed', { rtmsStreamId });
  process.kill(world.pid(taskId), 'SIGTERM');
  await world.flowing(rtmsStreamId, 2);
  const { lost, twice, ended } = await endOf(rtmsStreamId);
  expect({ lost, twice, late: world.late.length }).toEqual({ lost: 0, twice: 0, late: 0 });
  const names = (epoch: number) =>
    world.eventsOf(rtmsStreamId).flatMap((event) => (event.epoch === epoch ? [event.name] : []));
  expect(names(1).at(-1)).toBe('session_handed_over');
  expect(names(2)[0]).toBe('session_taken_over');
  expect(ended.epoch).toBe(2);
  expect(world.ledger.report()).toMatchObject({ ok: true, problems: [] });
  await world.log('drained', { taskId });
});
