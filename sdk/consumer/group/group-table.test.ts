import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type GroupTables, startGroupTables } from '../../../test/support/group-table.ts';
import { SHARD_END } from '../reading/checkpoints.ts';
import { GroupTable } from './group-table.ts';

let tables: GroupTables;
let table: GroupTable;
beforeAll(async () => {
  tables = await startGroupTables();
});
afterAll(() => tables[Symbol.asyncDispose]());
beforeEach(async () => {
  table = await GroupTable.open(await tables.create(), tables.dynamodb);
  return () => table.close();
});

const mine = { shardId: 's', workerId: 'me', epoch: 1 };
const rowOf = async () => (await table.rows()).shards[0];

test('of two workers that claim a shard at once one gets it', async () => {
  const claims = await Promise.all([
    table.claim('s', 'me', undefined, 1),
    table.claim('s', 'you', undefined, 1),
  ]);
  expect(claims.filter((row) => row !== undefined)).toHaveLength(1);
});

test('a former owner can neither save nor release', async () => {
  const row = await table.claim('s', 'me', undefined, 1);
  await table.claim('s', 'you', row, 1);
  expect(await table.save(mine, { sequenceNumber: '7' })).toBe(false);
  expect(await table.release(mine, { sequenceNumber: '7' })).toBe(false);
  expect(await rowOf()).toEqual({ shardId: 's', owner: 'you', epoch: 2, streamCreatedAtMs: 1 });
});

test('a row that was released since it was read cannot be claimed: its shard may have ended', async () => {
  const row = await table.claim('s', 'me', undefined, 1);
  await table.release(mine, { sequenceNumber: SHARD_END });
  expect(await table.claim('s', 'you', row, 1)).toBeUndefined();
  expect((await rowOf())?.position).toEqual({ sequenceNumber: SHARD_END });
});

test('a checkpoint inside a record is kept until one behind it', async () => {
  await table.claim('s', 'me', undefined, 1);
  await table.save(mine, { sequenceNumber: '7', subSequenceNumber: 3 });
  expect((await rowOf())?.position).toEqual({ sequenceNumber: '7', subSequenceNumber: 3 });
  await table.save(mine, { sequenceNumber: '7' });
  expect((await rowOf())?.position).toEqual({ sequenceNumber: '7' });
});

test('the position of a stream that was made again is dropped by the next claim, and the epoch grows', async () => {
  await table.claim('s', 'me', undefined, 1);
  await table.release(mine, { sequenceNumber: '7', subSequenceNumber: 3 });
  const row = await table.claim('s', 'you', await rowOf(), 2);
  expect(row).toEqual({ shardId: 's', owner: 'you', epoch: 2, streamCreatedAtMs: 2 });
});

test('a worker whose row was taken by another process is told, and cannot delete it', async () => {
  await table.enter('me', 'first', undefined);
  const [row] = (await table.rows()).workers;
  expect(await table.enter('me', 'second', row)).toBe(true);
  expect(await table.renew('me', 'first', false, AbortSignal.timeout(5_000))).toBe(false);
  await table.leave('me', 'first');
  expect((await table.rows()).workers).toMatchObject([{ workerId: 'me', run: 'second' }]);
});

test('a late owner does not put older marks over newer ones', async () => {
  await table.saveSeen('s', 2, 'new');
  await table.saveSeen('s', 1, 'old');
  expect(await table.seen('s')).toBe('new');
});

test('a table that does not exist is refused', async () => {
  const other = await GroupTable.open('nowhere', tables.dynamodb);
  await expect(other.rows()).rejects.toMatchObject({ code: 'group/table-refused' });
  other.close();
});
