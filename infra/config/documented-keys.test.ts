import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromRoot } from '../bundling/bundle-options.ts';
import { NO_SUCH_KEY } from './faults.ts';
import { configKeys } from './keys.ts';
import { CONFIG, type ConfigInput, readConfig } from './schema.ts';

const SECTIONS = 'zoom|webhook|records|runner|network|monitoring|prices';
/** Finds `runner.maxTasks`, and no part of a path, an address or an expression in code. */
const NAMED = new RegExp(`(?<![\\w./@-])(?:${SECTIONS})(?:\\.[a-z]\\w*)+(?![\\w(])`, 'g');
/** Finds `webhook: { cloudFront: {} }`, which a reader copies. */
const SNIPPET = new RegExp(`^(?:${SECTIONS}): \\{.*\\}$`, 's');
/** Names that look like keys: Zoom's hosts, a file. */
const OTHERS = new Set(['zoom.us', 'zoom.com', 'records.jsonl']);

const FILES = globSync(
  '{*.md,docs/**/*.md,{cli,functions,infra,local,rtms,runner,sdk,shared,simulator}/**/*.ts}',
  {
    cwd: fromRoot(''),
  },
).filter((path) => !path.endsWith('.test.ts'));

/** The whole of a document; the texts and comments of code. */
function proseOf(path: string): string[] {
  const source = readFileSync(fromRoot(path), 'utf8');
  if (path.endsWith('.md')) return [source];
  const texts = /'(?:[^'\\\n]|\\.)*'|`[^`]*`|\/\*[\s\S]*?\*\/|\/\/.*$/gm;
  return [...source.matchAll(texts)].map(([text]) => text.replace(/\$\{[^}]*\}/g, '…'));
}

const KNOWN = new Set(
  configKeys(CONFIG).flatMap(({ path, beside }) => [
    ...path.map((_, index) => path.slice(0, index + 1).join('.')),
    ...Object.keys(beside),
  ]),
);

/** Asks the parsers of `rtms/protocol/` about keys of `zoom.media` and `zoom.protocol`. */
function isKey(name: string): boolean {
  if (!/^zoom\.(media|protocol)\./.test(name)) return KNOWN.has(name);
  const input = name.split('.').reduceRight<unknown>((below, key) => ({ [key]: below }), null);
  return !unknownKeys(input).some((fault) => name.startsWith(fault.split(':')[0] ?? ''));
}

/** The messages about unknown keys; those about values are left out. */
function unknownKeys(input: unknown): string[] {
  try {
    readConfig(input as ConfigInput);
    return [];
  } catch (error) {
    const { detail } = error as { detail: { faults: string[] } };
    return detail.faults.filter((fault) => fault.includes(NO_SUCH_KEY));
  }
}

describe('a key of the configuration', () => {
  test('each configuration key that a document, help text or message names exists', () => {
    const named = FILES.flatMap((path) =>
      proseOf(path).flatMap((text) =>
        [...text.matchAll(NAMED)].map(([name]) => ({ path, name: name.replace(/\.md$/, '') })),
      ),
    ).filter(({ name }) => !OTHERS.has(name));
    expect(named.length).toBeGreaterThan(60);
    expect(named.filter(({ name }) => !isKey(name))).toEqual([]);
  });

  test('each configuration key in a snippet of a document exists', () => {
    const snippets = FILES.filter((path) => path.endsWith('.md')).flatMap((path) =>
      [...readFileSync(fromRoot(path), 'utf8').matchAll(/(?<!`)`([^`]+)`(?!`)/g)]
        .map(([, text = '']) => ({ path, text }))
        .filter(({ text }) => SNIPPET.test(text)),
    );
    expect(snippets.length).toBeGreaterThan(8);
    for (const { path, text } of snippets) {
      const filled = text.replace(/<[^>]*>/g, '1').replace(/: …/g, ": 'active-speaker'");
      const input = new Function(`return { ${filled} }`)();
      expect(unknownKeys(input), `${path}: ${text}`).toEqual([]);
    }
  });

  test.each([
    'records.shards',
    'runner.cpus',
    'zoom.media.vidio',
    'zoom.media.video.folow',
    'zoom.protocol.phon',
  ])('%s is no key of the configuration', (name) => expect(isKey(name)).toBe(false));
});
