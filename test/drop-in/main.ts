/**
 * `npm run test:drop-in`: packs the package as published, installs the tarball from the registry into an empty
 * project, and tries it on two releases of Node, with four ways of resolving, and in the servers of others.
 * Takes some minutes and the network; `npm test` has the short form.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CreateStreamCommand, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { startKinesisServer } from '../../local/kinesis/server.ts';
import { encodeEvent } from '../../shared/record/event.ts';
import { connect } from '../support/kinesis-client.ts';
import { copyPrograms, type PackedPackage, packPackage, run } from './packed.ts';
import { runProgram } from './running-program.ts';

/** What a dependent has to download, MB. Almost all of it is AWS's clients and the MP4 writer. */
const MAX_MEGABYTES = 70;
const NODES = ['22.23.3', '24.21.0'];
const KINESIS_CLIENT = '@aws-sdk/client-kinesis';
/** An AWS SDK of between the oldest that the package takes and the one it is tested with. */
const OWN_SDK = '3.922.0';
const INSTALL = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
const GATEWAYS = [
  'express@5',
  'hono@4',
  '@hono/node-server@1',
  '@nestjs/common@11',
  '@nestjs/core@11',
  '@nestjs/platform-express@11',
  'reflect-metadata@0.2',
  'rxjs@7',
];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function emptyProject(packed: PackedPackage, name: string, ...packages: string[]): string {
  const project = join(packed.directory, name);
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"private":true}');
  run('npm', [...INSTALL, packed.tarball, ...packages], project);
  return project;
}

function megabytes(folder: string): number {
  const sizes = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  return sizes.reduce((sum, size) => sum + size, 0) / 1e6;
}

/** The package alone: its size, its commands, no Node; ES modules and CommonJS on each Node. */
function checkInstall(packed: PackedPackage): void {
  const project = emptyProject(packed, 'empty');
  const modules = join(project, 'node_modules');
  const size = megabytes(modules);
  const commands = readdirSync(join(modules, '.bin')).filter((name) => !/\.(cmd|ps1)$/.test(name));
  say(`installed: ${size.toFixed(1)} MB, commands ${commands.join(', ')}`);
  assert.ok(size < MAX_MEGABYTES, `${size} MB`);
  assert.ok(commands.includes('rtms') && !commands.includes('node'));
  assert.deepEqual(
    readdirSync(modules).filter((name) => /^node(-linux|-bin|$)/.test(name)),
    [],
  );
  const names = 'typeof rtms.Client, typeof rtms.onWebhookEvent, rtms.AudioCodec.OPUS';
  const sources = {
    'es.mjs': `import rtms, { Client } from 'rtms-kinesis'; import 'rtms-kinesis/consumer'; console.log(${names}, typeof Client);`,
    'common.cjs': `const rtms = require('rtms-kinesis').default; const { Client } = require('rtms-kinesis'); require('rtms-kinesis/consumer'); console.log(${names}, typeof Client);`,
  };
  for (const version of NODES) {
    const home = join(packed.directory, `node-${version}`);
    mkdirSync(home);
    writeFileSync(join(home, 'package.json'), '{"private":true}');
    run('npm', [...INSTALL, `node-${process.platform}-${process.arch}@${version}`], home);
    const node = join(home, 'node_modules', '.bin', 'node');
    for (const [file, source] of Object.entries(sources)) {
      writeFileSync(join(project, file), source);
      const told = run(node, ['--disable-warning=ExperimentalWarning', file], project).trim();
      assert.equal(told, 'function function 4 function');
      say(`Node ${version}: ${file} loads`);
    }
    assert.match(run(node, [join('node_modules', '.bin', 'rtms'), '--version'], project), /^\d/);
  }
}

/** The types, libraries checked as well, in each way of resolving. */
function checkTypes(packed: PackedPackage): void {
  const project = emptyProject(packed, 'types', 'typescript@5.9.3', '@types/node@22');
  const source = readFileSync(new URL('./types/zoom-program.ts', import.meta.url), 'utf8');
  const program = source.replace("'../../../sdk/index.ts'", "'rtms-kinesis'");
  const consumer =
    "import { decodeMediaRecord } from 'rtms-kinesis/consumer';\nexport { decodeMediaRecord };\n";
  for (const extension of ['ts', 'mts', 'cts']) {
    writeFileSync(join(project, `program.${extension}`), program);
    writeFileSync(join(project, `consumer.${extension}`), consumer);
  }
  for (const [module, resolution, extension] of [
    ['nodenext', 'nodenext', 'mts'],
    ['nodenext', 'nodenext', 'cts'],
    ['esnext', 'bundler', 'ts'],
    ['commonjs', 'node10', 'ts'],
  ] as const) {
    const flags = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--esModuleInterop'];
    const target = ['--target', 'es2022', '--lib', 'es2022', '--types', 'node'];
    const how = ['--module', module, '--moduleResolution', resolution];
    const files = [`program.${extension}`, `consumer.${extension}`];
    try {
      run(
        process.execPath,
        ['node_modules/typescript/bin/tsc', ...flags, ...target, ...how, ...files],
        project,
      );
    } catch (error) {
      throw new Error(`${how.join(' ')}:\n${(error as { stdout?: string }).stdout}`);
    }
    say(`types: ${module}, ${resolution}, .${extension} compiles`);
  }
}

/**
 * A project with an AWS SDK of its own, the oldest that is allowed and one between: the kit reads with that client, by its types
 * too; there is one copy of it; and the command has what it needs.
 */
async function checkOwnSdk(packed: PackedPackage): Promise<void> {
  const server = await startKinesisServer();
  try {
    await writeLine(server.url);
    const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    const oldest = peerDependencies[KINESIS_CLIENT].replace('^', '');
    for (const version of [oldest, OWN_SDK]) await checkSdk(packed, version, server.url);
  } finally {
    await server.close();
  }
}

async function checkSdk(packed: PackedPackage, version: string, url: string): Promise<void> {
  const own = `${KINESIS_CLIENT}@${version}`;
  const project = emptyProject(packed, `sdk-${version}`, own, 'typescript@5.9.3', '@types/node@22');
  assert.deepEqual(copiesOf(join(project, 'node_modules'), KINESIS_CLIENT), [version]);
  const source = readFileSync(new URL('./types/own-sdk.ts', import.meta.url), 'utf8');
  const program = source.replace('../../../sdk/consumer/index.ts', 'rtms-kinesis/consumer');
  writeFileSync(join(project, 'program.mts'), program);
  const options = ['--strict', '--skipLibCheck', 'false', '--types', 'node'];
  const how = ['--target', 'es2022', '--module', 'nodenext', 'program.mts'];
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
  run(process.execPath, [tsc, ...options, ...how], project);
  // Not `run`: what the program reads from is served by this process.
  const { stdout } = await promisify(execFile)(process.execPath, ['program.mjs'], {
    cwd: project,
    env: { ...process.env, KINESIS_URL: url },
  });
  assert.equal(stdout, 'Ada: The budget.\n');
  const rtms = join('node_modules', '.bin', 'rtms');
  run(process.execPath, [rtms, 'sessions', '--help'], project);
  say(`own AWS SDK ${version}: one copy of its client, compiles, reads; rtms runs`);
}

/** One line of a transcript in a new stream `events`. */
async function writeLine(url: string): Promise<void> {
  const client = connect(url);
  const said = { userId: 7, userName: 'Ada', text: 'The budget.', timestampMs: 1 };
  const origin = { rtmsStreamId: 'stream-1', epoch: 1, product: 'meeting', entityId: 'a' } as const;
  const Data = encodeEvent(origin, 'transcript', 1, Date.now(), said);
  const StreamName = 'events';
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  await client.send(new PutRecordCommand({ StreamName, PartitionKey: 'stream-1', Data }));
  client.destroy();
}

/** Versions of a package anywhere below a folder. */
function copiesOf(modules: string, name: string): string[] {
  return readdirSync(modules, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => `/node_modules/${path}`.endsWith(`/node_modules/${name}/package.json`))
    .map((path) => JSON.parse(readFileSync(join(modules, path), 'utf8')).version);
}

/** The webhook in the servers of others, each with a meeting of the simulator. */
async function checkGateways(packed: PackedPackage): Promise<void> {
  const project = emptyProject(packed, 'gateways', ...GATEWAYS);
  copyPrograms(project, 'gateways');
  for (const [file, path] of [
    ['express-gateway.mjs', '/zoom/webhook'],
    ['hono-gateway.mjs', '/zoom/webhook'],
    ['nest-gateway.cjs', '/api/zoom/webhook'],
  ] as const) {
    await using program = await runProgram(project, file, { path });
    await program.line(/^audio of (John Smith|Alice)$/);
    say(`${file} brings audio`);
  }
}

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
using packed = packPackage('complete');
say(
  `tarball: ${(statSync(packed.tarball).size / 1e6).toFixed(2)} MB, ${packed.files.length} files`,
);
assert.deepEqual(
  packed.files.filter(({ path }) => /\.test\.|^test\//.test(path)),
  [],
);
checkInstall(packed);
checkTypes(packed);
await checkOwnSdk(packed);
await checkGateways(packed);
say('drop-in: all of it holds');
