import aggregator from 'aws-kinesis-agg';
import { expect, test } from 'vitest';
import { PUT_UNIT_BYTES, putUnits } from '../../shared/kinesis-limits.ts';
import { aggregateSize } from '../../shared/record/kpl.ts';
import { identity, makeUnit, Tally } from '../../test/support/model-kinesis.ts';
import { type FlushPolicies, Lane } from './lane.ts';
import { unitBytes } from './unit.ts';

const KEY = 'stream';
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
const lane = (policy = POLICY) =>
  new Lane(KEY, KEY, all(policy), { session: level(), task: level() });
const unit = (sequence: number, bytes: number, chunks = 1) =>
  makeUnit(sequence, receipt, { bytes, chunks });

/** Sizes of queued records, time of the look -> user records in the record that leaves, or none. */
test.each([
  { name: 'nothing queued', sizes: [], atMs: 999, expected: undefined },
  { name: 'young and small: waits for company', sizes: [640, 640], atMs: 199, expected: undefined },
  { name: 'old enough', sizes: [640, 640], atMs: 200, expected: 2 },
  { name: 'full before its time', sizes: Array(39).fill(640), atMs: 0, expected: 38 },
  { name: 'one big record goes alone', sizes: [30_000, 640], atMs: 0, expected: 1 },
  { name: 'small ones go before a big one', sizes: [640, 640, 30_000], atMs: 0, expected: 2 },
  { name: 'one small record, old enough', sizes: [640], atMs: 200, expected: 1 },
])('$name', ({ sizes, atMs, expected }) => {
  const it = lane();
  for (const [index, bytes] of sizes.entries()) it.push(unit(index, bytes), 0);
  expect(it.offer(atMs, false)?.userRecords).toBe(expected);
});

test('fills a record to just under one PUT unit, partition key included, and never above', () => {
  const it = lane();
  for (let sequence = 0; sequence < 100; sequence += 1) it.push(unit(sequence, 640), 0);
  const record = it.offer(0, false);
  expect(record?.sizeBytes).toBeLessThan(PUT_UNIT_BYTES);
  expect((record?.sizeBytes ?? 0) + 640 + 8).toBeGreaterThanOrEqual(PUT_UNIT_BYTES);
  expect(putUnits(record?.sizeBytes ?? 0)).toBe(1);
});

test('counts a record as Kinesis will: bytes of the aggregate and of its key', () => {
  const it = lane();
  it.push(unit(1, 640), 0);
  it.push(unit(2, 50), 0);
  const record = it.offer(200, false);
  expect(record?.data.length).toBe(aggregateSize(KEY.length, [640, 50]));
  expect(record?.sizeBytes).toBe((record?.data.length ?? 0) + KEY.length);
});

test('sends a lone user record bare', () => {
  const it = lane();
  const only = unit(1, 640);
  it.push(only, 0);
  expect(it.offer(200, false)?.data).toBe(only.records[0]);
});

test('is read by an independent decoder, in order', async () => {
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

test('has one record on its way and offers no other', () => {
  const it = lane();
  for (let sequence = 0; sequence < 100; sequence += 1) it.push(unit(sequence, 640), 0);
  const first = it.offer(0, false);
  expect(it.offer(0, false)).toBe(first);
  it.sent(0);
  expect(it.offer(1_000, false)).toBeUndefined();
  it.written();
  expect(it.offer(0, false)?.units[0]?.sequence).toBe(38);
});

test('offers a failed record again, unchanged, when its time has come', () => {
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

test('does not wait for company while a flush or a backlog behind it wants it gone', () => {
  const flushed = lane();
  flushed.push(unit(1, 640), 0);
  flushed.accepted = 1;
  flushed.flushUntil = 1;
  expect(flushed.offer(0, false)).toBeDefined();
  const behind = lane();
  behind.push(unit(1, 640), 0);
  expect(behind.offer(0, true)).toBeDefined();
});

test('completes a unit with its last chunk', () => {
  const it = lane();
  it.push(unit(1, 30_000, 3), 0);
  for (const expected of [0, 0, 1]) {
    expect(it.offer(0, false)?.userRecords).toBe(1);
    it.sent(0);
    expect(it.written()).toHaveLength(expected);
  }
  expect(it.offer(1_000, false)).toBeUndefined();
});

test('loses the rest of a unit with the chunk that is refused', () => {
  const it = lane();
  it.push(unit(1, 30_000, 3), 0);
  it.push(unit(2, 640), 0);
  it.offer(0, false);
  it.sent(0);
  expect(it.discard().map(({ sequence }) => sequence)).toEqual([1]);
  expect(it.offer(200, false)?.units.map(({ sequence }) => sequence)).toEqual([2]);
});

test('sheds the oldest queued units of one class, and never half of one', () => {
  const it = lane();
  it.push(unit(1, 30_000, 2), 0);
  for (const sequence of [2, 3, 4]) {
    it.push(makeUnit(sequence, receipt, { bytes: 1_000, class: 'video' }), 0);
    it.push(unit(sequence + 10, 1_000), 0);
  }
  it.offer(0, false);
  expect(it.sheddable('video')).toBe(3 * 1_200);
  expect(it.sheddable('audio')).toBe(3 * 1_200);
  expect(it.shed('video', 1_300).map(({ sequence }) => sequence)).toEqual([2, 3]);
  expect(it.shed('audio', 1).map(({ sequence }) => sequence)).toEqual([12]);
  expect(it.sheddable('video')).toBe(1_200);
});

test('gives up everything but the record on its way', () => {
  const it = lane();
  for (const sequence of [1, 2]) it.push(unit(sequence, 30_000), 0);
  it.offer(0, false);
  expect(it.abandon('revoked').map(({ sequence }) => sequence)).toEqual([1, 2]);
  for (const sequence of [3, 4]) it.push(unit(sequence, 30_000), 0);
  it.offer(0, false);
  it.sent(0);
  expect(it.abandon('revoked').map(({ sequence }) => sequence)).toEqual([4]);
  expect(it.abandonedFor).toBe('revoked');
  expect(it.written().map(({ sequence }) => sequence)).toEqual([3]);
  expect(it.abandonedFor).toBeUndefined();
});

test('charges its bytes to the levels it shares until units are written or lost', () => {
  const task = level();
  const it = new Lane(KEY, KEY, all(ONE_BY_ONE), { session: level(), task });
  const units = [1, 2, 3].map((sequence) => unit(sequence, 500));
  for (const each of units) it.push(each, 0);
  const each = unitBytes(units[0] as (typeof units)[0]);
  expect(task.bytes).toBe(3 * each);
  it.offer(0, false);
  it.sent(0);
  expect(task.bytes).toBe(3 * each);
  it.written();
  expect(task.bytes).toBe(2 * each);
  it.abandon('revoked');
  expect([task.bytes, it.bytes]).toEqual([0, 0]);
});

test('sends user records one by one where the target is 0', () => {
  const it = lane(ONE_BY_ONE);
  for (const sequence of [1, 2]) it.push(unit(sequence, 100), 0);
  expect(it.offer(0, false)?.userRecords).toBe(1);
});
