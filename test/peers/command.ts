import { AsyncLocalStorage } from 'node:async_hooks';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment of this process; undefined: taken out of it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to standard input, which is closed then. */
  readonly input?: string | Uint8Array;
  /** Exit codes that are no failure. @default [0] */
  readonly codes?: readonly number[];
  /** It fetches from a registry, in the background: it gives way to others, and {@link killStarted} leaves it alone. */
  readonly isInstall?: boolean;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Pauses before another attempt to fetch from a registry. */
const PAUSES_MS = [5_000, 15_000, 45_000];
/** As `nice` has it: what is fetched for a later peer takes processor time that nobody else wants. */
const INSTALL_PRIORITY = 10;
/** What of a failed command's output goes into the error: the cause stands at the end. */
const TOLD_CHARACTERS = 3_000;

/** Programs that run, each with the peer that started it; undefined: it installs. */
const running = new Map<ChildProcess, string | undefined>();
const startedBy = new AsyncLocalStorage<string>();
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
  const { isInstall = false } = options;
  running.set(child, isInstall ? undefined : startedBy.getStore());
  if (isInstall && child.pid !== undefined) setPriority(child.pid, INSTALL_PRIORITY);
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
        await runCommand(command, args, { ...options, isInstall: true });
        return;
      } catch (error) {
        const { message } = error as Error;
        const pauseMs = PAUSES_MS[attempt - 1];
        if (pauseMs === undefined)
          throw new Error(`could not install, ${attempt} attempts: ${message}`);
        process.stderr.write(
          `  ${command} ${args[0] ?? ''} failed, attempt ${attempt}, once more in ${pauseMs} ms: ${message.split('\n').at(-1)}\n`,
        );
        await wait(pauseMs);
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

/** What `run` starts belongs to this peer, so that {@link killStarted} leaves the programs of a peer beside it alone. */
export function startingFor<T>(peer: string, run: () => Promise<T>): Promise<T> {
  return startedBy.run(peer, run);
}

/**
 * Ends every program that is still running, with the children that it started.
 *
 * @param peer whose programs alone; undefined: those of all peers, and what is being fetched for later ones
 */
export function killStarted(peer?: string): void {
  for (const [{ pid }, owner] of running) {
    if (pid === undefined || (peer !== undefined && owner !== peer)) continue;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended in this moment.
    }
  }
}
