import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createProgram } from './program.ts';

const CDK_COMMANDS = ['bootstrap', 'deploy', 'destroy', 'synth'];
const CDK_FLAGS = ['-c'];

/** Lines of the shell blocks of a document that begin with the words, without their comments. */
function commandsOf(document: string, beginning: string): string[][] {
  const text = readFileSync(new URL(`../docs/${document}`, import.meta.url), 'utf8');
  return [...text.matchAll(/```sh\n(.*?)```/gs)]
    .flatMap(([, block = '']) => block.replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.replace(/\s#.*$/, '').trim())
    .filter((line) => line.startsWith(`${beginning} `))
    .map((line) => line.slice(beginning.length).trim().split(/\s+/));
}

describe.each(['deploy.md', 'runbook.md'])('docs/%s', (document) => {
  test('every rtms command has a name, flags and arguments that rtms knows', () => {
    for (const [name = '', ...words] of commandsOf(document, 'rtms')) {
      const command = createProgram().commands.find((each) => each.name() === name);
      expect(command, name).toBeDefined();
      const known = ['--help', ...(command?.options.map(({ long }) => String(long)) ?? [])];
      const flags = words.filter((word) => word.startsWith('-'));
      for (const flag of flags) expect(known, `rtms ${name}`).toContain(flag);
    }
  });

  test('every cdk command and flag is one that the cdk command has', () => {
    for (const [name, ...words] of commandsOf(document, 'npx cdk')) {
      expect(CDK_COMMANDS).toContain(name);
      for (const word of words.filter((each) => each.startsWith('-'))) {
        expect(CDK_FLAGS).toContain(word);
      }
    }
  });
});

test('the runbook has commands under every alarm', () => {
  const text = readFileSync(new URL('../docs/runbook.md', import.meta.url), 'utf8');
  const sections = text.split(/^(?=##? )/m).filter((section) => section.startsWith('## '));
  expect(sections.length).toBeGreaterThan(35);
  for (const section of sections) expect(section).toMatch(/^## .*```sh\n/s);
});
