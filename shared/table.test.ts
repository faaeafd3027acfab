import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { layOut } from './table.ts';

const HEADER = ['rtms_stream_id', 'state', 'owner', 'epoch', 'lag ms'];
const ROW = ['609340fb2a7946909659956c8aa9250c', 'serving', 'task-0a1b2c3d4e5f', 12, undefined];

test('pads text to the right and numbers to the left, with a dash for what is not known', () => {
  expect(
    layOut(
      ['who', 'count'],
      [
        ['Ana', 7],
        ['Bartholomew', 1_200],
        [undefined, 0],
      ],
    ),
  ).toEqual([
    'who          count',
    'Ana              7',
    'Bartholomew   1200',
    '-                0',
  ]);
});

test('a narrow screen cuts the ends of the widest text cells and no number', () => {
  const [head, row] = layOut(HEADER, [ROW], 60);
  expect(row).toMatch(/^609340fb2a79.*… {2}serving {2}task-0a1b2c3d4e5f +12 +-$/);
  expect(row?.length).toBeLessThanOrEqual(60);
  expect(head?.length).toBeLessThanOrEqual(60);
});

const cell = fc.oneof(fc.string({ maxLength: 80 }), fc.nat(), fc.constant(undefined));
property.prop([fc.array(fc.tuple(cell, cell, cell)), fc.integer({ min: 1, max: 200 })])(
  'no line is wider than the screen',
  (rows, width) => {
    for (const line of layOut(['one', 'other', 'third'], rows, width)) {
      expect(line.length).toBeLessThanOrEqual(width);
    }
  },
);
