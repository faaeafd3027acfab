import aggregator from 'aws-kinesis-agg';
import { expect, test } from 'vitest';
import { PUT_UNIT_BYTES, putUnits } from '../../shared/kinesis-rules.ts';
import { MemoryPool } from '../../shared/memory-pool.ts';
import { aggregateSize } from '../../test/support/aggregate-size.ts';
import { identity, makeUnit, Tally } from '../../test/support/model-kinesis.ts';
import { type FlushPolicies, Lane } from './lane.ts';
import { AGGREGATES } from './record-format.ts';
import { unitBytes } from './unit.ts';

const KEY = 'stream';
const SHARD = 'shardId-000000000000';
const POLICY = { targetBytes: PUT_UNIT_BYTES - 1, lingerMs: 200 };
const ONE_BY_ONE = { targetBytes: 0, lingerMs: 0 };
const all = (policy: typeof POLICY): FlushPolicies => ({
  video: policy,
  deskshare: policy,
  audio: policy,
  crowd: policy,
  text: policy,
  event: policy,
});
const receipt = new Tally();
const level = () => ({ bytes: 0 });
const lane = (policy = POLICY, taskLevel = level()) =>
  new Lane({
    partitionKey: KEY,
    session: KEY,
    policies: all(policy),
    format: AGGREGATES,
    memory: new MemoryPool(),
    sessionLevel: level(),
    taskLevel,
  });
const unit = (sequence: number, bytes: number, chunks = 1) =>
  makeUnit(sequence, receipt, { bytes, chunks });

/** Sizes of queued records, time of the look -> user records in the record that leaves, or none. */
test.each([
  { name: 'nothing queued', sizes: [], atMs: 999, expected: undefined },
  { name: 'young and small: waits for more', sizes: [640, 640], atMs: 199, expected: undefined },
  { name: 'old enough', sizes: [640, 640], atMs: 200, expected: 2 },
  { name: 'full before its time', sizes: Array(39).fill(640), atMs: 0, expected: 38 },
  { name: 'one big record goes alone', sizes: [30_000, 640], atMs: 0, expected: 1 },
  { name: 'small ones go before a big one', sizes: [640, 640, 30_000], atMs: 0, expected: 2 },
  { name: 'one small record, old enough', sizes: [640], atMs: 200, expected: 1 },
])('what a lane offers: $name', ({ sizes, atMs, expected }) => {
  const it = lane();
  for (const [index, bytes] of sizes.entries()) it.push(unit(index, bytes), 0);
  expect(it.offer(atMs, false)?.userRecords).toBe(expected);
});

test('a lane fills a record to just under one PUT unit, partition key included, and never above', () => {
  const it = lane();
  for (let sequence = 0; sequence < 100; sequence += 1) it.push(unit(sequence, 640), 0);
  const record = it.offer(0, false);
  expect(record?.sizeBytes).toBeLessThan(PUT_UNIT_BYTES);
  expect((record?.sizeBytes ?? 0) + 640 + 8).toBeGreaterThanOrEqual(PUT_UNIT_BYTES);
  expect(putUnits(record?.sizeBytes ?? 0)).toBe(1);
});

test("a record's size is what Kinesis counts: bytes of the aggregate and of its key", () => {
  const it = lane();
  it.push(unit(1, 640), 0);
  it.push(unit(2, 50), 0);
  const record = it.offer(200, false);
  expect(record?.data.length).toBe(aggregateSize(KEY.length, [640, 50]));
  expect(record?.sizeBytes).toBe((record?.data.length ?? 0) + KEY.length);
});

test('a lone user record is sent bare', () => {
  const it = lane();
  const only = unit(1, 640);
  it.push(only, 0);
  expect(it.offer(200, false)?.data).toBe(only.records[0]);
});

test('an independent decoder reads a packed record, in order', async () => {
  const it = lane();
  for (let sequence = 1; sequence <= 20; sequence += 1) it.push(unit(sequence, 300), 0);
  const record = it.offer(200, false);
  const read = await new Promise<string[]>((resolve, reject) => {
    const kinesis = {
      data: Buffer.from(record?.data ?? []).toString('base64'),
      partitionKey: KEY,
      sequenceNumber: '1',
      kinesisSchemaVersion: '1.0',
      approximateArrivalTimestamp: 0,
    };
    aggregator.deaggregateSync(kinesis, true, (error, records) => {
      if (error) return reject(error);
      resolve((records ?? []).map(({ data }) => identity(Buffer.from(data, 'base64'))));
    });
  });
  expect(read).toEqual(Array.from({ length: 20 }, (_, index) => `${index + 1}/0`));
});

test('a lane has one record on its way and offers no other until that one is acknowledged', () => {
  const it = lane();
  for (let sequence = 0; sequence < 100; sequence += 1) it.push(unit(sequence, 640), 0);
  const first = it.offer(0, false);
  expect(it.offer(0, false)).toBe(first);
  it.sent(0);
  expect(it.offer(1_000, false)).toBeUndefined();
  it.written(SHARD);
  expect(it.offer(0, false)?.units[0]?.sequence).toBe(38);
});

test('a failed record is offered again, unchanged, when its time has come', () => {
  const it = lane();
  it.push(unit(1, 640), 0);
  const record = it.offer(200, false);
  it.sent(200);
  it.push(unit(2, 640), 210);
  it.retryAt(300);
  expect(it.failures).toBe(1);
  expect(it.offer(299, false)).toBeUndefined();
  expect(it.offer(300, false)).toBe(record);
});

test('a lane does not wait for lingerMs during a flush or with a backlog behind it', () => {
  const flushed = lane();
  flushed.push(unit(1, 640), 0);
  flushed.accept(1);
  flushed.startFlush();
  expect(flushed.offer(0, false)).toBeDefined();
  const behind = lane();
  behind.push(unit(1, 640), 0);
  expect(behind.offer(0, true)).toBeDefined();
});

test('a unit is complete with its last chunk', () => {
  const it = lane();
  it.push(unit(1, 30_000, 3), 0);
  for (const expected of [0, 0, 1]) {
    expect(it.offer(0, false)?.userRecords).toBe(1);
    it.sent(0);
    expect(it.written(SHARD)).toHaveLength(expected);
  }
  expect(it.offer(1_000, false)).toBeUndefined();
});

test('the rest of a unit is lost with the chunk that is refused', () => {
  const it = lane();
  it.push(unit(1, 30_000, 3), 0);
  it.push(unit(2, 640), 0);
  it.offer(0, false);
  it.sent(0);
  expect(it.dropRecord().map(({ sequence }) => sequence)).toEqual([1]);
  expect(it.offer(200, false)?.units.map(({ sequence }) => sequence)).toEqual([2]);
});

test('a lane drops the oldest queued units of one class, and never half of one', () => {
  const it = lane();
  it.push(unit(1, 30_000, 2), 0);
  for (const sequence of [2, 3, 4]) {
    it.push(makeUnit(sequence, receipt, { bytes: 1_000, class: 'video' }), 0);
    it.push(unit(sequence + 10, 1_000), 0);
  }
  it.offer(0, false);
  expect(it.droppableBytes('video')).toBe(3 * 1_200);
  expect(it.droppableBytes('audio')).toBe(3 * 1_200);
  expect(it.dropOldest('video', 1_300).map(({ sequence }) => sequence)).toEqual([2, 3]);
  expect(it.dropOldest('audio', 1).map(({ sequence }) => sequence)).toEqual([12]);
  expect(it.droppableBytes('video')).toBe(1_200);
});

test('a lane that drops everything keeps the record on its way', () => {
  const it = lane();
  for (const sequence of [1, 2]) it.push(unit(sequence, 30_000), 0);
  it.offer(0, false);
  expect(it.dropAll('revoked').map(({ sequence }) => sequence)).toEqual([1, 2]);
  for (const sequence of [3, 4]) it.push(unit(sequence, 30_000), 0);
  it.offer(0, false);
  it.sent(0);
  expect(it.dropAll('revoked').map(({ sequence }) => sequence)).toEqual([4]);
  // What Zoom took back is no loss, also when a deadline passes before the answer is there.
  it.dropAll('write_failed');
  expect(it.droppedFor).toBe('revoked');
  expect(it.written(SHARD).map(({ sequence }) => sequence)).toEqual([3]);
  expect(it.droppedFor).toBeUndefined();
});

test("a lane's bytes count in its session and task until units are written or lost", () => {
  const task = level();
  const it = lane(ONE_BY_ONE, task);
  const units = [1, 2, 3].map((sequence) => unit(sequence, 500));
  for (const each of units) it.push(each, 0);
  const each = unitBytes(units[0] as (typeof units)[0]);
  expect(task.bytes).toBe(3 * each);
  it.offer(0, false);
  it.sent(0);
  expect(task.bytes).toBe(3 * each);
  it.written(SHARD);
  expect(task.bytes).toBe(2 * each);
  it.dropAll('revoked');
  expect([task.bytes, it.bytes]).toEqual([0, 0]);
});

test('user records are sent one by one where the target is 0', () => {
  const it = lane(ONE_BY_ONE);
  for (const sequence of [1, 2]) it.push(unit(sequence, 100), 0);
  expect(it.offer(0, false)?.userRecords).toBe(1);
});
