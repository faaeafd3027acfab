import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** What `npm pack` would ship: JavaScript and types that run where Node strips none. */

const run = promisify(execFile);
/** The package's folder. Inside the repository, so that the emitted files find the dependencies. */
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join('node_modules', '.package-'));
  await run('node_modules/.bin/tsc', [
    '-p',
    'tsconfig.build.json',
    '--outDir',
    join(directory, 'dist'),
  ]);
  await copyFile('package.json', join(directory, 'package.json'));
}, 120_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The file of the build that an entry of `exports` names. */
async function entry(name: string): Promise<{ default: string; types: string }> {
  const { exports } = JSON.parse(await readFile('package.json', 'utf8'));
  const inBuild = (path: string) => join(directory, path);
  return { default: inBuild(exports[name].default), types: inBuild(exports[name].types) };
}

test.each([
  ['.', ['Client', 'onWebhookEvent', 'createWebhookHandler', 'generateSignature']],
  ['./consumer', ['frames', 'events', 'decodeKinesisEvent', 'LedgerChecker', 'MeetingExport']],
  ['./infra', ['RtmsKinesis']],
])('the entry %s runs as JavaScript and has types', async (name, exported) => {
  const { default: file, types } = await entry(name);
  const script = `console.log(JSON.stringify(Object.keys(await import('./${file}'))))`;
  const { stdout } = await run(process.execPath, [
    '--no-experimental-strip-types',
    '--input-type=module',
    '--eval',
    script,
  ]);
  expect(JSON.parse(stdout)).toEqual(expect.arrayContaining(exported));
  const declarations = await readFile(types, 'utf8');
  for (const name of exported) expect(declarations).toContain(name);
});

test('the rtms command runs as JavaScript', async () => {
  const { stdout } = await run(process.execPath, [
    '--no-experimental-strip-types',
    join(directory, 'dist/cli/main.js'),
    '--help',
  ]);
  expect(stdout).toContain('rtms [options] [command]');
});
