import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 600_000, transcriptEveryMs: 500 });
const ARN = 'arn:aws:ecs:us-east-1:000000000000';
const taskArn = (taskId: string) => `${ARN}:task/rtms/${taskId}`;
const OLD = 'runner-1';
const NEW = 'runner-2';

let agent: Server;
let world: World;
beforeAll(async () => {
  agent = createServer((request, response) => {
    const [, taskId = ''] = request.url?.split('/') ?? [];
    const task = {
      Cluster: `${ARN}:cluster/rtms`,
      TaskARN: taskArn(taskId),
      Family: 'rtms-runner',
      Revision: taskId === OLD ? '1' : '2',
      ServiceName: 'runner',
    };
    response.end(JSON.stringify(task));
  });
  const metadataUrl = `http://127.0.0.1:${await listen(agent, 0)}`;
  world = await startWorld({
    runners: 1,
    runner: {
      entry: 'test/support/timed-runner.ts',
      environment: (taskId) => ({
        ECS_CONTAINER_METADATA_URI_V4: `${metadataUrl}/${taskId}`,
        RUNNER_TIMES: JSON.stringify({ revisionIntervalMs: 100 }),
      }),
    },
  });
}, 60_000);
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await closeServer(agent);
}, 60_000);

/** Ends a stream. @returns the audio frames that were sent and not read, and those read twice */
async function endOf(rtmsStreamId: string) {
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  const { sources } = await world.simulator.finished(rtmsStreamId);
  const sent = sources.reduce((sum, { frames }) => sum + frames, 0);
  await world.event('session_ended', { rtmsStreamId });
  await world.until('a complete ledger', () => world.ledger.report().ok);
  const frames = world.framesOf(rtmsStreamId);
  const distinct = new Set(frames.map(({ userId, capturedAtMs }) => `${userId}/${capturedAtMs}`));
  return { lost: sent - distinct.size, twice: frames.length - distinct.size };
}

test('a runner of an old revision gives its sessions to the new one and takes no more', {
  timeout: 90_000,
}, async () => {
  const { ecs } = world.stack.aws;
  const moving = [world.play(MEETING), world.play(MEETING), world.play(MEETING)];
  for (const rtmsStreamId of moving) await world.flowing(rtmsStreamId, 1);
  await world.until('protection', () => ecs.isProtected(taskArn(OLD)));

  // The deployment begins: nobody could take over yet.
  ecs.runningCount = 0;
  ecs.deploy();
  const { described } = ecs;
  await world.until('three looks at the service', () => ecs.described >= described + 3);
  expect(world.logs.filter(({ event }) => event === 'revision')).toEqual([]);

  await world.stack.fleet.start(1);
  ecs.runningCount = 1;
  await world.log('revision', { taskId: OLD });
  for (const rtmsStreamId of moving) {
    await world.event('session_handed_over', { rtmsStreamId, epoch: 1 });
    const claimed = await world.log('claimed', { rtmsStreamId, epoch: 2 });
    expect(claimed).toMatchObject({ taskId: NEW, cause: 'handed_over' });
    await world.flowing(rtmsStreamId, 2);
    const { data } = await world.event('session_handed_over', { rtmsStreamId, epoch: 1 });
    expect(data.cause).toBe('revision');
    expect((await world.row(rtmsStreamId)).owner).toBe(NEW);
  }

  const later = [world.play(MEETING), world.play(MEETING), world.play(MEETING)];
  for (const rtmsStreamId of later) {
    await world.flowing(rtmsStreamId, 1);
    expect((await world.log('claimed', { rtmsStreamId })).taskId).toBe(NEW);
  }
  // The old one lives on until ECS ends it, and does not keep ECS from that.
  expect(world.pid(OLD)).toBeGreaterThan(0);
  await world.until('no protection', () => !ecs.isProtected(taskArn(OLD)));
  expect(ecs.isProtected(taskArn(NEW))).toBe(true);

  for (const rtmsStreamId of [...moving, ...later]) {
    expect(await endOf(rtmsStreamId)).toEqual({ lost: 0, twice: 0 });
  }
  expect(world.late).toEqual([]);
});
