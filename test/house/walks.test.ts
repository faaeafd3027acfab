import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/inside-the-runner.md', 'utf8');
const walks = page.split(/^## /m).filter((section) => /^\| 1 \|/m.test(section));

test('docs/inside-the-runner.md walks from file to file that is there, and visits none twice', () => {
  expect(walks).toHaveLength(3);
  for (const walk of walks) {
    const files = [...walk.matchAll(/^\| \d+ \| `([^`]+)`/gm)].map(([, file = '']) => file);
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
    expect(new Set(files).size).toBe(files.length);
  }
});

test('docs/inside-the-runner.md names a file that is there wherever it says where something goes', () => {
  const answers = page.slice(page.indexOf('## Where does it go?'));
  const files = [...answers.matchAll(/`([a-z-]+\/[^`]+\.ts)`/g)].map(([, file = '']) => file);
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});
