import { beforeEach, expect, test } from 'vitest';
import { MemoryPool } from './memory-pool.ts';

let pool: MemoryPool;
beforeEach(() => {
  pool = new MemoryPool();
});

test.each([0, 1, 255, 256, 257, 740, 1_024, 1_025, 16_384, 16_385, 300_000, 8 * 1024 * 1024])(
  'acquires %i bytes exactly, and the same memory again after its release',
  (sizeBytes) => {
    const first = pool.acquire(sizeBytes);
    expect(first).toHaveLength(sizeBytes);
    const wasted = first.buffer.byteLength - Math.max(sizeBytes, 256);
    expect(wasted).toBeLessThanOrEqual(Math.max(sizeBytes, 256) / 4);
    pool.release(first);
    const second = pool.acquire(sizeBytes);
    expect(second).toHaveLength(sizeBytes);
    expect(second.buffer).toBe(first.buffer);
  },
);

test('a buffer serves a neighbouring size too, at the length asked for', () => {
  const first = pool.acquire(5_000);
  pool.release(first);
  const second = pool.acquire(4_990);
  expect(second).toHaveLength(4_990);
  expect(second.buffer).toBe(first.buffer);
});

test('memory is held by one owner at a time', () => {
  const records = Array.from({ length: 100 }, () => pool.acquire(700));
  for (const record of records.splice(0, 50)) pool.release(record);
  records.push(...Array.from({ length: 80 }, () => pool.acquire(700)));
  expect(new Set(records.map(({ buffer }) => buffer)).size).toBe(130);
});

test('keeps a bounded amount, and drops it when a full pool lacks the size asked for', () => {
  const mebibyte = 1024 * 1024;
  const many = Array.from({ length: 40 }, () => pool.acquire(mebibyte));
  for (const memory of many) pool.release(memory);
  pool.acquire(3_000);
  const before = new Set(many.map(({ buffer }) => buffer));
  const after = Array.from({ length: 40 }, () => pool.acquire(mebibyte));
  expect(after.some(({ buffer }) => before.has(buffer))).toBe(false);

  const small = pool.acquire(3_000);
  pool.release(small);
  expect(pool.acquire(3_000).buffer).toBe(small.buffer);
});
