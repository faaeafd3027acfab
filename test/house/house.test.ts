import { expect, test } from 'vitest';
import { doubledNames } from './exported-names.ts';
import { missingFiles } from './named-files.ts';
import { circles, forbiddenArrows } from './rooms.ts';
import { oddRooms, tooLong, tooManyShort } from './sizes.ts';
import { isProduct, sourceFiles } from './source-files.ts';
import { testOnlyExports } from './test-only-exports.ts';
import { bannedWords } from './words.ts';

const code = sourceFiles(['.ts', '.tsx', '.mjs']);

test('no room imports another one that it may not import', () => {
  expect(forbiddenArrows(code)).toEqual([]);
});

test('no two rooms may import each other, not even over others', () => {
  expect(circles()).toEqual([]);
});

test('no two exported things share a name', () => {
  expect(doubledNames(code)).toEqual([]);
});

test('no file is over 300 lines without saying why', () => {
  expect(tooLong(code)).toEqual([]);
});

test('fewer than ten files of the product are under 40 lines, save those that something names by their path', () => {
  expect(tooManyShort(code)).toEqual([]);
});

test('the median file of every room has 60 to 150 lines', () => {
  expect(oddRooms(code)).toEqual([]);
});

test('no word that docs/glossary.md bans is said in code, tests or documents', () => {
  expect(bannedWords(sourceFiles(['.ts', '.tsx', '.mjs', '.md', '.py']))).toEqual([]);
});

test('nothing is exported that only tests use', () => {
  expect(testOnlyExports(code)).toEqual([]);
});

test('an export that only a test uses is found, and one that its own file or another one uses is not', () => {
  const file = (path: string, text: string) => ({ path, text, lines: text.split('\n') });
  const planted = [
    file('shared/a.ts', 'export const dead = 1;\nexport const own = 2; // dead\nuse(own);\n'),
    file('shared/b.ts', 'export function live() {}\nexport class Given {}\n'),
    file(
      'shared/c.ts',
      "import { live } from './b.ts';\nexport { Given as Taken } from './b.ts';\n",
    ),
    file('shared/a.test.ts', "import { dead } from './a.ts';\n"),
  ];
  expect(testOnlyExports(planted)).toEqual(['shared/a.ts: dead']);
});

test('every error code is raised by the product', () => {
  const isTable = ({ path }: { path: string }) => path === 'shared/errors.ts';
  const table = code.find(isTable)?.text ?? '';
  const codes = [...table.matchAll(/^ {2}('[a-z-]+\/[a-z-]+'):/gm)].map(([, name = '']) => name);
  const product = code.filter((file) => isProduct(file) && !isTable(file));
  expect(codes.length).toBeGreaterThan(50);
  expect(codes.filter((name) => !product.some(({ text }) => text.includes(name)))).toEqual([]);
});

test('every file that a document or a comment names is there', () => {
  expect(missingFiles([...code.filter(isProduct), ...sourceFiles(['.md'])])).toEqual([]);
});

test('no test waits for a second only, as vi.waitFor and vi.waitUntil do', () => {
  const waiting = code.filter(({ text }) => /\bvi\.wait(For|Until)\(/.test(text));
  expect(waiting.map(({ path }) => path)).toEqual(['test/support/wait.ts']);
});

test('a doubled name, a forbidden import, a banned word and a long file are found', () => {
  const file = (path: string, text: string) => ({ path, text, lines: text.split('\n') });
  const planted = [
    file('shared/a.ts', "export const x = 1;\nimport { y } from '../runner/b.ts';"),
    file('runner/b.ts', "import '../test/support/c.ts';\nexport const x = 2; // settled\n"),
    file('runner/c.ts', '\n'.repeat(301)),
    file('docs/d.md', 'see `runner/gone.ts` and runner/main.ts'),
  ];
  expect(doubledNames(planted)).toEqual(['x: shared/a.ts, runner/b.ts']);
  expect(forbiddenArrows(planted)).toEqual([
    'shared/a.ts imports runner/b.ts',
    'runner/b.ts imports test/support/c.ts',
  ]);
  expect(bannedWords(planted)).toHaveLength(1);
  expect(tooLong(planted)).toEqual(['runner/c.ts: 301 lines']);
  expect(missingFiles(planted)).toEqual(['docs/d.md: runner/gone.ts']);
});

test('ten short files, a listed file that is gone, and a room of short files are found', () => {
  const short = (path: string) => ({ path, text: '', lines: Array<string>(40).fill('') });
  const ten = Array.from({ length: 10 }, (_, index) => short(`runner/task/${index}.ts`));
  const found = tooManyShort([...ten, short('runner/main.ts')]);
  expect(found.filter((line) => line.endsWith(': short'))).toHaveLength(10);
  expect(found.some((line) => line.startsWith('cli/main.ts: not a short file'))).toBe(true);
  expect(found.some((line) => line.startsWith('runner/main.ts'))).toBe(false);
  expect(tooManyShort(ten.slice(1)).filter((line) => line.endsWith(': short'))).toEqual([]);
  expect(oddRooms(ten)).toEqual(['runner/task: its median file has 39 lines']);
});
