import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { areToolsRequired, missingTools, probe } from '../support/media-tools.ts';
import { waitFor } from '../support/wait.ts';

/** `npm start -- --live` as a person sees it, whose runner is killed in the middle of a meeting. */

const ZOOM = { clientId: 'id', clientSecret: 'secret', webhookSecretToken: 'token' };
test.runIf(areToolsRequired)('RTMS_REQUIRE_MEDIA_TOOLS: ffprobe is installed', () => {
  expect(missingTools).toEqual([]);
});

let folder: string;
let command: ChildProcess;
let output = '';
let simulator: Simulator;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtms-killed-live-'));
  command = spawn(process.execPath, ['local/dev.ts', '--live', '--out', folder], {
    env: {
      ...process.env,
      NO_COLOR: '1',
      ZM_RTMS_PORT: '0',
      ZM_RTMS_CLIENT: ZOOM.clientId,
      ZM_RTMS_SECRET: ZOOM.clientSecret,
      ZM_RTMS_WEBHOOK_SECRET: ZOOM.webhookSecretToken,
      ZM_RTMS_ALLOWED_HOSTS: '127.0.0.1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  command.stdout?.on('data', (chunk) => (output += chunk));
  await printed(/is up, on local AWS/);
  const { webhookUrl } = await readJson(join(folder, 'stack.json'));
  simulator = await startSimulator({ webhookUrls: [webhookUrl], app: ZOOM });
}, 60_000);

afterAll(async () => {
  await simulator?.close();
  command?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
}, 30_000);

const printed = (pattern: RegExp, timeout = 30_000) =>
  waitFor(() => expect(output).toMatch(pattern), { timeout, interval: 50 });

async function readJson(path: string) {
  return JSON.parse(await readFile(path, 'utf8'));
}

/** Of the runner that has the only session. */
async function ownerPid(): Promise<number> {
  const log = await readFile(join(folder, 'stack.log'), 'utf8');
  const [, taskId] = /^(runner-\d+) .*"claimed"/m.exec(log) ?? [];
  const { runners } = await readJson(join(folder, 'stack.json'));
  return runners.find((runner: { taskId: string }) => runner.taskId === taskId).pid;
}

test('kill -9 of the runner: incomplete, exit 1, losses named, files complete', {
  timeout: 110_000,
}, async () => {
  const scenario = syntheticMeeting({
    durationMs: 600_000,
    video: true,
    playable: true,
    transcriptEveryMs: 500,
  });
  const rtmsStreamId = simulator.start(scenario) as string;
  await printed(/Line 8\./);
  process.kill(await ownerPid(), 'SIGKILL');
  await printed(/taken over/i, 40_000);
  const linesBefore = output.split(/Line \d+\./).length;
  // Speech, pictures and lines of the second owner too.
  await waitFor(() => expect(output.split(/Line \d+\./).length).toBeGreaterThan(linesBefore + 8), {
    timeout: 30_000,
    interval: 50,
  });
  simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  await printed(/ended: MEETING_ENDED/);
  const closed = once(command, 'close');
  command.kill('SIGINT');
  expect(await closed, output).toEqual([1, null]);
  expect(output).toMatch(/^1 meeting\(s\), .*: incomplete$/m);
  for (const mediaType of ['transcript', 'video']) {
    expect(output).toMatch(
      new RegExp(`^  ${mediaType} may lack .* between .*: its runner was lost$`, 'm'),
    );
  }

  const [name = ''] = (await readdir(folder)).filter((entry) => !entry.startsWith('stack'));
  const files = await readdir(join(folder, name));
  expect(files).toEqual([
    'audio-16778240-participant-1.ogg',
    'audio-16779264-participant-2.ogg',
    'events.jsonl',
    'gaps.json',
    'manifest.json',
    'meeting.mkv',
    'meeting.mp4',
    'participants.json',
    'speakers.rttm',
    'transcript.jsonl',
    'transcript.srt',
    'transcript.txt',
    'transcript.vtt',
    'video-16778240-participant-1.mp4',
    'video-16778240-participant-1.vtt',
  ]);
  const gaps = await readJson(join(folder, name, 'gaps.json'));
  expect(gaps).toMatchObject({ rtmsStreamId, verdict: 'incomplete' });
  for (const { text } of gaps.losses) expect(output).toContain(`  ${text}\n`);
  for (const captions of ['transcript.vtt', 'video-16778240-participant-1.vtt']) {
    expect(await readFile(join(folder, name, captions), 'utf8')).toMatch(
      /^\[.* may lack .*: its runner was lost\]$/m,
    );
  }
  if (missingTools.length > 0) return;
  for (const file of files.filter((each) => /^(?:audio|video)-.*\.(?:ogg|mp4)$/.test(each))) {
    const { decoded, seconds } = probe(join(folder, name, file));
    expect(decoded, file).toBeGreaterThan(20);
    // From before the death until behind it.
    expect(seconds, file).toBeGreaterThan(gaps.losses[0].toAtMs / 1000);
  }
});
