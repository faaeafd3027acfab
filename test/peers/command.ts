import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment of this process; undefined: taken out of it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to standard input, which is closed then. */
  readonly input?: string | Uint8Array;
  /** Exit codes that are no failure. @default [0] */
  readonly codes?: readonly number[];
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ATTEMPTS = 3;
const PAUSE_MS = 5_000;
/** What of a failed command's output goes into the error: the cause stands at the end. */
const TOLD_CHARACTERS = 3_000;

const running = new Set<ChildProcess>();
let installing = 0;

/**
 * Starts a program of others in a process group of its own, so that {@link killStarted} ends its children as well. Standard output and
 * standard error are piped.
 */
export function startCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
) {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: 'pipe',
    detached: true,
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  // A program that does not read its input closes the pipe.
  child.stdin.on('error', () => {});
  return child;
}

/** @returns what a program wrote. @throws with the end of its output when it exits with another code than expected */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = startCommand(command, args, options);
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (written.stderr += text));
  child.stdin.end(options.input);
  const [code] = (await once(child, 'close')) as [number | null];
  if ((options.codes ?? [0]).includes(code as number)) return { code, ...written };
  const told = `${written.stdout}\n${written.stderr}`.trim().slice(-TOLD_CHARACTERS);
  throw new Error(`${command} ${args.join(' ')}: exit code ${code}\n${told}`);
}

/**
 * Runs a command that fetches from a package registry. A registry may be away for a moment, so it is tried again; each failure is told
 * on standard error with the last line of what the client said.
 */
export async function installWith(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<void> {
  const startedAt = performance.now();
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await runCommand(command, args, options);
        return;
      } catch (error) {
        if (attempt === ATTEMPTS) {
          throw new Error(`could not install, ${ATTEMPTS} attempts: ${(error as Error).message}`);
        }
        const lastLine = (error as Error).message.split('\n').at(-1);
        process.stderr.write(
          `  ${command} ${args[0] ?? ''} failed, attempt ${attempt} of ${ATTEMPTS}: ${lastLine}\n`,
        );
        await wait(PAUSE_MS);
      }
    }
  } finally {
    installing += performance.now() - startedAt;
  }
}

/** Milliseconds that this process has spent in {@link installWith}. */
export function installingMs(): number {
  return installing;
}

/** Ends every program that is still running, with the children that it started. */
export function killStarted(): void {
  for (const { pid } of running) {
    if (pid === undefined) continue;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended in this moment.
    }
  }
}
