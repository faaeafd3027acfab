import { expect, test } from 'vitest';
import { ProgressBar } from './output.ts';

function terminal() {
  const written: string[] = [];
  return { written, stream: { write: (text: string) => written.push(text) } as never };
}

test('a progress bar draws one line and erases it at the end', () => {
  const { written, stream } = terminal();
  const bar = new ProgressBar('reading', stream);
  bar.update(0.5, '7 frames');
  bar.end();
  const half = `${'#'.repeat(15)}${'.'.repeat(15)}`;
  expect(written).toEqual([`\r\u001b[Kreading [${half}]  50 % 7 frames`, '\r\u001b[K']);
});

test('a progress bar stays within its bounds and is not redrawn for every frame', () => {
  const { written, stream } = terminal();
  const bar = new ProgressBar('reading', stream);
  for (let frame = 0; frame < 100; frame++) bar.update(7, '');
  expect(written).toHaveLength(1);
  expect(written[0]).toContain('100 %');
});

test('a progress bar writes nothing without a terminal', () => {
  const bar = new ProgressBar('reading', undefined);
  expect(() => bar.update(0.5, '')).not.toThrow();
  bar.end();
});
