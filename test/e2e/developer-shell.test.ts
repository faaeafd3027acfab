import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { signWebhook } from '../../shared/zoom/webhook-signature.ts';
import { waitFor } from '../support/wait.ts';

/** `npm start` as a developer has it: in a shell with an AWS profile and a proxy, ended by whatever started it. */

const folder = mkdtempSync(join(tmpdir(), 'rtms-shell-'));
let npm: ChildProcess | undefined;
afterAll(() => {
  npm?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const DEAD = 'http://127.0.0.1:9';

test('neither a logged-out profile nor a proxy reaches it, and SIGTERM to npm ends every process', async () => {
  const child = spawn('npm', ['start', '--', '--live', '--json', '--out', folder], {
    env: {
      ...process.env,
      AWS_PROFILE: 'logged-out',
      AWS_ENDPOINT_URL: DEAD,
      HTTP_PROXY: DEAD,
      HTTPS_PROXY: DEAD,
      NO_PROXY: 'corp.example',
      NODE_USE_ENV_PROXY: '1',
      ZM_RTMS_PORT: '0',
      ZM_RTMS_CLIENT: ' client ',
      ZM_RTMS_SECRET: 'secret\t',
      ZM_RTMS_WEBHOOK_SECRET: ' token ',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  npm = child;
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  await waitFor(() => expect(lines[0]).toMatchObject({ ready: true }), 60_000);
  const { webhookUrl, runners } = lines[0] as {
    webhookUrl: string;
    runners: { pid: number }[];
  };
  expect(await validate(webhookUrl, 'token')).toBe(200);

  child.kill('SIGTERM');
  await waitFor(() => {
    expect(runners.filter(({ pid }) => isAlive(pid))).toEqual([]);
  }, 60_000);
  await expect(validate(webhookUrl, 'token')).rejects.toThrow('fetch failed');
}, 150_000);

async function validate(url: string, token: string): Promise<number> {
  const body = JSON.stringify({
    event: 'endpoint.url_validation',
    event_ts: Date.now(),
    payload: { plainToken: 'qgg8vlvZRS6UYooatFL8Aw' },
  });
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const { status } = await fetch(url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-zm-request-timestamp': timestamp,
      'x-zm-signature': signWebhook(token, timestamp, Buffer.from(body)),
    },
  });
  return status;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
