import { expect, test } from 'vitest';
import { allocateRecord, releaseRecord } from './record-memory.ts';

test.each([0, 1, 255, 256, 257, 740, 1_024, 1_025, 16_384, 16_385, 300_000])(
  'gives %i bytes exactly, and the same memory again',
  (sizeBytes) => {
    const first = allocateRecord(sizeBytes);
    expect(first).toHaveLength(sizeBytes);
    const { buffer } = first;
    releaseRecord(first);
    const second = allocateRecord(sizeBytes);
    expect(second).toHaveLength(sizeBytes);
    expect(second.buffer === buffer).toBe(sizeBytes <= 16_384);
  },
);

test('never gives the same memory twice at a time', () => {
  const records = Array.from({ length: 100 }, () => allocateRecord(700));
  for (const record of records.splice(0, 50)) releaseRecord(record);
  records.push(...Array.from({ length: 80 }, () => allocateRecord(700)));
  expect(new Set(records.map(({ buffer }) => buffer)).size).toBe(130);
});
