import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { startSimulator } from '../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import { waitFor } from '../support/wait.ts';

test('npm start -- --live --runners 0 is ready without a runner, and starts one for the first meeting', {
  timeout: 180_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rtms-live-'));
  const options = ['--live', '--json', '--runners', '0', '--task-start-seconds', '1'];
  const command = spawn(process.execPath, ['local/dev.ts', ...options, '--out', folder], {
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
    rmSync(folder, { recursive: true, force: true });
  }
});
