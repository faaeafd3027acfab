import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyPrograms, type PackedPackage, packPackage, quickProject, run } from './packed.ts';
import { runProgram } from './running-program.ts';

let packed: PackedPackage;
let project: string;

beforeAll(() => {
  packed = packPackage('quick');
  project = quickProject(packed);
  copyPrograms(project, 'programs');
}, 120_000);
afterAll(() => packed?.[Symbol.dispose]());

// Each program is a process with a Zoom of its own, and waits for most of its time.
test.concurrent('validation.mjs takes genuine deliveries by its own check over JSON.stringify', async () => {
  await using program = await runProgram(project, 'validation.mjs');
  await program.line(/^heard John Smith: Line \d+\.$/);
  expect(program.lines()).not.toContain('refused');
});

test.concurrent('rejoin.mjs has its media again after a repeated start and a fail-over', async () => {
  await using program = await runProgram(project, 'rejoin.mjs');
  const { simulator, rtmsStreamId } = program;
  await program.line(/^audio 1$/);
  simulator.act(rtmsStreamId, { do: 'replay_webhook', kind: 'started' });
  await program.line(/^audio 2$/);
  simulator.act(rtmsStreamId, { do: 'failover', oldSockets: 'keep' });
  await program.line(/^audio 3$/);
  const order = program.lines().filter((line) => /^(left|confirmed)/.test(line));
  expect(order).toEqual([
    'confirmed 1 0',
    'left 1 0',
    'confirmed 2 0',
    'left 2 0',
    'confirmed 3 0',
  ]);
});

test.concurrent('rest-arguments.mjs gets the arguments of Zooms SDK, plain and no more of them', async () => {
  await using program = await runProgram(project, 'rest-arguments.mjs');
  const metadata = 'userName,userId,startTs,endTs,aiInterpreter';
  for (const line of [
    /^webhook 1$/,
    /^onJoinConfirm 1 true number$/,
    /^onSessionUpdate 2 true number sessionId,streamId,meetingId,statTime,status,isActive,isPaused$/,
    /^onUserUpdate 2 true number id,name,userId,userName$/,
    new RegExp(`^onAudioData 4 true object number number ${metadata}$`),
    new RegExp(`^onVideoData 4 true object number number ${metadata}$`),
    new RegExp(`^onTranscriptData 4 true object number number ${metadata},line$`),
    /^onParticipantEvent 3 true string number object$/,
    /^onActiveSpeakerEvent 3 true number number string$/,
    /^onParticipantVideo 2 true object boolean$/,
    /^onEventEx 1 true string$/,
  ]) {
    await program.line(line);
  }
  program.simulator.act(program.rtmsStreamId, { do: 'stop', reason: 6 });
  await program.line(/^onLeave 1 true number$/);
});

test.concurrent('iso-timestamp.mjs dates lines by the microseconds that Zoom writes', async () => {
  const simulator = { behaviour: { transcriptTimeUnit: 'us' } } as const;
  await using program = await runProgram(project, 'iso-timestamp.mjs', { simulator });
  const line = await program.line(/^line .* true Line \d+\.$/);
  expect(Math.abs(Date.parse(line.split(' ')[1] ?? '') - Date.now())).toBeLessThan(600_000);
});

test.concurrent('recorder.cjs, in CommonJS, writes whole frames of each speaker and ends with the stream', async () => {
  await using program = await runProgram(project, 'recorder.cjs');
  await program.line(/^wrote 3200$/);
  program.simulator.act(program.rtmsStreamId, { do: 'stop', reason: 6 });
  await program.line(/^closed 6 2 true$/);
  expect((await program.exited).code).toBe(0);
});

test.concurrent('singleton.mjs is served by the functions of the module', async () => {
  await using program = await runProgram(project, 'singleton.mjs');
  await program.line(/^confirmed 0$/);
  await program.line(/^audio of (John Smith|Alice)$/);
});

test.concurrent('late-callbacks.mjs is served although it joins before it says what it wants', async () => {
  await using program = await runProgram(project, 'late-callbacks.mjs');
  await program.line(/^audio of (John Smith|Alice)$/);
  await program.line(/^heard Line \d+\.$/);
});

test.concurrent('individual-video.mjs gets the camera of who has joined', async () => {
  await using program = await runProgram(project, 'individual-video.mjs');
  await program.line(/^subscribed 16778240 0$/);
  await program.line(/^video of John Smith$/);
});

test.concurrent('fastify-gateway.mjs answers under a prefix', async () => {
  await using program = await runProgram(project, 'fastify-gateway.mjs', { path: '/zoom/webhook' });
  await program.line(/^audio of (John Smith|Alice)$/);
});

test('the package names what each way of resolving looks for, and brings no Node', () => {
  const manifest = JSON.parse(
    readFileSync(join(project, 'node_modules/rtms-kinesis/package.json'), 'utf8'),
  ) as Record<string, unknown>;
  expect(manifest).toMatchObject({
    main: './dist/sdk/client/index.js',
    types: './dist/sdk/client/index.d.ts',
    bin: { rtms: 'cli/rtms.mjs' },
    typesVersions: { '*': { consumer: ['./dist/sdk/consumer/index.d.ts'] } },
  });
  expect(manifest).not.toHaveProperty('optionalDependencies');
  const brought = Object.keys(manifest['dependencies'] as object);
  expect(brought.filter((name) => /^node(-|$)/.test(name))).toEqual([]);
  const paths = packed.files.map(({ path }) => path);
  expect(paths).toContain('dist/sdk/client/index.js');
  expect(paths).toContain('cli/rtms.mjs');
  expect(paths.filter((path) => /\.test\.|^test\/|node_modules/.test(path))).toEqual([]);
});

test('the infra of the installed package refuses a Kinesis client older than the runner was tested with', () => {
  const installed = join(project, 'node_modules/rtms-kinesis');
  const file = './node_modules/rtms-kinesis/dist/infra/bundling/bundle-options.js';
  const source = `(await import('${file}')).checkKinesisClient()`;
  // Each in a process of its own: Node remembers where it found a package.
  const check = () => run(process.execPath, ['--input-type=module', '--eval', source], project);
  expect(check).not.toThrow();
  const older = join(installed, 'node_modules/@aws-sdk/client-kinesis');
  mkdirSync(older, { recursive: true });
  try {
    writeFileSync(join(older, 'package.json'), '{"version":"3.723.0"}');
    expect(check).toThrow(/or newer, and 3\.723\.0 is installed: npm install/);
  } finally {
    rmSync(join(installed, 'node_modules'), { recursive: true });
  }
});
