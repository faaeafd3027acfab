import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs, promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { STAGES } from '../infra/config/stages.ts';
import { parseSigningSecret, parseWebhookSecret } from '../shared/zoom/credentials.ts';
import { createProgram } from './program.ts';

const CDK = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');
/** The one of cdk.json comes first. */
const STAGE_NAMES = ['dev', ...Object.keys(STAGES)];

function readDocument(name: string): string {
  return readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8');
}

const helps = new Map<string, Promise<string[]>>();

/** What `cdk <name> --help` lists. @throws Error when cdk has no such command */
function optionsOfCdk(name: string): Promise<string[]> {
  const known = helps.get(name);
  if (known !== undefined) return known;
  const asked = promisify(execFile)(process.execPath, [CDK, name, '--help']).then(({ stdout }) => {
    if (!stdout.startsWith(`cdk ${name}`)) throw new Error(`cdk has no command ${name}`);
    return [...stdout.matchAll(/^ {2}(-.+?)(?: {2,}|$)/gm)].flatMap(([, flags = '']) =>
      flags.split(', ').map((flag) => flag.trim()),
    );
  });
  helps.set(name, asked);
  return asked;
}

/** Lines of the shell blocks of a document that begin with the words, without their comments. */
function commandsOf(document: string, beginning: string): string[][] {
  return [...readDocument(document).matchAll(/```sh\n(.*?)```/gs)]
    .flatMap(([, block = '']) => block.replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.replace(/\s#.*$/, '').trim())
    .filter((line) => line.startsWith(`${beginning} `))
    .map((line) => line.slice(beginning.length).trim().split(/\s+/));
}

describe.each(['deploy.md', 'runbook.md'])('docs/%s', (document) => {
  test('every rtms command has a name, flags and arguments that rtms knows', () => {
    const commands = [...commandsOf(document, 'rtms'), ...commandsOf(document, 'npx rtms')];
    for (const [name = '', ...words] of commands) {
      const command = createProgram().commands.find((each) => each.name() === name);
      expect(command, name).toBeDefined();
      const known = ['--help', ...(command?.options.map(({ long }) => String(long)) ?? [])];
      const flags = words.filter((word) => word.startsWith('-'));
      for (const flag of flags) expect(known, `rtms ${name}`).toContain(flag);
    }
  });

  test('every cdk command and flag is one that the cdk command has, and every stack is one of ours', {
    timeout: 60_000,
  }, async () => {
    for (const [name = '', ...words] of commandsOf(document, 'npx cdk')) {
      const known = await optionsOfCdk(name);
      const { values, positionals } = parseArgs({
        args: words,
        allowPositionals: true,
        options: { context: { type: 'string', short: 'c' } },
        strict: false,
      });
      for (const flag of words.filter((word) => word.startsWith('-'))) {
        expect(known, `cdk ${name}`).toContain(flag);
      }
      const [, stage = STAGE_NAMES[0]] = /^stage=(.+)$/.exec(String(values['context'])) ?? [];
      expect(STAGE_NAMES).toContain(stage);
      for (const stack of positionals) expect(stack).toBe(`RtmsKinesis-${stage}`);
    }
  });
});

test('docs/deploy.md writes secrets as runners and webhook read them', () => {
  const text = readDocument('deploy.md');
  const [credentials = '', tokens = ''] = [...text.matchAll(/```json\n(.*?)```/gs)].map(
    ([, block = '']) => block,
  );
  expect([...parseSigningSecret(credentials).apps.keys()]).toEqual(['default']);
  expect([...parseWebhookSecret(tokens).apps.keys()]).toEqual(['default']);
});

test('the runbook has commands under every alarm', () => {
  const text = readFileSync(new URL('../docs/runbook.md', import.meta.url), 'utf8');
  const sections = text.split(/^(?=##? )/m).filter((section) => section.startsWith('## '));
  expect(sections.length).toBeGreaterThan(35);
  for (const section of sections) expect(section).toMatch(/^## .*```sh\n/s);
});
