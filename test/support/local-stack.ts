import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What `npm start -- --json` says first. */
interface ReadyLine {
  readonly webhookUrl: string;
  readonly consoleUrl: string;
  readonly endpoints: { readonly kinesis: string };
  readonly streams: { readonly events: string };
}

export interface LocalStack extends AsyncDisposable {
  readonly ready: ReadyLine;
}

/**
 * Starts `npm start` as a real process.
 *
 * @param flag what it is to play: `--demo`, or `--live` for whoever sends webhooks
 * @param environment beside the own one
 */
export async function startLocalStack(
  flag: '--demo' | '--live',
  environment: Readonly<Record<string, string>> = {},
): Promise<LocalStack> {
  const folder = await mkdtemp(join(tmpdir(), 'rtms-page-'));
  const args = ['local/dev.ts', flag, '--json', '--out', folder];
  const env = { ...process.env, ...environment };
  const stack = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(createInterface({ input: stack.stdout }), 'line');
  return {
    ready: JSON.parse(line) as ReadyLine,
    async [Symbol.asyncDispose]() {
      stack.kill('SIGTERM');
      if (stack.exitCode === null) await once(stack, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
