import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';

const page = readFileSync('docs/sdk.md', 'utf8');
const parity = page.slice(page.indexOf('## Parity'));

/** The lines of the two tables: what Zoom has, a mark, a remark, and where it is tested. */
const lines = parity
  .split('\n')
  .filter((line) => /^\|(?!-)/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  .filter(([, mark]) => mark !== 'here');

const files = new Set(
  globSync(['{sdk,rtms,shared,test,docs}/**/*.{ts,mjs,cjs}']).flatMap((path) => [
    path,
    basename(path),
  ]),
);

test('every line of the parity table names a test that is there, or says that there is nothing to test', () => {
  expect(lines.length).toBeGreaterThan(40);
  for (const [zoom = '', mark = '', , tests = ''] of lines) {
    expect(['✓', '+', '≠', '–'], zoom).toContain(mark);
    const named = [...tests.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');
    const programs = named.filter((name) => /\.[mc]?[jt]s$/.test(name));
    for (const name of programs) {
      const isThere = files.has(name) || [...files].some((path) => path.endsWith(`/${name}`));
      expect(isThere, `${zoom}: ${name}`).toBe(true);
    }
    if (mark !== '–' && !tests.includes('](')) expect(programs, zoom).not.toEqual([]);
  }
});
