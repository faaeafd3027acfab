import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { localEnvironment } from './environment.ts';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const EXIT_WITH_PARENT = new URL('./exit-with-parent.ts', import.meta.url).href;
/** Without this flag Node can hang at exit, see docs/adr/0004. */
const NO_EXIT_HANG = '--no-concurrent-sparkplug';

const PARENT_LOOK_MS = 250;

/** A process of this repository, started from its `.ts` file, that writes JSON lines to stdout. */
export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Resolves when the process has ended and its output was read. */
  readonly exited: Promise<ChildExit>;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Starts `entry`, a path inside the repository, with the Node of this process.
 *
 * @param onLine called for every line of stdout and stderr; `json` is undefined for a line that is not JSON
 */
export function startChild(
  entry: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  onLine: (line: string, json: Record<string, unknown> | undefined) => void,
): Child {
  const nodeArgs = [NO_EXIT_HANG, '--import', EXIT_WITH_PARENT];
  const child = spawn(process.execPath, [...nodeArgs, entry, ...args], {
    cwd: REPOSITORY,
    env: { ...localEnvironment(process.env), ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const output of [child.stdout, child.stderr]) {
    if (output)
      createInterface({ input: output }).on('line', (line) => onLine(line, parseLine(line)));
  }
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal }) as ChildExit);
  if (child.pid === undefined) throw new Error(`${entry} could not be started`);
  return { process: child, pid: child.pid, exited };
}

/** Sends SIGTERM, and SIGKILL when the process has not ended after `graceMs`. */
export async function stopChild(child: Child, graceMs: number): Promise<ChildExit> {
  child.process.kill('SIGTERM');
  const insist = setTimeout(() => child.process.kill('SIGKILL'), graceMs);
  try {
    return await child.exited;
  } finally {
    clearTimeout(insist);
  }
}

function parseLine(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/**
 * Aborts on the first SIGINT or SIGTERM, and when npm has ended. A second signal ends the process at once.
 *
 * npm passes SIGTERM to the shell in which it runs a script, and not to this process. Without the look at the parent,
 * a service manager that stops `npm start` would leave the whole stack running.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  if (process.env['npm_lifecycle_event'] !== undefined) {
    const parent = process.ppid;
    const look = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(look);
      controller.abort();
    }, PARENT_LOOK_MS);
    look.unref();
  }
  return controller.signal;
}

/** Resolves when it is aborted, at once when it is already. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}
