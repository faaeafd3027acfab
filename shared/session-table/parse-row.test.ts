import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { isReadable, parseSessionRow, parseTaskRow, UnreadableRows } from './parse-row.ts';
import { startOf, wantedState } from './session-row.ts';

const ROW = {
  pk: 'SESSION#s',
  rtmsStreamId: 's',
  ttl: 1_900_000_000,
  startEventTsMs: 1000,
  serverUrls: ['wss://a.zoom.us'],
  product: 'meeting',
  entityId: 'e',
  app: 'default',
  accountId: 'a',
  operatorId: 'o',
  requestedAtMs: 1100,
  stopEventTsMs: 900,
  stopReason: 6,
  interruptEventTsMs: 950,
  movedEventTsMs: 950,
  movedServerUrls: ['wss://b.zoom.us'],
  epoch: 3,
  owner: 'task',
  claimedAtMs: 1200,
  endedStartEventTsMs: 800,
  endedReason: 'lost',
  handedOverBy: 'other',
  handedOverAtMs: 1300,
  endedAtMs: 1250,
  operatorWish: 'stop',
  proofs: 1,
  handedBack: true,
  connectedEpoch: 2,
  runEpoch: 1,
  blindSince: { epoch: 3, atMs: 1150, endedReason: 13 },
  inPart: true,
  missed: {
    reason: 'refused',
    atMs: 1400,
    epoch: 3,
    sequence: 2,
    status: 9,
    stopReason: 6,
    restart: 'wanted',
    ledger: [{ mediaType: 'events', received: 1, written: 1, lost: 0 }],
  },
  untold: true,
  notice: { event: 'rtms.start_failed', operatorId: 'o', numbers: { reason: 10 }, raw: '{}' },
  strikes: 1,
  quarantinedUntilMs: 5000,
};

/** The row above, with the fields that have another name in the table. */
const { operatorWish, ...SAME } = ROW;
const READ = { ...SAME, operatorRequest: operatorWish };

test('every attribute of a session row is read, whatever the table calls it', () => {
  expect(parseSessionRow(ROW)).toEqual(READ);
});

test('a session row that only a stop has written is read', () => {
  const row = { pk: 'SESSION#s', rtmsStreamId: 's', stopEventTsMs: 1, stopReason: 6 };
  expect(parseSessionRow(row)).toEqual(row);
});

test('attributes that a later release has added are left out', () => {
  expect(parseSessionRow({ ...ROW, colour: 'blue', startDigest: 'x' })).toEqual(READ);
});

const SPOILT: readonly [field: string, value: unknown][] = [
  ['product', 'rooms'],
  ['serverUrls', 'wss://a.zoom.us'],
  ['movedServerUrls', 'wss://a.zoom.us'],
  ['serverUrls', new Set(['wss://a.zoom.us'])],
  ['serverUrls', [7]],
  ['serverUrls', Array.from({ length: 33 }, () => 'wss://a')],
  ['serverUrls', [`wss://${'a'.repeat(3_000)}`]],
  ['rtmsStreamId', 7],
  ['rtmsStreamId', 'x'.repeat(241)],
  ['rtmsStreamId', 'another'],
  ['entityId', 12345],
  ['entityId', 'x'.repeat(257)],
  ['app', ''],
  ['epoch', '3'],
  ['epoch', 1.5],
  ['epoch', -1],
  ['epoch', 2 ** 32 - 1],
  ['epoch', 2 ** 32],
  ['epoch', '123456789012345678901234567890'],
  ['startEventTsMs', '1000'],
  ['startEventTsMs', 9e15],
  ['requestedAtMs', true],
  ['stopReason', 2 ** 53],
  ['stopReason', -6],
  ['owner', 'TASKS'],
  ['owner', ['task']],
  ['endedReason', 'bored'],
  ['endedReason', 6.5],
  ['operatorWish', 'dance'],
  ['accountId', null],
  ['claimedAtMs', new Uint8Array(8)],
  ['handedOverBy', { name: 'other' }],
  ['quarantinedUntilMs', 'for ever'],
];

test.each(SPOILT)('cannot read a row whose %s is %j, and says so by name alone', (field, value) => {
  const row = parseSessionRow({ ...ROW, [field]: value });
  expect(isReadable(row)).toBe(false);
  expect(row).toMatchObject({ pk: 'SESSION#s', unreadable: [field] });
});

test('owner and epoch of an unreadable row are told where they can be read', () => {
  expect(parseSessionRow({ ...ROW, product: 7 })).toEqual({
    pk: 'SESSION#s',
    unreadable: ['product'],
    owner: 'task',
    epoch: 3,
  });
  expect(parseSessionRow({ ...ROW, owner: 7, epoch: '3' })).toEqual({
    pk: 'SESSION#s',
    unreadable: ['epoch', 'owner'],
  });
});

/** Anything that DynamoDB's client may hand over for one attribute. */
const attribute = fc.anything({
  withBigInt: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  maxDepth: 3,
});

property.prop([fc.subarray(Object.keys(ROW)), fc.infiniteStream(attribute)])(
  'whatever is in any field, a row is read as the types say or not at all',
  (fields, values) => {
    const item: Record<string, unknown> = { ...ROW };
    for (const field of fields) item[field] = values.next().value;
    const row = parseSessionRow(item);
    if (!isReadable(row)) {
      expect(row.unreadable.length).toBeGreaterThan(0);
      for (const name of row.unreadable) expect(ROW).toHaveProperty(name);
      return;
    }
    // What every reader does first with a row; none of it may throw.
    wantedState(row);
    const start = startOf(row);
    if (start !== undefined) new Date(start.startEventTsMs).toISOString();
    expect(row.pk).toBe(`SESSION#${row.rtmsStreamId}`);
    expect((row.epoch ?? 0) + 1).toBeLessThan(2 ** 32);
  },
);

describe('a task row', () => {
  const TASK = {
    pk: 'TASK#t',
    owner: 'TASKS',
    taskId: 't',
    heartbeat: 7,
    costUsed: 1.5,
    costTotal: 10,
    draining: false,
    revision: 'ecs-svc/1',
    renewedAtMs: 1000,
    aliveAtMs: 1000,
    ttl: 1_900_000_000,
  };

  test('is read attribute by attribute', () => {
    const { costUsed: slotsUsed, costTotal: slotsTotal, ...same } = TASK;
    expect(parseTaskRow(TASK)).toEqual({ row: { ...same, slotsUsed, slotsTotal }, unreadable: [] });
  });

  test.each([
    ['costUsed', '1'],
    ['costTotal', -1],
    ['draining', 'no'],
    ['revision', 7],
    ['renewedAtMs', '1000'],
    ['aliveAtMs', '1000'],
  ])('with %s %j still has a heartbeat to judge, and takes no sessions', (field, value) => {
    const { row, unreadable } = parseTaskRow({ ...TASK, [field]: value });
    expect(unreadable).toEqual([field]);
    expect(row).toMatchObject({ taskId: 't', heartbeat: 7, slotsTotal: 0, draining: true });
  });

  test('whose counter is beyond all numbers counts by its text', () => {
    const heartbeat = '123456789012345678901';
    expect(parseTaskRow({ ...TASK, heartbeat })).toMatchObject({
      row: { heartbeat },
      unreadable: [],
    });
  });

  test('whose counter is none stands still, because it can never be renewed', () => {
    const { row, unreadable } = parseTaskRow({ ...TASK, heartbeat: new Set([1]) });
    expect(unreadable).toEqual(['heartbeat']);
    expect(row).toMatchObject({ taskId: 't', heartbeat: 0 });
  });

  test.each([['SESSION#t'], [''], ['TASK#'], [7]])('is none with the key %j', (pk) => {
    expect(parseTaskRow({ ...TASK, pk })).toEqual({ unreadable: ['pk'] });
  });

  property.prop([fc.dictionary(fc.constantFrom(...Object.keys(TASK)), attribute)])(
    'is read whatever is in it',
    (fields) => {
      const { row } = parseTaskRow({ ...TASK, ...fields, pk: 'TASK#t' });
      expect(row?.taskId).toBe('t');
      expect((row?.slotsTotal ?? 0) - (row?.slotsUsed ?? 0)).not.toBeNaN();
    },
  );
});

test('an unreadable row is counted each time, and logged once by its key alone', () => {
  const lines: unknown[] = [];
  let counted = 0;
  const logger = { error: (_: string, fields: unknown) => lines.push(fields) } as Partial<Logger>;
  const metrics = { count: () => (counted += 1) } as unknown as Metrics;
  const rows = new UnreadableRows(logger as Logger, metrics);
  for (let look = 0; look < 3; look++) rows.report({ pk: 'SESSION#s', unreadable: ['epoch'] });
  expect(counted).toBe(3);
  expect(lines).toEqual([{ event: 'row_unreadable', key: 'SESSION#s', fields: ['epoch'] }]);
});
