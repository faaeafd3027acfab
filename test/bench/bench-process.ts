import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Core for the process that is measured, and core for everything it talks to. */
export const CORE = { measured: 0, world: 1 } as const;
export type Core = (typeof CORE)[keyof typeof CORE];

/** Without `taskset`, or with one core, everything shares what there is: ratios only then. */
export const canPin =
  availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

export interface BenchProcessOptions {
  /** Beside this file. */
  readonly entry: string;
  readonly args?: readonly string[];
  readonly core: Core;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
}

type Handlers = Readonly<Record<string, (argument: never) => unknown>>;
interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}
interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A process of the bench, alone on its core, that answers questions. */
export class BenchProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  constructor({ entry, args = [], core, env = {}, nodeArgs = [] }: BenchProcessOptions) {
    const node = [
      process.execPath,
      // Else one of hundreds never exits: docs/adr/0004.
      '--no-concurrent-sparkplug',
      ...nodeArgs,
      fileURLToPath(new URL(entry, import.meta.url)),
      ...args,
    ];
    const [command = '', ...rest] = canPin ? ['taskset', '-c', String(core), ...node] : node;
    this.#child = spawn(command, rest, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
    });
    this.#exited = once(this.#child, 'exit');
    this.#child.on('message', ({ id, value, error }: Answer) => {
      const waiting = this.#open.get(id);
      this.#open.delete(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(`${entry}: ${error}`));
    });
    void this.#exited.then(() => {
      for (const waiting of this.#open.values()) waiting.reject(new Error(`${entry} ended`));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Asks one of the handlers that the process serves. */
  ask<Value>(name: string, argument: object = {}): Promise<Value> {
    this.#lastId += 1;
    const waiting = Promise.withResolvers<unknown>();
    this.#open.set(this.#lastId, waiting);
    this.#child.send({ id: this.#lastId, name, argument } satisfies Question);
    return waiting.promise as Promise<Value>;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exited;
  }
}

/** The other end: answers the parent's questions, and ends with it. */
export function serve(handlers: Handlers): void {
  process.on('message', async ({ id, name, argument }: Question) => {
    try {
      process.send?.({ id, value: await handlers[name]?.(argument as never) } satisfies Answer);
    } catch (error) {
      process.send?.({ id, error: String(error) } satisfies Answer);
    }
  });
  process.on('disconnect', () => process.exit());
  // Not the default death by signal: a CPU profile is written on the way out.
  process.on('SIGTERM', () => process.exit());
}
