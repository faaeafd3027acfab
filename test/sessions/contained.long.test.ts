import { type AttributeValue, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, test } from 'vitest';
import { UNOWNED } from '../../shared/session-table/session-row.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { startWorld, type World } from '../support/world.ts';

const HEALTHY = syntheticMeeting({ durationMs: 600_000, transcriptEveryMs: 500 });
/** Its first line of chat meets the defect of `broken-runner.ts`. */
const BREAKING = syntheticMeeting({ durationMs: 600_000, chatEveryMs: 1_500 });

let world: World | undefined;
afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
  world = undefined;
}, 60_000);

async function broken(how: string, runners: number): Promise<World> {
  world = await startWorld({
    runners,
    runner: { entry: 'test/support/broken-runner.ts', environment: () => ({ BROKEN: how }) },
  });
  return world;
}

function start(here: World, meeting = HEALTHY): string {
  return here.play(meeting);
}

/** Ends a healthy stream. @returns the audio frames that were sent and not read */
async function lostOf(here: World, rtmsStreamId: string): Promise<number> {
  here.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  const { sources } = await here.simulator.finished(rtmsStreamId);
  await here.event('session_ended', { rtmsStreamId }, 30_000);
  const sent = sources.reduce((sum, { frames }) => sum + frames, 0);
  const read = () => {
    const frames = here.framesOf(rtmsStreamId);
    return new Set(frames.map(({ userId, capturedAtMs }) => `${userId}/${capturedAtMs}`)).size;
  };
  await here.until('the last frames', () => read() >= sent, 5_000).catch(() => {});
  return sent - read();
}

/** Rows that end no runner: each with one attribute that is not what it should be. */
const SPOILT: readonly Record<string, AttributeValue>[] = [
  { product: { S: 'holodeck' } },
  { serverUrls: { S: 'wss://127.0.0.1' } },
  { serverUrls: { SS: ['wss://127.0.0.1'] } },
  { entityId: { N: '7' } },
  { epoch: { S: '1' } },
  { epoch: { N: '1.5' } },
  { epoch: { N: '4294967296' } },
  { epoch: { N: '9007199254740993.5' } },
  { requestedAtMs: { BOOL: true } },
  { startEventTsMs: { NULL: true } },
  { stopReason: { N: '1E+40' } },
  { app: { M: { name: { S: 'default' } } } },
];

test('rows that cannot be read end nobody, are told by key, and are never claimed', {
  timeout: 60_000,
}, async () => {
  world = await startWorld({ runners: 2 });
  const here = world;
  const neighbour = start(here);
  await here.flowing(neighbour, 1);
  const pids = here.stack.fleet.runners.map(({ pid }) => pid);
  const { aws } = here.stack;
  const client = new DynamoDBClient({
    region: aws.region,
    credentials: aws.credentials,
    endpoint: aws.endpoints.dynamodb,
  });
  // The neighbour's own row as the pattern: but for one attribute, each of these would be claimed at once.
  for (const [index, spoilt] of SPOILT.entries()) {
    const rtmsStreamId = `spoilt-${index}`;
    const Item: Record<string, AttributeValue> = {
      pk: { S: `SESSION#${rtmsStreamId}` },
      rtmsStreamId: { S: rtmsStreamId },
      owner: { S: UNOWNED },
      startEventTsMs: { N: '1000' },
      serverUrls: { L: [{ S: 'ws://127.0.0.1:9' }] },
      product: { S: 'meeting' },
      entityId: { S: 'SECRET-ENTITY' },
      app: { S: 'default' },
      requestedAtMs: { N: '1000' },
      ...spoilt,
    };
    await client.send(new PutItemCommand({ TableName: aws.table, Item }));
  }
  client.destroy();
  const told = (index: number) => (line: { event: string; key?: unknown }) =>
    line.event === 'row_unreadable' && line.key === `SESSION#spoilt-${index}`;
  for (const index of SPOILT.keys()) {
    await here.until(`spoilt-${index} is told`, () => here.logs.some(told(index)));
  }
  expect(JSON.stringify(here.logs)).not.toContain('SECRET-ENTITY');
  expect(
    here.logs.filter(
      ({ event, rtmsStreamId }) => event === 'claimed' && rtmsStreamId !== neighbour,
    ),
  ).toEqual([]);
  expect(here.stack.fleet.runners.map(({ pid }) => pid)).toEqual(pids);
  expect(await lostOf(here, neighbour)).toBe(0);
});

test.each(['listener', 'uncaught'])(
  'a defect (%s) ends its session alone, and a stream that met it twice is quarantined',
  { timeout: 90_000 },
  async (how) => {
    const here = await broken(how, 2);
    const neighbours = [start(here), start(here)];
    for (const rtmsStreamId of neighbours) await here.flowing(rtmsStreamId, 1);
    const pids = here.stack.fleet.runners.map(({ pid }) => pid);
    const guilty = start(here, BREAKING);

    const defects = () => here.logs.filter(({ event }) => event === 'defect');
    await here.log('quarantined', { rtmsStreamId: guilty, epoch: 2 }, 40_000);
    expect(defects().map(({ rtmsStreamId, epoch }) => [rtmsStreamId, epoch])).toEqual([
      [guilty, 1],
      [guilty, 2],
    ]);
    expect(defects()[0]?.['place']).toBe(how);
    // The frames of its stack, and nothing that it choked on.
    expect(JSON.stringify(defects())).not.toMatch(/Message \d/);
    const handedOver = await here.event('session_handed_over', { rtmsStreamId: guilty, epoch: 1 });
    expect(handedOver.data.cause).toBe('defect');

    const row = await here.until('the row', async () => {
      const found = await here.row(guilty);
      return found.owner === UNOWNED && found;
    });
    expect(row).toMatchObject({ epoch: 2, strikes: 2 });
    expect((row.quarantinedUntilMs ?? 0) - Date.now()).toBeGreaterThan(500_000);
    here.simulator.act(guilty, { do: 'replay_webhook', kind: 'started' });
    expect(here.stack.fleet.runners.map(({ pid }) => pid)).toEqual(pids);
    for (const rtmsStreamId of neighbours) {
      expect(await lostOf(here, rtmsStreamId)).toBe(0);
      expect(here.framesOf(rtmsStreamId).every(({ epoch }) => epoch === 1)).toBe(true);
    }
    expect((await here.row(guilty)).epoch).toBe(2);
  },
);
