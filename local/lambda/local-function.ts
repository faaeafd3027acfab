import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../../infra/bundling/bundle-options.ts';
import { type Child, startChild, stopChild } from '../child.ts';
import type { Invocation, Outcome } from './execution.ts';

const LIMITS_LOOK_MS = 500;
const PAGE_BYTES = 4_096;
const STOP_GRACE_MS = 1_000;

/**
 * Node's flags for a file system that a program may read and not write, as Lambda and the container give it one. Since
 * Node 25, `--permission` takes the network away as well; earlier versions do not know the flag that gives it back.
 */
export const READ_ONLY_FLAGS: readonly string[] = [
  '--permission',
  '--allow-fs-read=*',
  ...(process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []),
];

export interface LocalFunctionOptions {
  /** File that exports `handler`, a path inside the repository. */
  readonly entry: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly memoryMib: number;
  /** Room in the directory that stands for `/tmp`. */
  readonly tmpMib: number;
  /** Executions that may run at once. 0: an account without concurrency. */
  readonly concurrency: number;
  readonly onLine: (line: string, json: Record<string, unknown> | undefined) => void;
}

interface Execution {
  readonly child: Child;
  /** The only directory that the execution may write to. */
  readonly directory: string;
  told: (outcome: Outcome) => void;
  /** Whether it was killed because it went over a limit: no invocation may get it. */
  isKilled: boolean;
}

/** Lambda had no execution to spare. */
export class Throttled extends Error {}

/**
 * A Lambda function on this machine, with Lambda's rules: an execution runs one invocation at a time and is frozen in
 * between (SIGSTOP), it is killed when an invocation takes longer than the time limit or its memory is over the limit, and
 * it may write to a directory of its own alone. Where Lambda refuses to write more than `/tmp` holds (ENOSPC), the execution
 * is killed, so that nobody relies on room that is not there. A killed execution fails its invocation.
 */
export class LocalFunction {
  readonly #options: LocalFunctionOptions;
  readonly #idle: Execution[] = [];
  readonly #all = new Set<Execution>();
  readonly #busy = new Set<Execution>();
  /** Lets frozen executions go on when this process is killed. */
  readonly #thaw: Child;
  readonly #bundle: ReturnType<typeof bundleFunction>;
  #running = 0;
  #isClosing = false;

  constructor(options: LocalFunctionOptions) {
    this.#options = options;
    this.#thaw = startChild('local/lambda/thaw-with-parent.ts', [], {}, () => {});
    this.#bundle = bundleFunction(options.entry);
    // The first execution awaits the bundle too, and reports why there is none.
    this.#bundle.catch(() => undefined);
  }

  /** Ids of the processes that run an invocation. */
  get running(): number[] {
    return [...this.#busy].map(({ child }) => child.pid);
  }

  /** Ids of the processes that wait for the next invocation, frozen. */
  get frozen(): number[] {
    return this.#idle.map(({ child }) => child.pid);
  }

  /** How much the fullest `/tmp` of the executions that run holds, MiB. */
  get tmpMib(): number {
    return Math.max(0, ...[...this.#busy].map(({ directory }) => sizeMib(directory)));
  }

  /** @throws Throttled; Error when the handler throws, or its execution is killed */
  async invoke(event: unknown): Promise<unknown> {
    const { concurrency, timeoutMs } = this.#options;
    if (this.#isClosing || this.#running >= concurrency) throw new Throttled('no concurrency left');
    this.#running += 1;
    let execution: Execution | undefined;
    try {
      execution = this.#idle.pop() ?? (await this.#start());
      const { process } = execution.child;
      this.#tellFrozen();
      process.kill('SIGCONT');
      this.#busy.add(execution);
      const invocation: Invocation = { event, timeoutMs };
      // The execution may have been killed while it was frozen; then its end is the outcome.
      const outcome = await this.#outcome(execution, () => process.send(invocation, () => {}));
      if ('error' in outcome) throw new Error(outcome.error);
      return 'result' in outcome ? outcome.result : undefined;
    } finally {
      this.#running -= 1;
      if (execution !== undefined) this.#freeze(execution);
    }
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    // Again, because an execution may just have been started.
    while (this.#all.size > 0) {
      await Promise.all(
        [...this.#all].map(async ({ child }) => {
          child.process.kill('SIGCONT');
          await stopChild(child, STOP_GRACE_MS);
        }),
      );
    }
    await stopChild(this.#thaw, STOP_GRACE_MS);
    await this.#bundle.then(
      ({ directory }) => rm(directory, { recursive: true, force: true }),
      () => undefined,
    );
  }

  /** Waits for an outcome within the limits of time and memory; kills the execution that goes over one. */
  async #outcome(execution: Execution, begin: () => void): Promise<Outcome> {
    const { timeoutMs, memoryMib, tmpMib } = this.#options;
    const { child, directory } = execution;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    execution.told = resolve;
    const kill = (error: string) => {
      execution.isKilled = true;
      child.process.kill('SIGKILL');
      resolve({ error });
    };
    const timer = setTimeout(() => kill(`timed out after ${timeoutMs} ms`), timeoutMs);
    const look = setInterval(() => {
      if (residentMib(child.pid) > memoryMib) kill(`used more than ${memoryMib} MB`);
      if (sizeMib(directory) > tmpMib) kill(`wrote more than ${tmpMib} MB to /tmp`);
    }, LIMITS_LOOK_MS);
    void child.exited.then(({ code, signal }) => {
      resolve({ error: `the execution ended (${signal ?? code})` });
    });
    try {
      begin();
      return await promise;
    } finally {
      clearTimeout(timer);
      clearInterval(look);
    }
  }

  #freeze(execution: Execution): void {
    this.#busy.delete(execution);
    // A process that is frozen while it ends would not end.
    if (this.#isClosing || execution.isKilled || !this.#all.has(execution)) return;
    this.#idle.push(execution);
    this.#tellFrozen();
    execution.child.process.kill('SIGSTOP');
  }

  #tellFrozen(): void {
    if (this.#thaw.process.connected) this.#thaw.process.send(this.frozen);
  }

  async #start(): Promise<Execution> {
    const { environment, memoryMib, onLine } = this.#options;
    const { file } = await this.#bundle;
    const directory = await mkdtemp(join(tmpdir(), 'rtms-lambda-'));
    const variables = {
      ...environment,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMib),
      SPOOL_DIR: join(directory, 'spool'),
      TMPDIR: directory,
      // Lambda's file system is read-only but for /tmp.
      NODE_OPTIONS: [...READ_ONLY_FLAGS, `--allow-fs-write=${directory}`].join(' '),
    };
    if (this.#isClosing) throw new Throttled('the function is closed');
    const child = startChild('local/lambda/execution.ts', [file], variables, onLine);
    const execution: Execution = { child, directory, told: () => {}, isKilled: false };
    this.#all.add(execution);
    child.process.on('message', (outcome: Outcome) => execution.told(outcome));
    void child.exited.then(async () => {
      this.#all.delete(execution);
      this.#busy.delete(execution);
      const place = this.#idle.indexOf(execution);
      if (place >= 0) this.#idle.splice(place, 1);
      this.#tellFrozen();
      await rm(directory, { recursive: true, force: true });
    });
    const outcome = await this.#outcome(execution, () => {});
    if ('error' in outcome) throw new Error(outcome.error);
    return execution;
  }
}

/** @returns 0 where the operating system does not tell it in /proc */
function residentMib(pid: number): number {
  try {
    const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
    return (Number(pages) * PAGE_BYTES) / 1024 ** 2;
  } catch {
    return 0;
  }
}

/** The size of all files. A file that is removed meanwhile counts as nothing. */
function sizeMib(directory: string): number {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(
      ({ parentPath, name }) => statSync(join(parentPath, name), { throwIfNoEntry: false })?.size,
    );
  return sizes.reduce<number>((sum, size = 0) => sum + size, 0) / 1024 ** 2;
}

/** A bundled function in a directory of its own. */
export interface FunctionBundle {
  readonly file: string;
  /** Holds the file and nothing else. */
  readonly directory: string;
}

/**
 * Bundles a function as a deployment does. An execution that imported the sources would need three times as long to
 * start, and would run other code than Lambda.
 *
 * @param entry path inside the repository
 */
export async function bundleFunction(entry: string): Promise<FunctionBundle> {
  const directory = await mkdtemp(join(tmpdir(), 'rtms-bundle-'));
  const file = join(directory, 'index.mjs');
  await build({ ...bundleOptions(entry, 'lambda'), outfile: file });
  return { file, directory };
}
