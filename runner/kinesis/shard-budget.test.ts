import { expect, test } from 'vitest';
import { ShardBudget } from './shard-budget.ts';

const SHARD = 'shardId-000000000000';
/** What a shard takes in a second. A fifth of it is left for live records. */
const MIB = 1024 * 1024;

test('a backlog gets what live records leave of a shard, but for a reserve', () => {
  const budget = new ShardBudget();
  let sent = 0;
  while (budget.admits(SHARD, 20_000, 0)) {
    budget.charge(SHARD, 20_000, 0);
    sent += 20_000;
  }
  // As many as go into four fifths of 1,048,576.
  expect(sent).toBe(820_000);
  budget.charge(SHARD, 100_000, 0);
  expect(budget.admits(SHARD, 20_000, 96)).toBe(false);
  expect(budget.admits(SHARD, 20_000, 97)).toBe(true);
});

test('a shard has room for so many records, as well as for so many bytes', () => {
  const budget = new ShardBudget();
  let sent = 0;
  while (budget.admits(SHARD, 1, 0)) {
    budget.charge(SHARD, 1, 0);
    sent += 1;
  }
  expect(sent).toBe(800);
});

test('a record larger than a second of the shard is admitted when the bucket is full', () => {
  const budget = new ShardBudget();
  expect(budget.admits(SHARD, 5 * MIB, 0)).toBe(true);
  budget.charge(SHARD, 5 * MIB, 0);
  expect(budget.admits(SHARD, 1, 4_000)).toBe(false);
  expect(budget.admits(SHARD, 1, 5_000)).toBe(true);
});

test('a backlog is held back after a throttle', () => {
  const budget = new ShardBudget();
  budget.throttled(SHARD, 0);
  expect(budget.admits(SHARD, MIB / 40, 224)).toBe(false);
  expect(budget.admits(SHARD, MIB / 40, 226)).toBe(true);
});

test('everything is admitted to a shard that is not known yet', () => {
  expect(new ShardBudget().admits(undefined, 5 * MIB, 0)).toBe(true);
});
