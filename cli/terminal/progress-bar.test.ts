import { describe, expect, it } from 'vitest';
import { ProgressBar } from './progress-bar.ts';

function terminal() {
  const written: string[] = [];
  return { written, stream: { write: (text: string) => written.push(text) } as never };
}

describe('ProgressBar', () => {
  it('draws one line, and takes it away at the end', () => {
    const { written, stream } = terminal();
    const bar = new ProgressBar('reading', stream);
    bar.update(0.5, '7 frames');
    bar.end();
    const half = `${'#'.repeat(15)}${'.'.repeat(15)}`;
    expect(written).toEqual([`\r\u001b[Kreading [${half}]  50 % 7 frames`, '\r\u001b[K']);
  });

  it('stays inside its bounds, and is not drawn for every frame', () => {
    const { written, stream } = terminal();
    const bar = new ProgressBar('reading', stream);
    for (let frame = 0; frame < 100; frame++) bar.update(7, '');
    expect(written).toHaveLength(1);
    expect(written[0]).toContain('100 %');
  });

  it('writes nothing where there is no terminal', () => {
    const bar = new ProgressBar('reading', undefined);
    expect(() => bar.update(0.5, '')).not.toThrow();
    bar.end();
  });
});
