import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** What `npm pack` would ship: JavaScript and types that run where Node strips none, and do what the documents say. */

const PAGES = ['README.md', ...globSync('docs/*.md')];
const BLOCK = /```ts\n([\s\S]*?)```/g;

/** The blocks that a reader would copy into a file: those with an import. Others are parts of a configuration. */
const programs = PAGES.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(BLOCK)]
    .map(([, code = '']) => code)
    .filter((code) => /^import /m.test(code))
    .map((code, index) => ({ file: `${page.replaceAll(/[/.]/g, '-')}-${index}.ts`, code })),
);

/** Names that a page leaves to its reader. A name that is neither here nor in the program is a mistake of the page. */
const READERS_OWN = `
declare const client: import('@aws-sdk/client-kinesis').KinesisClient;
declare const rtmsStreamId: string;
declare const startMs: number;
declare function store(frames: unknown, events: unknown): Promise<void>;
declare const stack: import('constructs').Construct;
declare const archiver: import('aws-cdk-lib/aws-iam').IGrantable;
declare const analyst: import('aws-cdk-lib/aws-iam').IGrantable;
declare const recorder: import('aws-cdk-lib/aws-lambda').IFunction;
`;

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

test('every program of README and docs compiles under strict types', async () => {
  expect(programs.length).toBeGreaterThan(5);
  const folder = join(directory, 'documented');
  await mkdir(folder);
  for (const { file, code } of programs) {
    await writeFile(join(folder, file), `${code}\nexport {};\n`);
  }
  await writeFile(join(folder, 'readers-own.d.ts'), READERS_OWN);
  const { exports } = JSON.parse(await readFile('package.json', 'utf8'));
  const typesOf = (name: string) => [join('..', exports[name].types)];
  const paths = {
    'rtms-kinesis': typesOf('.'),
    'rtms-kinesis/consumer': typesOf('./consumer'),
    'rtms-kinesis/infra': typesOf('./infra'),
  };
  const options = {
    extends: '../../../tsconfig.json',
    compilerOptions: { paths, noUnusedLocals: false },
    include: ['*.ts'],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(options));
  const tsc = run('node_modules/.bin/tsc', ['-p', folder]);
  const { stdout } = await tsc.catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
});
