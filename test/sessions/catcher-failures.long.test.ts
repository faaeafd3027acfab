import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, expect, test } from 'vitest';
import type { LocalCatcherOptions } from '../../local/lambda/local-catcher.ts';
import { encodeSessionJob } from '../../shared/session-job.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { EVERYTHING, startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 600_000, transcriptEveryMs: 500 });
const NO_TASK: LocalCatcherOptions = { taskStartMs: 600_000 };

let world: World;
afterEach(() => world[Symbol.asyncDispose](), 120_000);

const running = () => world.stack.catcher?.function.running ?? [];

/** Asks the queue of the local stack itself. */
function sqsOf({ stack: { aws } }: World): SQSClient {
  return new SQSClient({
    region: aws.region,
    credentials: aws.credentials,
    endpoint: aws.endpoints.sqs,
    useQueueUrlAsEndpoint: false,
  });
}

/** Sends the catcher's message for a stream again, as SQS may. */
async function sendAgain(rtmsStreamId: string, times: number): Promise<void> {
  const client = sqsOf(world);
  const input = {
    QueueUrl: world.stack.aws.catcherQueueUrl,
    MessageBody: encodeSessionJob(rtmsStreamId),
  };
  await Promise.all(
    Array.from({ length: times }, () => client.send(new SendMessageCommand(input))),
  );
  client.destroy();
}

/** How many messages of the catcher's queue are not visible yet. */
async function delayed(client: SQSClient): Promise<number> {
  const command = new GetQueueAttributesCommand({
    QueueUrl: world.stack.aws.catcherQueueUrl,
    AttributeNames: ['ApproximateNumberOfMessagesDelayed'],
  });
  const { Attributes } = await client.send(command);
  return Number(Attributes?.['ApproximateNumberOfMessagesDelayed']);
}

test('a start whose execution is killed before it has claimed is caught by the next one', {
  timeout: 120_000,
}, async () => {
  world = await startWorld({ runners: 0, catcher: NO_TASK });
  const rtmsStreamId = world.simulator.start(MEETING) ?? '';
  await world.log('meeting.rtms_started', { rtmsStreamId });
  // The execution reads the secret before it claims.
  const { secretsManager } = world.stack.aws.faults;
  secretsManager.mode = 'stall';
  await world.until('an execution', () => running().length > 0, 30_000);
  const client = sqsOf(world);
  await world.until('a message in case it is killed', async () => (await delayed(client)) > 0);
  client.destroy();
  for (const pid of running()) process.kill(pid, 'SIGKILL');
  secretsManager.mode = 'pass';
  // The message of the killed invocation itself stays invisible for 16 minutes.
  await world.flowing(rtmsStreamId, 1, 60_000);
});

test('an execution that is killed where no task runs is taken over by another one', {
  timeout: 120_000,
}, async () => {
  world = await startWorld({ runners: 0, catcher: NO_TASK });
  const streams = Array.from({ length: 3 }, () => world.simulator.start(MEETING) ?? '');
  for (const rtmsStreamId of streams) await world.flowing(rtmsStreamId, 1, 20_000);
  const atMs = Date.now();
  for (const pid of running()) process.kill(pid, 'SIGKILL');
  for (const rtmsStreamId of streams) {
    const frame = await world.flowing(rtmsStreamId, 2, 60_000);
    process.stderr.write(`taken over after ${frame.readAtMs - atMs} ms\n`);
    expect(frame.readAtMs - atMs).toBeLessThan(15_000);
    const { owner } = await world.row(rtmsStreamId);
    expect(owner).toMatch(/^catcher-/);
  }
  for (const id of streams) world.simulator.act(id, { do: 'stop', reason: 6 });
  for (const rtmsStreamId of streams) await world.event('session_ended', { rtmsStreamId });
  const { holes } = await world.until('a complete ledger', () => {
    const report = world.ledger.report();
    return report.ok && report;
  });
  // Zoom keeps the audio of the time without an owner: only what the killed process held is missing.
  for (const { fromMs, toMs } of holes) expect(toMs - fromMs).toBeLessThanOrEqual(520);
});

test('an execution whose time is nearly over hands its sessions to the next one, without losing a frame', {
  timeout: 180_000,
}, async () => {
  // Leaves 120 s before its end, so after 10 s.
  world = await startWorld({ runners: 0, catcher: { ...NO_TASK, timeoutMs: 130_000 } });
  const rtmsStreamId = world.simulator.start(MEETING) ?? '';
  await world.flowing(rtmsStreamId, 1, 20_000);
  await world.flowing(rtmsStreamId, 2, 60_000);
  await world.flowing(rtmsStreamId, 3, 60_000);
  const { data } = await world.event('session_handed_over', { rtmsStreamId, epoch: 1 });
  expect(data.cause).toBe('shutdown');
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  const sent = await world.simulator.finished(rtmsStreamId);
  await world.event('session_ended', { rtmsStreamId }, 30_000);
  const expected = sent.sources.reduce((sum, { frames }) => sum + frames, 0);
  await world.until('all frames read', () => world.framesOf(rtmsStreamId).length >= expected);
  expect(world.framesOf(rtmsStreamId)).toHaveLength(expected);
  expect(world.ledger.report()).toMatchObject({ ok: true, problems: [] });
});

test('messages that come again beside a running execution claim nothing, and start no second session', {
  timeout: 120_000,
}, async () => {
  world = await startWorld({ runners: 0, catcher: NO_TASK });
  const rtmsStreamId = world.simulator.start(MEETING) ?? '';
  // Beside the webhook's own message: several executions look at one start.
  await sendAgain(rtmsStreamId, 20);
  await world.flowing(rtmsStreamId, 1, 20_000);
  await sendAgain(rtmsStreamId, 20);
  await world.until('one execution is left', () => running().length === 1, 30_000);
  expect(await world.row(rtmsStreamId)).toMatchObject({ epoch: 1 });
  expect(world.logs.filter(({ event }) => event === 'claimed')).toHaveLength(1);
});

test('without concurrency a start waits for a task', { timeout: 120_000 }, async () => {
  world = await startWorld({ runners: 0, catcher: { taskStartMs: 5_000, concurrency: 0 } });
  const rtmsStreamId = world.simulator.start(MEETING) ?? '';
  await world.flowing(rtmsStreamId, 1, 60_000);
  expect(await world.row(rtmsStreamId)).toMatchObject({ owner: 'runner-1', epoch: 1 });
  expect(world.stack.catcher?.throttles).toBeGreaterThan(0);
});

test('a session stays in the catcher while Kinesis is slow, moves afterwards, and loses nothing', {
  timeout: 120_000,
}, async () => {
  world = await startWorld({ runners: 0, catcher: { taskStartMs: 15_000 } });
  const rtmsStreamId = world.simulator.start(MEETING) ?? '';
  await world.flowing(rtmsStreamId, 1, 20_000);
  world.stack.aws.kinesis.faults.set({ rules: [{ operation: 'PutRecords', latencyMs: 2_000 }] });
  await world.log('runner_ready', {}, 60_000);
  // Slower than the transcript comes: the backlog grows, and a session that moved now would wait for it, unconnected.
  const steady = () =>
    Date.now() - (world.logs.find(({ event }) => event === 'runner_ready')?.atMs ?? 0) > 15_000;
  await world.until('a task that sessions may move to', steady, 30_000);
  expect(await world.row(rtmsStreamId)).toMatchObject({ epoch: 1 });
  world.stack.aws.kinesis.faults.clear();
  await world.flowing(rtmsStreamId, 2, 90_000);
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  const sent = await world.simulator.finished(rtmsStreamId);
  await world.event('session_ended', { rtmsStreamId, epoch: 2 }, 30_000);
  const expected = sent.sources.reduce((sum, { frames }) => sum + frames, 0);
  const distinct = () =>
    new Set(world.framesOf(rtmsStreamId).map((one) => `${one.userId}/${one.capturedAtMs}`)).size;
  await world.until('all frames read', () => distinct() >= expected, 30_000);
  expect(world.ledger.report()).toMatchObject({ ok: true, problems: [] });
});

test('what /tmp may not hold while Kinesis takes nothing is named, and the bound is kept', {
  timeout: 180_000,
}, async () => {
  const boundMib = 3;
  const spoolBytes = boundMib * 1024 ** 2;
  world = await startWorld({
    runners: 0,
    media: EVERYTHING,
    catcher: { ...NO_TASK, spoolBytes },
  });
  const cameras = syntheticMeeting({ participants: 1, durationMs: 600_000, video: true });
  const rtmsStreamId = world.simulator.start(cameras) ?? '';
  await world.flowing(rtmsStreamId, 1, 20_000);
  world.stack.aws.kinesis.faults.set({ rules: [{ operation: 'PutRecords', stall: 'refuse' }] });
  const { catcher } = world.stack;
  const writtenMib = () => catcher?.function.tmpMib ?? 0;
  await world.until('a spool in use', () => writtenMib() > boundMib / 2, 90_000);
  // Twice what fits comes in this time: 175 KB/s of one camera.
  const fullSinceMs = Date.now();
  let mostMib = 0;
  const isOver = () => {
    mostMib = Math.max(mostMib, writtenMib());
    return Date.now() - fullSinceMs > 30_000;
  };
  await world.until('a full spool', isOver, 60_000);
  expect(mostMib).toBeLessThanOrEqual(boundMib);
  world.stack.aws.kinesis.faults.clear();
  const isNamed = () =>
    world
      .eventsOf(rtmsStreamId)
      .some((one) => one.name === 'gap' && one.data.cause === 'spool_full');
  await world.until('a gap that names the full spool', isNamed, 60_000);
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  await world.event('session_ended', { rtmsStreamId }, 60_000);
  await world.until('a complete ledger', () => world.ledger.report().ok, 60_000);
});
