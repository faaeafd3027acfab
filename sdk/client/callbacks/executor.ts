import { isAbsolute } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';
import { ServiceError } from '../../../shared/errors.ts';
import type { ExecutorTask } from './executor-worker.ts';

/** Options of `new Executor(module, options)`. */
export interface ExecutorOptions {
  /** The most threads that run at once. @default 1.5 times the number of processors */
  threads?: number;
}

/** A function that the executor's module exports. */
type Exported = (...args: never[]) => unknown;

/**
 * How long a thread without work is kept, ms. Speech has pauses: a thread that ended in each pause would be started
 * anew for the next word, and starting a thread takes longer than most tasks.
 */
const IDLE_TIMEOUT_MS = 60_000;

/**
 * Worker threads for callbacks that compute: speech recognition, decoding, encryption.
 *
 * A thread shares no memory with the program, so it can only run a function that a module exports: a task. A
 * program registers the task by name, `client.onAudioData('recognise')`, or registers the function itself, which is
 * looked up among the exports. A client runs one task of each source at a time, so that the frames of a speaker
 * stay in order; the other frames wait in its Backlog.
 */
export class Executor implements AsyncDisposable {
  readonly #pool: Piscina;
  readonly #module: string;
  readonly #pending = new Set<Promise<unknown>>();
  /** Name of each function asked for; undefined for a function that the module does not export. */
  readonly #names = new Map<unknown, string | undefined>();
  #exports: Promise<Readonly<Record<string, unknown>>> | undefined;
  #isClosed = false;

  /** @param module file URL or absolute path of the module whose exports are the tasks */
  constructor(module: string | URL, options: ExecutorOptions = {}) {
    const own = import.meta.url.endsWith('.ts') ? './executor-worker.ts' : './executor-worker.js';
    this.#module = moduleUrl(module);
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL(own, import.meta.url)),
      workerData: this.#module,
      name: 'runTask',
      idleTimeout: IDLE_TIMEOUT_MS,
      // Otherwise a thread that waits for its next frame would not serve its own timers and sockets.
      atomics: 'disabled',
      ...(options.threads !== undefined && {
        minThreads: Math.min(1, options.threads),
        maxThreads: options.threads,
      }),
    });
  }

  /**
   * Runs an export of the module in a thread. Buffers are copied; everything else has to be plain data.
   *
   * @param task name of the export, or the exported function itself
   * @returns what the task returns, copied back; rejects with what it throws, with `config/invalid` for a
   *   function that the module does not export, and with `rtms/invalid-state` once the executor is closed
   */
  run(task: string | Exported, args: readonly unknown[]): Promise<unknown> {
    if (this.#isClosed) {
      return Promise.reject(new ServiceError('rtms/invalid-state', 'the executor is closed'));
    }
    const running = typeof task === 'string' ? this.#runNamed(task, args) : this.#run(task, args);
    this.#pending.add(running);
    const done = () => this.#pending.delete(running);
    running.then(done, done);
    return running;
  }

  /**
   * Finds the name under which the module exports a function. A function that is not exported cannot run in
   * another thread.
   *
   * @returns the name, or undefined when there is none; a promise of it when asked for the first time
   */
  taskOf(callback: Exported): string | undefined | Promise<string | undefined> {
    if (this.#names.has(callback)) return this.#names.get(callback);
    return this.#loaded().then((exports) => {
      const name = Object.keys(exports).find((key) => exports[key] === callback);
      this.#names.set(callback, name);
      return name;
    });
  }

  /** Refuses new tasks, waits for those that run or wait for a thread, then ends the threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#pending);
    await this.#pool.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(callback: Exported, args: readonly unknown[]): Promise<unknown> {
    const name = await this.taskOf(callback);
    if (name !== undefined) return this.#runNamed(name, args);
    throw new ServiceError('config/invalid', `${callback.name || 'the function'} is not exported`, {
      detail: { module: this.#module },
    });
  }

  #runNamed(name: string, args: readonly unknown[]): Promise<unknown> {
    const transferList: ArrayBuffer[] = [];
    const copies = args.map((value) => {
      if (!(value instanceof Uint8Array)) return value;
      const copy = new Uint8Array(value);
      transferList.push(copy.buffer);
      return copy;
    });
    const task: ExecutorTask = { name, args: copies };
    return this.#pool.run(task, { transferList });
  }

  /** Loads the module in this thread too. A program that holds one of its functions has loaded it already. */
  #loaded(): Promise<Readonly<Record<string, unknown>>> {
    this.#exports ??= import(this.#module).catch(() => ({}));
    return this.#exports as Promise<Readonly<Record<string, unknown>>>;
  }
}

function moduleUrl(module: string | URL): string {
  if (module instanceof URL || module.startsWith('file:')) return String(module);
  if (isAbsolute(module)) return pathToFileURL(module).href;
  throw new ServiceError('config/invalid', 'an executor needs a file URL or an absolute path', {
    detail: { module },
  });
}
