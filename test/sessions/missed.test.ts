import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import { deliverAsZoom } from '../support/front-door.ts';
import { EVERYTHING, startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 600_000 });

let world: World;
/** Fills the only runner. */
let flowing: string;
/** With a second runner, for what happens when one is killed. */
let pair: World;
beforeAll(async () => {
  const runner = { entry: 'runner/main.ts', environment: () => ({ CAPACITY: '1' }) };
  [world, pair] = await Promise.all([
    startWorld({ runners: 1, missing: 'nameless', media: EVERYTHING, runner }),
    startWorld({ runners: 2, missing: 'nameless' }),
  ]);
}, 60_000);
afterAll(() => Promise.all([world, pair].map((each) => each[Symbol.asyncDispose]())), 60_000);

/** Posts a webhook of an event that happened at `atMs`. */
function post(
  event: string,
  payload: object,
  atMs = Date.now(),
  url = world.stack.webhookUrl,
): Promise<number> {
  return deliverAsZoom(url, EXAMPLE_APP.webhookSecretToken, event, payload, atMs);
}

/** Where the simulator listens, without a stream of its own under this id: it refuses the handshake. */
async function startUnknown(atMs = Date.now(), server_urls?: string) {
  const id = randomUUID();
  const [address = ''] = (await world.row(flowing)).serverUrls ?? [];
  const urls = server_urls ?? address;
  const payload = { meeting_uuid: `m-${id}`, rtms_stream_id: id, server_urls: urls };
  return { id, status: await post('meeting.rtms_started', payload, atMs) };
}

const namesOf = (id: string) => world.eventsOf(id).map(({ name }) => name);

async function expectMissed(id: string, reason: string, fields: object = {}) {
  const { data } = await world.event('session_missed', { rtmsStreamId: id });
  expect(data).toMatchObject({ reason, ...fields });
  await world.until('the row at rest', async () => {
    const { owner, missed, untold } = await world.row(id);
    return owner === undefined && untold === undefined && missed?.reason === reason;
  });
  expect(namesOf(id).filter((name) => name.startsWith('session_'))).toEqual(['session_missed']);
}

/** No runner has room, until Zoom stops the stream. */
async function crowdedOut(): Promise<string> {
  const crowded = world.play(MEETING);
  const waiting = await world.until('a row that waits', async () => {
    const row = await world.row(crowded);
    return row?.owner === 'UNOWNED' && row;
  });
  const stopped = { rtms_stream_id: crowded, meeting_uuid: waiting.entityId, stop_reason: 6 };
  const later = (waiting.startEventTsMs ?? 0) + 30_000;
  expect(await post('meeting.rtms_stopped', stopped, later)).toBe(200);
  await expectMissed(crowded, 'no_room', { stopReason: 6, stopReasonName: 'MEETING_ENDED' });
  return crowded;
}

/** An address off the allow-list: Zoom is told, and so are the records. */
async function refusedAddress(): Promise<string> {
  const { id, status } = await startUnknown(Date.now(), 'wss://evil.example');
  expect(status).toBe(400);
  await expectMissed(id, 'address_refused');
  return id;
}

/** Zoom could not start the stream at all. */
async function failedToStart(): Promise<string> {
  const failed = { meeting_uuid: 'never-started', operator_id: 'o', reason: 10 };
  expect(await post('rtms.start_failed', failed)).toBe(200);
  const notice = await world.until('the notice', () =>
    world.events.find(({ name }) => name === 'start_failed'),
  );
  expect(notice).toMatchObject({ entityId: 'never-started', data: { numbers: { reason: 10 } } });
  const byNotice = await world.event('session_missed', { rtmsStreamId: notice.rtmsStreamId });
  expect(byNotice.data).toMatchObject({ reason: 'start_failed', entityId: 'never-started' });
  return notice.rtmsStreamId;
}

async function tellsTheStatus(): Promise<void> {
  expect(await post('rtms.request_status', { meeting_uuid: 'asked', status: 'pending' })).toBe(200);
  await world.until('the status', () =>
    world.events.some(({ name, entityId }) => name === 'request_status' && entityId === 'asked'),
  );
}

test.concurrent('every stream that is not recorded says why, once', {
  timeout: 180_000,
}, async () => {
  const filler = world.play(MEETING);
  flowing = filler;
  await world.flowing(filler, 1);
  const withoutRoom = await Promise.all([
    crowdedOut(),
    refusedAddress(),
    failedToStart(),
    tellsTheStatus(),
  ]);

  // There is room again.
  world.simulator.act(filler, { do: 'stop', reason: 6 });
  await world.event('session_ended', { rtmsStreamId: filler });
  const refused = await startUnknown();
  expect(refused.status).toBe(200);
  await expectMissed(refused.id, 'refused', { status: 2 });
  const late = await startUnknown(Date.now() - 120_000);
  await expectMissed(late.id, 'came_too_late', { status: 2 });

  const report = world.ledger.report();
  expect(report.problems).toEqual([]);
  const missed = report.losses.filter(({ kind }) => kind === 'missed');
  expect(missed.map(({ rtmsStreamId }) => rtmsStreamId).sort()).toEqual(
    [...withoutRoom.slice(0, 3), refused.id, late.id].sort(),
  );
  expect(world.events.filter(({ name }) => name === 'session_missed')).toHaveLength(5);
});

test.concurrent('a runner that is killed between the event and its row loses nothing and doubles nothing', {
  timeout: 180_000,
}, async () => {
  const filled = pair.play(MEETING);
  await pair.flowing(filled, 1);
  // Each runner has a stream, and has learned from an answer which bodies a foreign Kinesis takes: without answers none would.
  await pair.flowing(pair.play(MEETING), 1);
  const { serverUrls = [] } = await pair.row(filled);
  // Kinesis takes what is written and never says so.
  const { kinesis, streams } = pair.stack.aws;
  const rule = { stream: streams.events, operation: 'PutRecords', dropAnswerShare: 1 };
  kinesis.faults.set({ rules: [rule] });
  const id = randomUUID();
  const payload = { meeting_uuid: id, rtms_stream_id: id, server_urls: serverUrls.join(',') };
  expect(await post('meeting.rtms_started', payload, Date.now(), pair.stack.webhookUrl)).toBe(200);
  // Two runners and a foreign queue and table on one busy core take their time.
  await pair.event('session_missed', { rtmsStreamId: id }, 120_000);
  const { owner = '', untold } = await pair.row(id);
  expect(untold).toBe(true);
  process.kill(pair.pid(owner), 'SIGKILL');
  kinesis.faults.clear();
  await pair.until(
    'the row told by the other',
    async () => {
      const row = await pair.row(id);
      return row.owner === undefined && row.untold === undefined;
    },
    30_000,
  );
  // Written by both, under one identity.
  const told = await pair.until('the event of the other', () => {
    const found = pair.eventsOf(id).filter(({ name }) => name === 'session_missed');
    return found.length > 1 && found;
  });
  expect(new Set(told.map((event) => event.id)).size).toBe(1);
  expect(new Set(told.map(({ data }) => JSON.stringify(data))).size).toBe(1);
});
