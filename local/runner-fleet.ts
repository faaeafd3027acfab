import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild, stopChild } from './child.ts';

/** About how long ECS takes to start a replacement for a task that died. */
const REPLACE_AFTER_MS = 5_000;
/** Just under the 120 s that Fargate gives a task to drain. No local runner should need it. */
const STOP_GRACE_MS = 115_000;

export interface RunnerInfo {
  readonly taskId: string;
  readonly pid: number;
}

export interface RunnerFleetEvents {
  started: [runner: RunnerInfo];
  exited: [runner: RunnerInfo & { code: number | null; signal: string | null }];
  /** One line of a runner's output: a log line or EMF metrics when `json` is given. */
  line: [runner: RunnerInfo, line: string, json: Record<string, unknown> | undefined];
}

const RUNNER = 'runner/main.ts';

type EnvironmentOf = (taskId: string) => Promise<Readonly<Record<string, string>>>;

/** Keeps runner processes running, as an ECS service would: one that dies is replaced after 5 s. */
export class RunnerFleet extends EventEmitter<RunnerFleetEvents> {
  readonly #environmentOf: EnvironmentOf;
  readonly #entry: string;
  readonly #children = new Map<string, Child>();
  /** Runners that were stopped with SIGSTOP. */
  readonly #frozen = new Set<string>();
  readonly #stopping = new AbortController();
  #started = 0;

  /** @param entry what each process runs, a path inside the repository */
  constructor(environmentOf: EnvironmentOf, entry = RUNNER) {
    super();
    this.#entry = entry;
    this.#environmentOf = environmentOf;
  }

  get runners(): RunnerInfo[] {
    return [...this.#children].map(([taskId, child]) => ({ taskId, pid: child.pid }));
  }

  isFrozen(taskId: string): boolean {
    return this.#frozen.has(taskId);
  }

  /**
   * Does to one runner what happens to tasks: SIGKILL kills it, SIGTERM drains it, SIGSTOP freezes it until SIGCONT.
   *
   * @returns false when there is no such runner
   */
  signal(taskId: string, signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): boolean {
    const child = this.#children.get(taskId);
    if (child?.process.kill(signal) !== true) return false;
    if (signal === 'SIGSTOP') this.#frozen.add(taskId);
    else this.#frozen.delete(taskId);
    return true;
  }

  /** Starts `size` more runners. Resolves when all of them have reported that they are ready. */
  async start(size: number): Promise<void> {
    await Promise.all(Array.from({ length: size }, () => this.#startOne()));
  }

  /** Drains every runner with SIGTERM and waits for all of them to end. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    // A frozen process would not end before it is killed.
    for (const taskId of this.#frozen) this.signal(taskId, 'SIGCONT');
    await Promise.all([...this.#children.values()].map((child) => stopChild(child, STOP_GRACE_MS)));
  }

  async #startOne(): Promise<void> {
    this.#started += 1;
    const taskId = `runner-${this.#started}`;
    const ready = Promise.withResolvers<void>();
    const environment = await this.#environmentOf(taskId);
    if (this.#stopping.signal.aborted) return;
    const child = startChild(this.#entry, [], environment, (line, json) => {
      if (json?.['event'] === 'runner_ready') ready.resolve();
      this.emit('line', { taskId, pid: child.pid }, line, json);
    });
    this.#children.set(taskId, child);
    this.emit('started', { taskId, pid: child.pid });
    void child.exited.then(({ code, signal }) => {
      this.#children.delete(taskId);
      this.#frozen.delete(taskId);
      ready.reject(new Error(`${taskId} ended before it was ready (exit code ${code})`));
      this.emit('exited', { taskId, pid: child.pid, code, signal });
      void this.#replaceLater();
    });
    await ready.promise;
  }

  async #replaceLater(): Promise<void> {
    try {
      await delay(REPLACE_AFTER_MS, undefined, { signal: this.#stopping.signal });
      await this.#startOne();
    } catch {
      // The fleet is stopping, or the replacement died too: its own exit starts the next one.
    }
  }
}
