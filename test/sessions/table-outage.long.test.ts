import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { FaultProxy } from '../../local/aws/fault-proxy.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 600_000, transcriptEveryMs: 500 });
/** Longer than the heartbeat's expiry: with a table that some can reach, others would have claimed by then. */
const OUTAGE_MS = 13_000;

let world: World | undefined;
let ownTable: FaultProxy | undefined;
afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
  await ownTable?.close();
  world = undefined;
  ownTable = undefined;
}, 60_000);

/** Ends a stream. @returns the audio frames that were sent and not read */
async function lostOf(here: World, rtmsStreamId: string): Promise<number> {
  here.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  const { sources } = await here.simulator.finished(rtmsStreamId);
  await here.event('session_ended', { rtmsStreamId }, 30_000);
  await here.until('a complete ledger', () => here.ledger.report().ok);
  const sent = sources.reduce((sum, { frames }) => sum + frames, 0);
  const read = here.framesOf(rtmsStreamId);
  return sent - new Set(read.map(({ userId, capturedAtMs }) => `${userId}/${capturedAtMs}`)).size;
}

test.each(['refuse', 'stall'] as const)(
  'sessions outlive a table that is away for everybody and lose no audio (%s)',
  { timeout: 90_000 },
  async (mode) => {
    world = await startWorld({ runners: 2 });
    const here = world;
    const streams = [here.play(MEETING), here.play(MEETING)];
    const owners = new Set<string>();
    for (const rtmsStreamId of streams) {
      await here.flowing(rtmsStreamId, 1);
      owners.add((await here.log('claimed', { rtmsStreamId })).taskId);
    }

    const { dynamodb } = here.stack.aws.faults;
    dynamodb.mode = mode;
    const outage = sleep(OUTAGE_MS);
    for (const taskId of owners) await here.log('fenced', { taskId }, 20_000);
    const fencedAtMs = Date.now();
    await outage;
    const newest = () =>
      Math.max(...streams.flatMap((id) => here.framesOf(id).map((f) => f.readAtMs)));
    expect(newest()).toBeLessThan(fencedAtMs + 3_000);
    dynamodb.mode = 'pass';

    for (const rtmsStreamId of streams)
      await here.log('proved', { rtmsStreamId, epoch: 1 }, 20_000);
    for (const rtmsStreamId of streams) {
      expect(await lostOf(here, rtmsStreamId)).toBe(0);
      expect(here.framesOf(rtmsStreamId).every(({ epoch }) => epoch === 1)).toBe(true);
    }
    expect(here.logs.filter(({ event }) => event === 'dropped')).toEqual([]);
    expect(here.late).toEqual([]);
  },
);

test('a runner that alone cannot reach the table gives way to the one that can', {
  timeout: 90_000,
}, async () => {
  world = await startWorld({
    runners: 1,
    behaviour: { duplicateSignaling: 'kick' },
    runner: {
      entry: 'runner/main.ts',
      environment: () => (ownTable ? { AWS_ENDPOINT_URL_DYNAMODB: ownTable.url } : {}),
    },
  });
  const here = world;
  ownTable = await FaultProxy.start(0, here.stack.aws.faults.dynamodb.port);
  await here.stack.fleet.start(1);
  const cutOff = 'runner-2';
  const owned: string[] = [];
  while (owned.length === 0) {
    const rtmsStreamId = here.play(MEETING);
    await here.flowing(rtmsStreamId, 1);
    const { taskId } = await here.log('claimed', { rtmsStreamId });
    if (taskId === cutOff) owned.push(rtmsStreamId);
  }
  const [rtmsStreamId = ''] = owned;

  ownTable.mode = 'refuse';
  await here.log('fenced', { taskId: cutOff }, 15_000);
  await here.flowing(rtmsStreamId, 2, 25_000);
  await here.log('dropped', { taskId: cutOff, rtmsStreamId });
  ownTable.mode = 'pass';
  // The one that was thrown out stays out: it does not dial again, nor claim again.
  await here.until('heartbeats again', async () => {
    const seen = here.framesOf(rtmsStreamId, 2).length;
    return seen > 100;
  });
  expect((await here.row(rtmsStreamId)).epoch).toBe(2);
  expect(here.late).toEqual([]);
});
