import { isAbsolute } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';
import { ServiceError } from '../shared/errors.ts';
import type { ExecutorTask } from './executor-worker.ts';

export interface ExecutorOptions {
  /** The most threads at work at once. @default half as many again as the machine has processors */
  readonly threads?: number;
}

/**
 * Worker threads for callbacks that compute: speech recognition, decoding, encryption.
 *
 * A thread shares no memory with the program, so what runs there is a function that a module of its own
 * exports, and a client names it: `client.onAudioData('recognise')`. A client hands in one frame of each
 * source at a time, which keeps the order of every speaker, and holds back the rest (see Backlog).
 */
export class Executor implements AsyncDisposable {
  readonly #pool: Piscina;

  /** @param module file URL or absolute path of the module whose exports are the tasks */
  constructor(module: string | URL, options: ExecutorOptions = {}) {
    const own = import.meta.url.endsWith('.ts') ? './executor-worker.ts' : './executor-worker.js';
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL(own, import.meta.url)),
      workerData: moduleUrl(module),
      name: 'runTask',
      // A thread that waits for its next frame goes on serving its own timers and sockets.
      atomics: 'disabled',
      ...(options.threads !== undefined && {
        minThreads: Math.min(1, options.threads),
        maxThreads: options.threads,
      }),
    });
  }

  /**
   * Runs an export of the module in a thread. Buffers arrive as copies; everything else has to be plain data.
   *
   * @returns what the task returns, copied back; rejects with what it throws
   */
  run(name: string, args: readonly unknown[]): Promise<unknown> {
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

  /** Waits for the tasks at work, then ends the threads. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function moduleUrl(module: string | URL): string {
  if (module instanceof URL || module.startsWith('file:')) return String(module);
  if (isAbsolute(module)) return pathToFileURL(module).href;
  throw new ServiceError('config/invalid', 'an executor needs a file URL or an absolute path', {
    detail: { module },
  });
}
