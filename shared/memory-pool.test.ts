import { expect, test } from 'vitest';
import { giveMemory, takeMemory } from './memory-pool.ts';

test.each([0, 1, 255, 256, 257, 740, 1_024, 1_025, 16_384, 16_385, 300_000, 8 * 1024 * 1024])(
  'gives %i bytes exactly, and the same memory again',
  (sizeBytes) => {
    const first = takeMemory(sizeBytes);
    expect(first).toHaveLength(sizeBytes);
    const wasted = first.buffer.byteLength - Math.max(sizeBytes, 256);
    expect(wasted).toBeLessThanOrEqual(Math.max(sizeBytes, 256) / 4);
    giveMemory(first);
    const second = takeMemory(sizeBytes);
    expect(second).toHaveLength(sizeBytes);
    expect(second.buffer).toBe(first.buffer);
  },
);

test('a neighbouring size gets the same memory, by its own length', () => {
  const first = takeMemory(5_000);
  giveMemory(first);
  const second = takeMemory(4_990);
  expect(second).toHaveLength(4_990);
  expect(second.buffer).toBe(first.buffer);
});

test('never gives the same memory twice at a time', () => {
  const records = Array.from({ length: 100 }, () => takeMemory(700));
  for (const record of records.splice(0, 50)) giveMemory(record);
  records.push(...Array.from({ length: 80 }, () => takeMemory(700)));
  expect(new Set(records.map(({ buffer }) => buffer)).size).toBe(130);
});

test('keeps a bounded amount, and makes room when another size is wanted', () => {
  const mebibyte = 1024 * 1024;
  const many = Array.from({ length: 40 }, () => takeMemory(mebibyte));
  for (const memory of many) giveMemory(memory);
  takeMemory(3_000);
  const before = new Set(many.map(({ buffer }) => buffer));
  const after = Array.from({ length: 40 }, () => takeMemory(mebibyte));
  expect(after.some(({ buffer }) => before.has(buffer))).toBe(false);

  const small = takeMemory(3_000);
  giveMemory(small);
  expect(takeMemory(3_000).buffer).toBe(small.buffer);
});
