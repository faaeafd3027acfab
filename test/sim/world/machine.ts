import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { seededRandom } from '../../../shared/seeded-random.ts';
import { KinesisWay } from '../net/kinesis-way.ts';
import { MemoryDisk } from './disk.ts';
import type { Scheduler, Task, TaskOwner } from './scheduler.ts';

/** How a process tells the time: `offsetMs` beside true time, and running `1 + drift` times as fast. */
export interface ProcessClock {
  offsetMs: number;
  drift: number;
}

const MOST_OFFSET_MS = 2_000;

/** How far a clock is off, ms. */
export function drawOffset(random: () => number): number {
  return Math.floor((2 * random() - 1) * MOST_OFFSET_MS);
}

export interface MachineOptions {
  /** Name and life: `runner-3/1`. */
  readonly name: string;
  readonly seed: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly disk?: MemoryDisk | undefined;
  readonly clock?: Partial<ProcessClock> | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
  readonly onExit?: ((code: number) => void) | undefined;
}

type Ended = 'exited' | 'crashed' | 'killed';

/** A seed for a part of the world, so that one part that draws more often does not change what another one draws. */
export function seedOf(seed: number, name: string): number {
  return createHash('sha256').update(`${seed}/${name}`).digest().readInt32LE();
}

/**
 * One simulated process: its clock, timers, randomness, environment, disk and signals. The shipped code runs in it with
 * module instances of its own (loader.ts). Killed, it is `dead`: no timer, answer or message reaches its code again, and
 * whatever its code still does has no effect.
 */
export class Machine implements TaskOwner {
  readonly name: string;
  readonly environment: Record<string, string | undefined>;
  readonly disk: MemoryDisk;
  readonly clock: ProcessClock;
  readonly random: () => number;
  readonly signals = new EventEmitter();
  readonly startedAtMs: number;
  /** Timers that would keep Node alive or fire: for the judge of leaks. */
  timers = 0;
  /** AWS calls without an answer. */
  readonly calls = new Set<{ readonly sinceMs: number }>();
  /** Open WebSockets. */
  sockets = 0;
  /** What its event loop is late by, as it measures it itself. */
  loopDelayMs = 0;
  /** Memory in use. The host's own would differ from run to run. */
  rssBytes = 200 * 1024 * 1024;
  /** The newest values of its metrics, by name, the largest where one line has several. */
  readonly levels = new Map<string, number>();
  /** After this many more effects the process is killed, in the middle of what it does. */
  effectsLeft = Number.POSITIVE_INFINITY;
  onKilledByEffect: (() => void) | undefined;
  /** How its calls of the session table fare: they all get lost, or only their answers, or are late each way. */
  readonly table: { lost: 'request' | 'answer' | undefined; lateMs: number } = {
    lost: undefined,
    lateMs: 0,
  };
  readonly kinesis = new KinesisWay();
  /** Asked while a call is signed, before the last look at the fence; a promise keeps the call until then. */
  onSigning: ((commandName: string) => Promise<void> | undefined) | undefined;
  /** Told of each AWS call that has left. */
  onCalled: ((target: string, input: string | object) => void) | undefined;
  readonly #scheduler: Scheduler;
  readonly #options: MachineOptions;
  #state: TaskOwner['state'] = 'running';
  #missed: Task[] = [];

  constructor(scheduler: Scheduler, options: MachineOptions) {
    this.#scheduler = scheduler;
    this.#options = options;
    this.name = options.name;
    this.environment = { ...options.environment };
    this.disk = options.disk ?? new MemoryDisk();
    this.clock = { offsetMs: 0, drift: 0, ...options.clock };
    this.random = seededRandom(seedOf(options.seed, options.name));
    this.startedAtMs = scheduler.nowMs;
    this.signals.setMaxListeners(0);
  }

  get state(): TaskOwner['state'] {
    return this.#state;
  }

  get scheduler(): Scheduler {
    return this.#scheduler;
  }

  /** Unix ms by this process's own clock. */
  get wallMs(): number {
    const { offsetMs, drift } = this.clock;
    const { nowMs } = this.#scheduler;
    return nowMs + offsetMs + (nowMs - this.startedAtMs) * drift;
  }

  /** Monotonic, ms since the process started. */
  get monotonicMs(): number {
    return (this.#scheduler.nowMs - this.startedAtMs) * (1 + this.clock.drift);
  }

  /** Something happens to the process from outside after `delayMs`: an answer, a message, a timer. */
  after(delayMs: number, run: () => void): Task {
    return this.#scheduler.after(delayMs, this, run);
  }

  perform(run: () => void): void {
    enter(this);
    try {
      run();
    } catch (error) {
      this.uncaught('uncaughtException', error);
    }
  }

  /** One turn later, or after a freeze: for what a process waits for inside itself. */
  turn(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.after(0, resolve);
    return promise;
  }

  defer(task: Task): void {
    this.#missed.push(task);
  }

  /** Asked before every effect on the world outside. @returns whether it may happen */
  mayAct(): boolean {
    if (this.#state === 'dead') return false;
    this.effectsLeft -= 1;
    if (this.effectsLeft >= 0) return true;
    this.effectsLeft = Number.POSITIVE_INFINITY;
    this.onKilledByEffect?.();
    return false;
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen';
  }

  /** Nothing of it runs for a moment. Less than a freeze: nobody is told. */
  stall(durationMs: number): void {
    if (this.#state !== 'running') return;
    this.freeze();
    this.#scheduler.after(durationMs, undefined, () => this.thaw());
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    this.#scheduler.resume(this.#missed.splice(0));
  }

  /** Nothing of it happens any more. */
  end(how: Ended, code = 0): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#missed = [];
    this.signals.removeAllListeners();
    if (how !== 'killed') this.#options.onExit?.(code);
  }

  write(line: string): void {
    if (this.#state !== 'dead') this.#options.onLine?.(line);
  }

  /** What Node does with an error that nobody caught. */
  uncaught(event: 'uncaughtException' | 'unhandledRejection', error: unknown): void {
    if (this.signals.listenerCount(event) > 0) {
      this.signals.emit(event, error);
      return;
    }
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.write(`uncaught in ${this.name}: ${text}`);
    this.end('crashed', 1);
  }
}

let current: Machine | undefined;

/** The process whose code runs now; undefined while the world itself does. */
export function running(): Machine | undefined {
  return current;
}

/** From now on the code that runs is this process's. */
export function enter(machine: Machine | undefined): void {
  current = machine;
}
