import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { FaultScript } from '../../local/kinesis/faults.ts';
import type { RunnerTimes } from '../../runner/runner-process.ts';
import type { LedgerRow } from '../../shared/record/event-data.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { startWorld, type World } from '../support/world.ts';

/** A meeting on a runner with its own times, and Kinesis that takes calls of some streams and never answers. */
async function stall(times: Partial<RunnerTimes>, which: readonly ('media' | 'events')[]) {
  const world = await startWorld({
    missing: 'nameless',
    runners: 2,
    runner: {
      entry: 'test/support/timed-runner.ts',
      environment: () => ({ RUNNER_TIMES: JSON.stringify(times) }),
    },
  });
  const rtmsStreamId = world.play(syntheticMeeting({ durationMs: 600_000 }));
  await world.flowing(rtmsStreamId, 1);
  const { taskId } = await world.log('claimed', { rtmsStreamId });
  const { streams, kinesis } = world.stack.aws;
  const rules: FaultScript['rules'] = which.map((name) => {
    return { stream: streams[name], operation: 'PutRecords', stall: 'hold' };
  });
  kinesis.faults.set({ rules });
  // Nobody may be talking just now: only with a call on its way is there something to lose.
  const isHeld = () => (kinesis.faults.state().matched[which.indexOf('media')] ?? 0) > 0;
  await world.until('media that Kinesis holds', isHeld);
  const pid = world.pid(taskId);
  const exited = once(world.stack.fleet, 'exited').then(([runner]) => runner);
  return { world, rtmsStreamId, taskId, pid, exited };
}

/** Kinesis returns; the meeting ends in the second epoch, which owes everything. */
async function endOf(world: World, rtmsStreamId: string): Promise<void> {
  world.stack.aws.kinesis.faults.clear();
  await world.flowing(rtmsStreamId, 2, 30_000);
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  const ended = await world.event('session_ended', { rtmsStreamId }, 30_000);
  expect(ended.epoch).toBe(2);
  await world.until('a complete epoch 2', () =>
    world.ledger.report().problems.every((text) => !text.includes('epoch 2')),
  );
}

/** Audio is missing between the epochs, from every source that a consumer has seen in both. */
function expectGaps(world: World, rtmsStreamId: string, cause: string): void {
  const { holes } = world.ledger.report();
  expect(holes.length).toBeGreaterThan(0);
  for (const gap of holes) {
    expect(gap).toMatchObject({
      rtmsStreamId,
      mediaType: 'audio',
      fromEpoch: 1,
      toEpoch: 2,
      cause,
    });
  }
}

/** What all media of an epoch's ledger lost. */
const lostOf = (ledger: readonly LedgerRow[]) =>
  ledger.reduce((sum, row) => (row.mediaType === 'audio' ? sum + row.lost : sum), 0);

test('at the flush deadline a runner reports what is left as lost and ends by itself', {
  timeout: 60_000,
}, async () => {
  const { world, rtmsStreamId, pid, exited } = await stall({ flushMs: 1_000 }, ['media']);
  await using _ = world;
  process.kill(pid, 'SIGTERM');
  const { data } = await world.event('session_handed_over', { rtmsStreamId, epoch: 1 });
  for (const { received, written, lost } of data.ledger) expect(received).toBe(written + lost);
  expect(lostOf(data.ledger)).toBeGreaterThan(0);
  const told = world
    .eventsOf(rtmsStreamId)
    .flatMap((event) => (event.name === 'gap' ? [event.data] : []));
  expect(told.every(({ cause }) => cause === 'write_failed')).toBe(true);
  expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(lostOf(data.ledger));
  expect(await world.log('claimed', { rtmsStreamId, epoch: 2 })).toMatchObject({
    cause: 'handed_over',
  });
  expect(await exited).toMatchObject({ pid, code: 0 });
  await endOf(world, rtmsStreamId);
  await world.until('a complete ledger', () => world.ledger.report().ok);
});

test('a second SIGTERM ends the waiting, and what no stream takes is in the log', {
  timeout: 60_000,
}, async () => {
  const { world, rtmsStreamId, taskId, pid, exited } = await stall({}, ['media', 'events']);
  await using _ = world;
  process.kill(pid, 'SIGTERM');
  await world.log('handing_over', { rtmsStreamId });
  process.kill(pid, 'SIGTERM');
  // Neither stream takes the report: the log has it, and the row is free for the next runner.
  const last = await world.log('handed_over', { taskId, rtmsStreamId });
  const ledger = last['ledger'] as LedgerRow[];
  for (const { mediaType, received, written, lost } of ledger) {
    if (mediaType === 'audio') expect(received).toBe(written + lost);
  }
  expect(lostOf(ledger)).toBeGreaterThan(0);
  const claimed = await world.log('claimed', { rtmsStreamId, epoch: 2 });
  expect(claimed).toMatchObject({ cause: 'handed_over' });
  expect(await exited).toMatchObject({ pid, code: 0 });
  await endOf(world, rtmsStreamId);
  // In the streams it shows as a change of owners without a last word of the first.
  expectGaps(world, rtmsStreamId, 'handed_over');
});

test('a runner that cannot even report its losses ends all the same', {
  timeout: 90_000,
}, async () => {
  const times = { flushMs: 200, exitMs: 2_000 };
  const { world, rtmsStreamId, pid, exited } = await stall(times, ['media', 'events']);
  await using _ = world;
  process.kill(pid, 'SIGTERM');
  expect(await exited).toMatchObject({ pid, code: 1 });
  const claimed = await world.log('claimed', { rtmsStreamId, epoch: 2 }, 30_000);
  expect(claimed).toMatchObject({ cause: 'owner_lost' });
  await endOf(world, rtmsStreamId);
  expectGaps(world, rtmsStreamId, 'owner_lost');
});
