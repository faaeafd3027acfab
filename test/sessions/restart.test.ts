import { afterAll, beforeAll, expect, test } from 'vitest';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import { EXAMPLE_API } from '../../simulator/api/api-server.ts';
import type { ScenarioInput } from '../../simulator/scenario/scenario.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { CREDENTIALS, startWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  const { accountId, clientId, clientSecret } = EXAMPLE_API;
  const api = { accountId, clientId, clientSecret };
  world = await startWorld({ runners: 2, credentials: { ...CREDENTIALS, api } });
}, 60_000);
afterAll(() => world[Symbol.asyncDispose](), 60_000);

const SCENARIO = syntheticMeeting({
  participants: 1,
  durationMs: 600_000,
  transcriptEveryMs: 1_000,
});

/** Starts a meeting and waits until it is recorded. */
async function recorded(fields: Partial<ScenarioInput> = {}): Promise<string> {
  const id = world.simulator.start({ ...SCENARIO, ...fields }) as string;
  // The long poll of the killed runner may have taken the job with it. The row shows it to the others after 15 s.
  await world.event('session_started', { rtmsStreamId: id }, 30_000);
  return id;
}

const meetingOf = (id: string) =>
  world.simulator.streams().find(({ rtmsStreamId }) => rtmsStreamId === id)?.entityId ?? '';
const requestsOf = (entityId: string) =>
  world.simulator.api.requests.filter((request) => request.entityId === entityId);
/** The stream that continues another, once it is recorded. */
const continuing = (id: string, timeoutMs?: number) =>
  world.until(
    `continuation of ${id}`,
    () =>
      world.events.find(
        (event) => event.name === 'session_started' && event.data.continues?.rtmsStreamId === id,
      ),
    timeoutMs,
  );

test('a stream that Zoom ends for a technical reason goes on as another one', {
  timeout: 180_000,
}, async () => {
  const id = await recorded({ entityId: '/a//b==' });
  world.simulator.act(id, { do: 'stop', reason: STOP_REASON.SIGNAL_CONNECTION_INTERRUPTED });
  const ended = await world.event('session_ended', { rtmsStreamId: id });
  expect(ended.data).toMatchObject({ restartable: true, restart: 'wanted' });
  const next = await continuing(id);
  expect(next.rtmsStreamId).not.toBe(id);
  expect(requestsOf('/a//b==')).toMatchObject([{ action: 'start', status: 204 }]);
  const [request] = requestsOf('/a//b==');
  expect((request?.atMs ?? 0) - ended.time.getTime()).toBeLessThan(50_000);
  expect(await world.event('session_restart', { rtmsStreamId: id })).toMatchObject({
    epoch: ended.epoch + 1,
    data: { outcome: 'requested', attempt: 1 },
  });
  await world.until('the row of the ended stream at rest', async () => {
    const row = await world.row(id);
    return row.owner === undefined && row.restart?.outcome === 'resumed';
  });
  world.simulator.act(next.rtmsStreamId, { do: 'stop', reason: STOP_REASON.MEETING_ENDED });
  const last = await world.event('session_ended', { rtmsStreamId: next.rtmsStreamId });
  expect(last.data).not.toHaveProperty('restart');
});

test('one whose runner is killed at its end is asked for once', { timeout: 150_000 }, async () => {
  const id = await recorded();
  const { owner = '' } = await world.row(id);
  world.simulator.act(id, { do: 'stop', reason: STOP_REASON.INTERNAL_EXCEPTION });
  process.kill(world.pid(owner), 'SIGKILL');
  const next = await continuing(id, 90_000);
  expect(requestsOf(meetingOf(id)).filter(({ status }) => status === 204)).toHaveLength(1);
  world.simulator.act(next.rtmsStreamId, { do: 'stop', reason: STOP_REASON.MEETING_ENDED });
});

test.each([
  ['the host', STOP_REASON.HOST_TRIGGERED],
  ['our own API call', STOP_REASON.MANUAL_API_TRIGGERED],
  ['a revocation', STOP_REASON.STREAM_REVOKED],
])('one that was stopped by %s is not asked for', { timeout: 180_000 }, async (_what, reason) => {
  const id = await recorded();
  world.simulator.act(id, { do: 'stop', reason });
  await world.event('session_ended', { rtmsStreamId: id });
  await world.until('the end in the row', async () => (await world.row(id)).endedReason === reason);
  const row = await world.row(id);
  expect(row.owner).toBeUndefined();
  expect(row.restart).toBeUndefined();
  expect(requestsOf(meetingOf(id))).toEqual([]);
});

test('one that Zoom refuses is named with its reason', { timeout: 180_000 }, async () => {
  const answers = [{ status: 400, code: 2308, message: 'Not allowed to start RTMS app.' }];
  const id = await recorded({ api: { answers } });
  world.simulator.act(id, { do: 'stop', reason: STOP_REASON.KEEP_ALIVE_TIMEOUT });
  expect((await world.event('session_restart', { rtmsStreamId: id })).data).toMatchObject({
    outcome: 'refused',
    reason: 'not_allowed',
    code: 2308,
  });
});

test('nothing that was logged or recorded holds a secret of the API', () => {
  const told = JSON.stringify([world.logs, world.events]);
  expect(told).not.toContain(EXAMPLE_API.clientSecret);
  expect(told).not.toMatch(/Bearer|Basic /);
  expect(world.bad).toEqual([]);
});
