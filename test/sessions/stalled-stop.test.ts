import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticMeeting } from '../../local/simulator/synthetic-meeting.ts';
import { startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ runners: 2 });
}, 60_000);
afterAll(() => world[Symbol.asyncDispose](), 60_000);

test('a second SIGTERM ends a runner that Kinesis keeps, and says what is left', {
  timeout: 60_000,
}, async () => {
  const { streams, kinesis } = world.stack.aws;
  const rtmsStreamId = world.simulator.start(syntheticMeeting({ durationMs: 600_000 })) ?? '';
  await world.flowing(rtmsStreamId, 1);
  const { taskId } = await world.log('claimed', { rtmsStreamId });
  const pid = world.pid(taskId);
  kinesis.faults.set({
    rules: [{ stream: streams.media, operation: 'PutRecords', stall: 'hold' }],
  });
  process.kill(pid, 'SIGTERM');
  await world.log('handing_over', { rtmsStreamId });
  process.kill(pid, 'SIGTERM');
  // The row is free at once for the next runner, whatever becomes of the records.
  await world.log('claimed', { rtmsStreamId, epoch: 2 }, 20_000);
  const last = await world.log('handed_over', { rtmsStreamId, epoch: 1 });
  expect(last['ledger']).toBeDefined();
  await world.until('its end', () => world.stack.fleet.runners.every((one) => one.pid !== pid));

  kinesis.faults.clear();
  await world.flowing(rtmsStreamId, 2);
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  const ended = await world.event('session_ended', { rtmsStreamId }, 30_000);
  expect(ended.epoch).toBe(2);
  // What epoch 1 could not write is in its gaps, its ledger, or its log; epoch 2 owes everything.
  await world.until('a complete epoch 2', () =>
    world.ledger.report().problems.every((text) => !text.includes('epoch 2')),
  );
});
