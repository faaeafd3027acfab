import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { parseMediaRequest, wantedMediaTypes } from '../../rtms/protocol/params.ts';
import { slotsOf } from '../../shared/session-table/slots.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { AUDIO_AND_TEXT, startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 600_000, transcriptEveryMs: 500 });
const MEETINGS = 3;
const ARN = 'arn:aws:ecs:us-east-1:000000000000';
const OLD = 'runner-1';
/** Slots are whole numbers, and these meetings weigh less than one: what fits into a task of one slot. */
const FITTING = Math.floor(1 / slotsOf(wantedMediaTypes(parseMediaRequest(AUDIO_AND_TEXT))));

let agent: Server | undefined;
let world: World | undefined;
afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
  if (agent) await closeServer(agent);
  world = undefined;
  agent = undefined;
}, 60_000);

/** Meetings on one runner of the old revision, and a deployment whose tasks are told `release`. */
async function deployed(release: Readonly<Record<string, string>>) {
  agent = createServer((request, response) => {
    const [, taskId = ''] = request.url?.split('/') ?? [];
    const task = {
      Cluster: `${ARN}:cluster/rtms`,
      TaskARN: `${ARN}:task/rtms/${taskId}`,
      // The same task definition: a forced deployment is one, too.
      Family: 'rtms-runner',
      Revision: '1',
      ServiceName: 'runner',
    };
    response.end(JSON.stringify(task));
  });
  const metadataUrl = `http://127.0.0.1:${await listen(agent, 0)}`;
  const here = await startWorld({
    runners: 1,
    runner: {
      entry: 'test/support/mute-runner.ts',
      environment: (taskId) => ({
        ECS_CONTAINER_METADATA_URI_V4: `${metadataUrl}/${taskId}`,
        RUNNER_TIMES: JSON.stringify({ revisionIntervalMs: 100 }),
        ...(taskId === OLD ? {} : release),
      }),
    },
  });
  world = here;
  const streams = Array.from({ length: MEETINGS }, () => here.play(MEETING));
  for (const rtmsStreamId of streams) await here.flowing(rtmsStreamId, 1);
  here.stack.aws.ecs.deploy();
  await here.stack.fleet.start(1);
  await here.log('revision', { taskId: OLD });
  return { here, streams };
}

/** Ends all streams. @returns audio frames that were sent and not read, over all of them */
async function lostOf(here: World, streams: readonly string[]): Promise<number> {
  let lost = 0;
  for (const rtmsStreamId of streams) {
    here.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
    const { sources } = await here.simulator.finished(rtmsStreamId);
    await here.event('session_ended', { rtmsStreamId }, 30_000);
    const sent = sources.reduce((sum, { frames }) => sum + frames, 0);
    const read = () =>
      new Set(here.framesOf(rtmsStreamId).map((f) => `${f.userId}/${f.capturedAtMs}`)).size;
    await here.until('the last frames', () => read() >= sent, 5_000).catch(() => {});
    lost += sent - read();
  }
  return lost;
}

const owners = async (here: World, streams: readonly string[]) =>
  Promise.all(streams.map(async (id) => (await here.row(id)).owner));

test('a deployment with room for some of the meetings moves those and keeps the others', {
  timeout: 90_000,
}, async () => {
  expect(FITTING).toBe(MEETINGS - 1);
  const { here, streams } = await deployed({ CAPACITY: '1' });
  const moved = async () => {
    return (await owners(here, streams)).filter((owner) => owner === 'runner-2').length;
  };
  await here.until('all that fit have moved', async () => (await moved()) === FITTING, 40_000);
  for (const rtmsStreamId of streams) {
    const owner = (await here.row(rtmsStreamId)).owner;
    if (owner !== OLD) await here.flowing(rtmsStreamId, 2);
  }
  // There is no room for it in the newer revision.
  const later = here.play(MEETING);
  await here.flowing(later, 1);
  expect(await owners(here, [later])).toEqual([OLD]);
  expect(await moved()).toBe(FITTING);
  expect(await lostOf(here, [...streams, later])).toBe(0);
});

test('a release that claims and never connects gives its one session back and gets no other', {
  timeout: 120_000,
}, async () => {
  const { here, streams } = await deployed({ BROKEN: 'mute' });
  const failed = await here.log('hand_over_failed', { taskId: OLD }, 60_000);
  const { rtmsStreamId = '' } = failed;
  await here.flowing(rtmsStreamId, 3);
  expect(await owners(here, streams)).toEqual([OLD, OLD, OLD]);
  const epochs = await Promise.all(streams.map(async (id) => (await here.row(id)).epoch));
  expect(epochs.sort()).toEqual([1, 1, 3]);
  expect(await lostOf(here, streams)).toBe(0);
});

test('a release that crashes again and again takes no meeting down', {
  timeout: 120_000,
}, async () => {
  const { here, streams } = await deployed({ BROKEN: 'crash', CRASH_AFTER_MS: '11000' });
  // The first of its tasks lives long enough to be given sessions, and dies with them or before it claims them.
  await here.log('hand_over_failed', { taskId: OLD }, 60_000);
  for (const rtmsStreamId of streams) {
    const row = await here.until(
      `${rtmsStreamId} is back`,
      async () => {
        const found = await here.row(rtmsStreamId);
        return found.owner === OLD && found;
      },
      40_000,
    );
    await here.flowing(rtmsStreamId, row.epoch ?? 0, 20_000);
  }
  for (const rtmsStreamId of streams) {
    here.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
    await here.event('session_ended', { rtmsStreamId }, 30_000);
  }
});
