import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { startSimulator } from '../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import { waitFor } from '../support/wait.ts';

/** `npm start` as a user runs it: one real process that starts all the others. */

const folder = mkdtempSync(join(tmpdir(), 'rtms-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['local/dev.ts', ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  const [code] = await once(child, 'close');
  return { ...output, code };
}

const LIVE = {
  ZM_RTMS_CLIENT: 'client',
  ZM_RTMS_SECRET: 'secret',
  ZM_RTMS_WEBHOOK_SECRET: 'token',
};

// The others run while the meeting is played.
describe.concurrent('npm start', () => {
  test('plays a meeting through every real part and loses nothing', {
    timeout: 180_000,
  }, async () => {
    const { stdout, code } = await start(['--json', '--out', folder]);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({
      ready: true,
      region: 'us-east-1',
      webhookUrl: expect.stringContaining('/webhook'),
      endpoints: {
        sqs: expect.any(String),
        kinesis: expect.any(String),
        dynamodb: expect.any(String),
      },
      queueUrl: expect.any(String),
      table: expect.any(String),
      streams: { media: expect.any(String), events: expect.any(String) },
      runners: [{ taskId: expect.any(String), pid: expect.any(Number) }, {}],
    });
    expect(lines.slice(1).every((line) => typeof line.kind === 'string')).toBe(true);
    const summary = lines.at(-1);
    expect(summary).toMatchObject({ kind: 'summary', meetings: 1, lost: 0, problems: [] });
    const sources = new Set(summary.ledger.map((row: { mediaType: string }) => row.mediaType));
    expect([...sources].sort()).toEqual([
      'audio',
      'chat',
      'deskshare',
      'events',
      'transcript',
      'video',
    ]);
    expect(code).toBe(0);

    const files = readdirSync(folder);
    const wavs = files.filter((name) => /^audio-.*\.wav$/.test(name));
    expect(wavs).toHaveLength(3);
    for (const name of wavs) {
      const wav = readFileSync(join(folder, name));
      expect(wav.readUInt32LE(40), name).toBe(wav.length - 44);
    }
    expect(files.filter((name) => /^video-.*\.mp4$/.test(name))).toHaveLength(2);
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ verdict: 'complete', meeting: { leftOut: [] }, leftOut: [] });
    expect(files).toContain('meeting.mp4');
    expect(manifest.meeting.lengthMs).toBeGreaterThan(5_000);
    const spoken = JSON.parse(readFileSync('simulator/assets/script.json', 'utf8')).utterances;
    const captions = readFileSync(join(folder, 'transcript.vtt'), 'utf8');
    for (const { text } of spoken) expect(captions).toContain(text);
  });

  test('says which variables are missing, in one line', async () => {
    const { stderr, code } = await start(['--live'], {
      ZM_RTMS_CLIENT: '',
      ZM_RTMS_SECRET: '',
      ZM_RTMS_WEBHOOK_SECRET: '',
    });
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/ZM_RTMS_CLIENT is missing.*ZM_RTMS_SECRET is missing/);
  });

  test('says which port is in use, in one line', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { stderr, code } = await start(['--live', '--out', folder], {
      ...LIVE,
      ZM_RTMS_PORT: String(port),
    });
    server.close();
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain(`port ${port} is in use`);
  });

  test('with --live --runners 0 is ready without a runner, and starts one for the first meeting', {
    timeout: 180_000,
  }, async () => {
    const out = mkdtempSync(join(tmpdir(), 'rtms-live-'));
    const options = ['--live', '--json', '--runners', '0', '--task-start-seconds', '1'];
    const command = spawn(process.execPath, ['local/dev.ts', ...options, '--out', out], {
      env: {
        ...process.env,
        ZM_RTMS_PORT: '0',
        ZM_RTMS_CLIENT: EXAMPLE_APP.clientId,
        ZM_RTMS_SECRET: EXAMPLE_APP.clientSecret,
        ZM_RTMS_WEBHOOK_SECRET: EXAMPLE_APP.webhookSecretToken,
        ZM_RTMS_ALLOWED_HOSTS: '127.0.0.1',
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const lines: Record<string, unknown>[] = [];
    createInterface({ input: command.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
    await waitFor(() => expect(lines[0]).toMatchObject({ ready: true, runners: [] }), 60_000);
    const webhookUrls = [String(lines[0]?.['webhookUrl'])];
    const simulator = await startSimulator({ webhookUrls, app: EXAMPLE_APP });
    try {
      simulator.start(syntheticMeeting({ durationMs: 60_000 }));
      const started = () => expect(JSON.stringify(lines)).toContain('"runner_started"');
      await waitFor(started, 60_000);
    } finally {
      await simulator.close();
      command.kill('SIGTERM');
      await once(command, 'exit');
      rmSync(out, { recursive: true, force: true });
    }
  });
});
