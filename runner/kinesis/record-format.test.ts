import { expect, test } from 'vitest';
import { MemoryPool } from '../../shared/memory-pool.ts';
import { aggregateSize } from '../../test/support/aggregate-size.ts';
import { AGGREGATES, LINES, type RecordFormat } from './record-format.ts';

const LINES_OF_TEXT = ['{"a":1}\n', '{"b":"ü"}\n', '\n'].map((text) => Buffer.from(text));

test('lines stand one after the other, byte for byte', () => {
  expect(LINES.pack('key', LINES_OF_TEXT, new MemoryPool()).toString()).toBe(
    '{"a":1}\n{"b":"ü"}\n\n',
  );
});

test.each<[string, RecordFormat, number]>([
  ['lines', LINES, 0],
  ['aggregates', AGGREGATES, aggregateSize(3, [])],
])('the size of packed %s is known before they are packed', (_, format, empty) => {
  const grown = LINES_OF_TEXT.reduce((sum, { length }) => sum + format.grownBytes(length), 0);
  expect(format.emptyBytes(3)).toBe(empty);
  expect(format.pack('key', LINES_OF_TEXT, new MemoryPool())).toHaveLength(empty + grown);
});
