import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createGroupTable,
  type GroupTables,
  startGroupTables,
} from '../../test/support/group-table.ts';
import { ArchiveRows, SessionTouches } from './session-rows.ts';

/** The rows of an archive in a real DynamoDB on this machine. */

let tables: GroupTables;
let rows: ArchiveRows;
beforeAll(async () => {
  tables = await startGroupTables();
  const client = new DynamoDBClient(tables.dynamodb);
  await createGroupTable(client, 'sessions');
  client.destroy();
  rows = await ArchiveRows.open('sessions', tables.dynamodb);
});
afterAll(async () => {
  rows.close();
  await tables[Symbol.asyncDispose]();
});

test('the progress of more shards than fit into one call is saved, and saved over what was there', async () => {
  const shards = Array.from({ length: 60 }, (_, index) => `shardId-${index}`);
  for (const throughMs of [1_000, 2_000]) {
    await rows.saveProgress([
      ...shards.map((shardId) => ['media', shardId, throughMs] as const),
      ['events', 'shardId-0', throughMs + 1] as const,
    ]);
    const progress = await rows.progress();
    expect(progress.size).toBe(61);
    expect(progress.get('media#shardId-59')).toBe(throughMs);
    expect(progress.get('events#shardId-0')).toBe(throughMs + 1);
  }
});

test('objects that are written together are told with one call, and one that is written later with another', async () => {
  const touches = new SessionTouches(rows);
  const together = await Promise.all([touches.touch('a'), touches.touch('a'), touches.touch('b')]);
  expect(together.map((row) => [row.rtmsStreamId, row.touches])).toEqual([
    ['a', 1],
    ['a', 1],
    ['b', 1],
  ]);
  expect(await touches.touch('a')).toMatchObject({ rtmsStreamId: 'a', touches: 2 });
});

test('who has written before a revocation is told of it', async () => {
  const touches = new SessionTouches(rows);
  const touched = touches.touch('revoked');
  await rows.revoked('revoked', 'event');
  expect((await touched).revokedAtMs).toBeDefined();
});
