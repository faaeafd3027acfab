import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Stack } from 'aws-cdk-lib';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, test } from 'vitest';
import {
  addStack,
  CONFIGS,
  createValidatedApp,
  synthesize,
} from '../../test/support/infra-templates.ts';
import { EXCUSED_FINDINGS } from './excused-findings.ts';

/** The first synthesis of a process also compiles the validator's rules. */
const TIMEOUT_MS = 120_000;
const CONFIG_COUNT = Object.keys(CONFIGS).length;

test('every configuration passes the CloudFormation validator and cdk-nag', {
  timeout: TIMEOUT_MS,
}, () => {
  const app = createValidatedApp();
  for (const name of Object.keys(CONFIGS)) addStack(app, name);
  expect(() => app.synth()).not.toThrow();
});

test.each([
  ['the validator', { visibilityTimeout: 999_999 }, /VisibilityTimeout: 999999 is greater/],
  ['cdk-nag', {}, /AwsSolutions-SQS3/],
])('a finding of %s fails the build', { timeout: TIMEOUT_MS }, (_, properties, finding) => {
  const app = createValidatedApp();
  new CfnQueue(new Stack(app, 'Bad'), 'Queue', properties);
  expect(() => app.synth()).toThrow(finding);
});

/** Runs a validator. @returns what it wrote, whether it found something or not */
async function run(command: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { maxBuffer: 64 * 1024 ** 2 })).stdout;
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

const isInstalled = (command: string) =>
  (process.env['PATH'] ?? '').split(delimiter).some((path) => existsSync(join(path, command)));

/** Python programs, which npm does not install: `pip install cfn-lint checkov`. */
const OTHERS: readonly (readonly [string, (template: string) => Promise<string[]>])[] = [
  [
    'cfn-lint',
    async (template) => {
      const args = ['--template', template, '--format', 'json', '--regions', 'us-east-1'];
      const found = JSON.parse(await run('cfn-lint', args));
      return found.map(
        (one: { Rule: { Id: string }; Message: string }) => `${one.Rule.Id} ${one.Message}`,
      );
    },
  ],
  [
    'checkov',
    async (template) => {
      const args = [
        '--file',
        template,
        '--framework',
        'cloudformation',
        '--quiet',
        '--output',
        'json',
      ];
      const { results } = JSON.parse(await run('checkov', args));
      const found: { check_id: string; resource: string }[] = results.failed_checks;
      return found.map(({ check_id, resource }) => `${check_id} ${resource}`);
    },
  ],
];

describe.each(OTHERS)('%s', (command, findingsOf) => {
  test.skipIf(!isInstalled(command)).each(Object.keys(CONFIGS))(
    'the validator finds nothing in %s that is not excused',
    { timeout: TIMEOUT_MS },
    async (name) => {
      const directory = await mkdtemp(join(tmpdir(), 'rtms-template-'));
      const template = join(directory, 'template.json');
      // Without line breaks Checkov takes all resources for one.
      await writeFile(template, JSON.stringify(synthesize(name).template.toJSON(), null, 1));
      expect(await findingsOf(template)).toEqual([]);
      await rm(directory, { recursive: true });
    },
  );

  test.skipIf(!isInstalled(command))(
    'the validator still finds everything that is excused',
    { timeout: CONFIG_COUNT * TIMEOUT_MS },
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'rtms-template-'));
      const found = new Set<string>();
      for (const name of Object.keys(CONFIGS)) {
        const template = join(directory, `${name}.json`);
        const { Resources, ...rest } = structuredClone(synthesize(name).template.toJSON());
        for (const resource of Object.values<{ Metadata?: unknown }>(Resources)) {
          delete resource.Metadata;
        }
        await writeFile(template, JSON.stringify({ ...rest, Resources }, null, 1));
        for (const finding of await findingsOf(template)) found.add(finding.split(' ')[0] ?? '');
      }
      await rm(directory, { recursive: true });
      const excused = EXCUSED_FINDINGS.map(({ id }) => id);
      const isOwn = (id: string) => id.startsWith('CKV') === (command === 'checkov');
      expect([...found].sort()).toEqual(excused.filter(isOwn).sort());
    },
  );
});
