import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { fc } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalAws, startLocalAws } from '../../local/aws/local-aws.ts';
import { isReadable, type UnreadableRow } from '../../shared/session-table/parse-row.ts';
import { type SessionRow, wantedState } from '../../shared/session-table/session-row.ts';
import type { RegisterUpdate } from '../../shared/session-table/webhook-writes.ts';
import type { ZoomWebhookEvent } from '../../shared/zoom/webhook-event.ts';
import { zoomSecret } from '../../test/support/front-door.ts';
import { createRegisterStore, type StoreUpdate } from './register-store.ts';
import { route } from './route.ts';

let aws: LocalAws;
let client: DynamoDBClient;
let store: StoreUpdate;
beforeAll(async () => {
  aws = await startLocalAws({ zoomSecret: zoomSecret() });
  const { region, credentials, endpoints } = aws;
  client = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  store = createRegisterStore(client, aws.table);
});
afterAll(async () => {
  client.destroy();
  await aws.close();
});

const signal = AbortSignal.timeout(60_000);
const context = { app: 'default', secretToken: 't', allowedHosts: ['zoom.us'], nowMs: 1 };

type StreamEvent = Extract<ZoomWebhookEvent, { rtmsStreamId: string }>;

function updatesOf(event: StreamEvent, app = 'default'): RegisterUpdate[] {
  const decision = route(event, { ...context, app });
  if (decision.action !== 'record') throw new Error('not an update');
  return decision.move === undefined ? [decision.update] : [decision.move, decision.update];
}

function updateOf(event: StreamEvent, app = 'default'): RegisterUpdate {
  return updatesOf(event, app).at(-1) as RegisterUpdate;
}

const common = { product: 'meeting', rtmsStreamId: '' } as const;
const start = (eventTsMs: number, host = 'a', operatorId?: string): StreamEvent => ({
  ...common,
  kind: 'started',
  event: 'meeting.rtms_started',
  eventTsMs,
  entityId: 'm',
  serverUrls: [`wss://${host}.zoom.us`],
  ...(operatorId === undefined ? {} : { operatorId }),
});
const stop = (eventTsMs: number, stopReason = 6): StreamEvent => ({
  ...common,
  kind: 'stopped',
  event: 'meeting.rtms_stopped',
  eventTsMs,
  stopReason,
});
const interrupt = (eventTsMs: number, host?: string): StreamEvent => ({
  ...common,
  kind: 'interrupted',
  event: 'meeting.rtms_interrupted',
  eventTsMs,
  ...(host === undefined ? {} : { serverUrls: [`wss://${host}.zoom.us`] }),
});

let rows = 0;
/** Applies events to a new row, one after the other. */
async function apply(events: readonly StreamEvent[]): Promise<SessionRow> {
  const rtmsStreamId = `row-${++rows}`;
  let row: SessionRow | UnreadableRow | undefined;
  for (const event of events) {
    for (const update of updatesOf({ ...event, rtmsStreamId })) {
      ({ row } = await store(update, signal));
    }
  }
  if (row === undefined || !isReadable(row)) throw new Error('no events');
  const { pk, rtmsStreamId: _id, ...rest } = row;
  expect(pk).toBe(`SESSION#${rtmsStreamId}`);
  return rest as SessionRow;
}

describe('the end of a sequence', () => {
  test.each<[string, StreamEvent[], string]>([
    ['start', [start(1)], 'started'],
    ['start, stop', [start(1), stop(2)], 'stopped'],
    ['stop before its start', [stop(2), start(1)], 'stopped'],
    ['start and stop of one instant', [stop(1), start(1)], 'stopped'],
    ['restart', [start(1), stop(2), start(3)], 'started'],
    ['restart delivered first', [start(3), stop(2), start(1)], 'started'],
    ['interruption', [start(1), interrupt(2)], 'started'],
    ['interruption after the stop', [start(1), stop(2), interrupt(3)], 'stopped'],
    ['nothing but an interruption', [interrupt(1)], 'nothing'],
  ])('%s: %#', async (_name, events, state) => {
    expect(wantedState(await apply(events)).state).toBe(state);
  });

  test('fail-over: the newer addresses stay, in either order', async () => {
    const newer = { start: { serverUrls: ['wss://b.zoom.us'] } };
    expect(wantedState(await apply([start(1, 'a'), start(2, 'b')]))).toMatchObject(newer);
    expect(wantedState(await apply([start(2, 'b'), start(1, 'a')]))).toMatchObject(newer);
  });

  test('an interruption moves the stream to the addresses it names, until the next start', async () => {
    const at = (host: string) => ({ start: { serverUrls: [`wss://${host}.zoom.us`] } });
    const moved = [start(1, 'a'), interrupt(2, 'b'), interrupt(3)];
    expect(wantedState(await apply(moved))).toMatchObject({ ...at('b'), interruptedAtMs: 3 });
    expect(wantedState(await apply(moved.toReversed()))).toMatchObject(at('b'));
    expect(wantedState(await apply([...moved, start(4, 'c')]))).toMatchObject(at('c'));
  });

  test('a newer start without an operator takes the old operator away', async () => {
    expect(await apply([start(1, 'a', 'op'), start(2)])).not.toHaveProperty('operatorId');
  });
});

test('any order and repetition of deliveries ends in the same row', async () => {
  const instant = fc.integer({ min: 1, max: 4 });
  const event = fc.oneof(
    fc
      .tuple(instant, fc.constantFrom('a', 'b'), fc.option(fc.constant('op'), { nil: undefined }))
      .map((args) => start(...args)),
    fc.tuple(instant, fc.constantFrom(1, 6, 8)).map((args) => stop(...args)),
    fc.tuple(instant, fc.constantFrom(undefined, 'b', 'c')).map((args) => interrupt(...args)),
  );
  const deliveries = fc.array(event, { minLength: 1, maxLength: 6 }).chain((events) =>
    fc.record({
      events: fc.constant(events),
      repeated: fc.shuffledSubarray([...events, ...events], {
        minLength: events.length,
      }),
      shuffled: fc.shuffledSubarray(events, { minLength: events.length }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(deliveries, async ({ events, repeated, shuffled }) => {
      const row = await apply(events);
      expect(await apply(shuffled)).toEqual(row);
      // Whatever `repeated` lost is delivered at last, in reverse.
      expect(await apply([...repeated, ...events.toReversed()])).toEqual(row);
    }),
    { numRuns: 15 },
  );
});

test('deliveries at the same moment end as one after the other', async () => {
  const events = [start(1, 'a'), start(2, 'b'), stop(1), interrupt(2), start(2, 'c'), stop(3, 8)];
  const expected = await apply(events);
  const rtmsStreamId = 'at-once';
  const updates = [...events, ...events].map((event) => updateOf({ ...event, rtmsStreamId }));
  await Promise.all(updates.map((update) => store(update, signal)));
  const { changed, row } = await store(updateOf({ ...start(1, 'a'), rtmsStreamId }), signal);
  expect(changed).toBe(false);
  expect(row).toEqual({ ...expected, pk: `SESSION#${rtmsStreamId}`, rtmsStreamId });
});

test('a start keeps the owner that serves the stream', async () => {
  const rtmsStreamId = 'owned';
  await store(updateOf({ ...start(1), rtmsStreamId }), signal);
  const { DynamoDBDocumentClient, UpdateCommand } = await import('@aws-sdk/lib-dynamodb');
  await DynamoDBDocumentClient.from(client).send(
    new UpdateCommand({
      TableName: aws.table,
      Key: { pk: `SESSION#${rtmsStreamId}` },
      UpdateExpression: 'SET #owner = :task, epoch = :one',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':task': 'runner-1', ':one': 1 },
    }),
  );
  const { row } = await store(updateOf({ ...start(2, 'b'), rtmsStreamId }), signal);
  expect(row).toMatchObject({ owner: 'runner-1', epoch: 1, serverUrls: ['wss://b.zoom.us'] });
});

test('a row belongs to the app that named it first', async () => {
  const rtmsStreamId = 'of-default';
  await store(updateOf({ ...stop(1), rtmsStreamId }), signal);
  await expect(
    store(updateOf({ ...start(2), rtmsStreamId }, 'other'), signal),
  ).rejects.toMatchObject({
    code: 'webhook/wrong-app',
    statusCode: 400,
  });
});

test('a store that does not answer is a retryable failure', async () => {
  aws.faults.dynamodb.mode = 'stall';
  try {
    const update = updateOf({ ...start(1), rtmsStreamId: 'stalled' });
    await expect(store(update, AbortSignal.timeout(50))).rejects.toMatchObject({
      code: 'webhook/store-failed',
      retryable: true,
    });
  } finally {
    aws.faults.dynamodb.mode = 'pass';
  }
});
