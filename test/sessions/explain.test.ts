import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXAMPLE_API } from '../../simulator/api/api-server.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { rtmsCommand } from '../support/rtms-command.ts';
import { CREDENTIALS, startWorld, type World } from '../support/world.ts';

/** Lasts longer than a busy machine needs for a test: Zoom refuses to pause a meeting that has ended. */
const MEETING = syntheticMeeting({ durationMs: 600_000, transcriptEveryMs: 500 });

let world: World;
let folder: string;
let environment: Record<string, string>;
let rtms: Awaited<ReturnType<typeof rtmsCommand>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtms-explain-'));
  const { accountId, clientId, clientSecret } = EXAMPLE_API;
  const api = { accountId, clientId, clientSecret };
  world = await startWorld({
    runners: 2,
    missing: 'nameless',
    credentials: { ...CREDENTIALS, api },
  });
  const { apiUrl, oauthUrl } = world.simulator;
  environment = { ZM_RTMS_API_URL: apiUrl, ZM_RTMS_OAUTH_URL: oauthUrl };
  rtms = await rtmsCommand(world.stack, folder, environment);
}, 60_000);
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** What stands under a heading of the page. */
function sectionOf(page: string, heading: string): string {
  return page.split(/^(?=What )/m).find((part) => part.startsWith(heading)) ?? '';
}

test('a meeting that was handed over, whose runner was killed and that Zoom ended once is told on one page', {
  timeout: 120_000,
}, async () => {
  const entityId = '/ab+c//d==';
  const id = world.play({ ...MEETING, entityId });
  await world.flowing(id, 1);
  const { taskId: first } = await world.log('claimed', { rtmsStreamId: id, epoch: 1 });
  await world.request(id, 'handover');
  await world.flowing(id, 2, 25_000);
  const { taskId: second } = await world.log('claimed', { rtmsStreamId: id, epoch: 2 });
  process.kill(world.pid(second), 'SIGKILL');
  await world.flowing(id, 3, 30_000);
  world.simulator.act(id, { do: 'stop', reason: 13 });
  await world.event('session_ended', { rtmsStreamId: id });
  const next = await world.until('the stream that continues it', () =>
    world.events.find(
      (event) => event.name === 'session_started' && event.data.continues?.rtmsStreamId === id,
    ),
  );
  world.simulator.act(next.rtmsStreamId, { do: 'stop', reason: 6 });
  await world.event('session_ended', { rtmsStreamId: next.rtmsStreamId });

  // By its UUID, and by the id of either stream: the same page.
  const [told, again, json] = await Promise.all([
    rtms('explain', entityId),
    rtms('explain', next.rtmsStreamId),
    rtms('explain', entityId, '--json'),
  ]);
  expect(told.code, told.stderr).toBe(1);
  expect(again.stdout).toBe(told.stdout);
  const page = told.stdout;
  expect(page.split('\n').length).toBeLessThan(45);
  expect(page).toContain(entityId);
  expect(page).toMatch(/^Recorded in part, in 2 streams: .*\.$/m);
  const steps = sectionOf(page, 'What happened');
  const order = [
    `Zoom asked for stream ${id}`,
    `${first} claimed it after`,
    'an operator moved it to another runner',
    `${second} claimed it, and media flowed`,
    'its runner was lost, last seen at',
    'Zoom ended the stream: SIGNAL_CONNECTION_INTERRUPTED, for a technical reason; it is asked for again',
    `Zoom asked for stream ${next.rtmsStreamId}`,
    `it continues ${id}`,
    'Zoom ended the stream: MEETING_ENDED',
  ].map((text) => steps.indexOf(text));
  // The webhook of the new stream may be faster than the answer.
  expect(steps).toContain('asked Zoom for the stream again, and Zoom agreed, request 1');
  expect(order).not.toContain(-1);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(sectionOf(page, 'What was recorded')).toMatch(/audio +\d+\.\d min +\w+/);
  const missing = sectionOf(page, 'What is missing');
  expect(missing).toMatch(/chat, transcript may lack lines .*: it changed its runner/);
  expect(missing).toMatch(/chat, transcript may lack lines .*: its runner was lost/);
  expect(missing).toMatch(/audio may lack .*: Zoom had ended it and it was started again/);
  expect(sectionOf(page, 'What to do')).toContain('Find out why the runner was lost');

  expect(JSON.parse(json.stdout)).toMatchObject({
    entityId,
    verdict: 'incomplete',
    streams: [
      { rtmsStreamId: id, state: 'ended' },
      { rtmsStreamId: next.rtmsStreamId, continues: id },
    ],
  });
});

test.concurrent('Zoom is asked to start, pause, resume and stop a stream, by number or UUID', {
  timeout: 180_000,
}, async () => {
  const entityId = world.simulator.openMeeting({ ...MEETING, entityId: '/x/y//z==' });
  const started = await rtms('start', entityId);
  expect(started).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Zoom starts/),
    stderr: '',
  });
  const id = await world.until('its stream', () => {
    const found = world.simulator.streams().find((stream) => stream.entityId === entityId);
    return found?.rtmsStreamId;
  });
  await world.flowing(id, 1);
  for (const [command, event] of [
    ['pause', 'session_paused'],
    ['resume', 'session_resumed'],
  ] as const) {
    expect(await rtms(command, entityId)).toMatchObject({ code: 0, stderr: '' });
    await world.event(event, { rtmsStreamId: id });
  }
  expect(await rtms('stop', id, '--api')).toMatchObject({ code: 0, stderr: '' });
  const ended = await world.event('session_ended', { rtmsStreamId: id });
  expect(ended.data).toMatchObject({ restartable: false });
  const asked = world.simulator.api.requests.filter((each) => each.entityId === entityId);
  expect(asked.map(({ action }) => action)).toEqual(['start', 'pause', 'resume', 'stop']);
});

test.concurrent.each([
  [
    'a meeting that nobody holds',
    {},
    'nobody-holds-it',
    /Zoom knows no such meeting|meeting has ended/,
  ],
  ['a wrong secret', { ZM_RTMS_API_SECRET: 'wrong-one' }, 'm', /does not take the API credentials/],
])('%s is named', async (_what, fields, meeting, says) => {
  const { accountId, clientId } = EXAMPLE_API;
  const variables = { ZM_RTMS_API_ACCOUNT: accountId, ZM_RTMS_API_CLIENT: clientId };
  const own = 'ZM_RTMS_API_SECRET' in fields ? { ...variables, ...fields } : {};
  // A command that runs meanwhile reads what was written into the other folder.
  const home = await mkdtemp(join(folder, 'home-'));
  const command = await rtmsCommand(world.stack, home, { ...environment, ...own });
  const { code, stderr, stdout } = await command('start', meeting);
  expect(code).toBe(1);
  expect(stderr).toMatch(says);
  expect(stderr + stdout).not.toContain('wrong-one');
});
