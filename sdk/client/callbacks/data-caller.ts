import { ServiceError } from '../../../shared/errors.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { WorkKind } from './backlog.ts';
import type { DataCallbackName, DataRegistration } from './callbacks.ts';
import type { Executor } from './executor.ts';
import type { Metadata } from './metadata.ts';

/** One call of a callback for data: its arguments, and what the backlog needs to know of it. */
export interface DataCall {
  readonly kind: WorkKind;
  /** Calls of one source run one after another. */
  readonly source: string;
  /** Unix ms. */
  readonly capturedAtMs: number;
  readonly buffer: Buffer;
  /** Third argument of the callback, in Zoom's unit. */
  readonly timestamp: number;
  readonly metadata: Metadata;
}

export interface DataCallerOptions {
  /** Called for every frame, because `run` may name an executor after the join. */
  readonly executor: () => Executor | undefined;
  readonly logger: Logger;
}

/** Calls a callback for data where it belongs: in this thread, or as a task of the executor. */
export class DataCaller {
  readonly #options: DataCallerOptions;
  readonly #isMuted: () => boolean;

  /** @param isMuted whether the program has left: results of tasks are not handed back then */
  constructor(options: DataCallerOptions, isMuted: () => boolean) {
    this.#options = options;
    this.#isMuted = isMuted;
  }

  /** @returns a promise when there is something to wait for; throws or rejects with what the callback throws */
  call(name: DataCallbackName, registration: DataRegistration, call: DataCall): unknown {
    const { callback, onResult } = registration;
    const executor = this.#options.executor();
    if (typeof callback === 'string') return this.#runTask(executor, callback, registration, call);
    const task = executor?.taskOf(callback);
    if (executor === undefined || task === undefined) {
      const { buffer, timestamp, metadata } = call;
      const result = callback(buffer, buffer.length, timestamp, metadata);
      return onResult === undefined ? result : handBack(result, onResult, call);
    }
    return Promise.resolve(task).then((found) => {
      if (found !== undefined) return this.#runTask(executor, found, registration, call);
      this.#options.logger.warn('not an export of the executor module, so it runs inline', {
        callback: name,
      });
      return this.call(name, registration, call);
    });
  }

  async #runTask(
    executor: Executor | undefined,
    task: string,
    { onResult }: DataRegistration,
    call: DataCall,
  ): Promise<void> {
    if (executor === undefined) {
      throw new ServiceError('config/invalid', `there is no executor for the task ${task}`);
    }
    const { buffer, timestamp, metadata } = call;
    const result = await executor.run(task, [buffer, buffer.length, timestamp, metadata]);
    if (onResult !== undefined && !this.#isMuted()) await handBack(result, onResult, call);
  }
}

async function handBack(
  result: unknown,
  onResult: NonNullable<DataRegistration['onResult']>,
  { metadata, timestamp }: DataCall,
): Promise<void> {
  await onResult(await result, metadata, timestamp);
}
