import { inContext } from '../shims/async-hooks.ts';
import { type Machine, running } from './machine.ts';
import { countTicks, type Scheduler, type Task } from './scheduler.ts';

/** One for all: most of them are never looked at, and each would cost a stack. */
const TIMED_OUT = new DOMException('timed out', 'TimeoutError');
const MAX_DELAY_MS = 2 ** 31 - 1;
const HostDate = Date;

/** What `setTimeout`, `setInterval` and `setImmediate` return: the part of Node's `Timeout` that code uses. */
class VirtualTimer {
  readonly #machine: Machine;
  readonly #run: () => void;
  readonly #delayMs: number;
  readonly #repeats: boolean;
  #task: Task | undefined;
  #hasRef = true;

  constructor(machine: Machine, run: () => void, delayMs: number, repeats: boolean) {
    this.#machine = machine;
    this.#run = inContext(run);
    this.#delayMs = delayMs;
    this.#repeats = repeats;
    this.#start();
  }

  refresh(): this {
    this.close();
    this.#start();
    return this;
  }

  close(): this {
    if (this.#task) {
      this.#task.run = undefined;
      this.#task = undefined;
      this.#machine.timers -= 1;
    }
    return this;
  }

  ref(): this {
    this.#hasRef = true;
    return this;
  }

  unref(): this {
    this.#hasRef = false;
    return this;
  }

  hasRef(): boolean {
    return this.#hasRef;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #start(): void {
    this.#machine.timers += 1;
    // A clock that runs fast is early by everybody else's.
    const trueMs = this.#delayMs / (1 + this.#machine.clock.drift);
    this.#task = this.#machine.after(trueMs, this.#fire);
  }

  readonly #fire = (): void => {
    this.#task = undefined;
    this.#machine.timers -= 1;
    if (this.#repeats) this.#start();
    this.#run();
  };
}

type Callback = (...told: unknown[]) => void;

function start(callback: Callback, delay: number, told: unknown[], repeats: boolean) {
  const machine = running();
  if (machine === undefined) throw new Error('a timer outside of every simulated process');
  const delayMs = delay >= 1 && delay <= MAX_DELAY_MS ? delay : 1;
  return new VirtualTimer(machine, () => callback(...told), delayMs, repeats);
}

function stop(timer: unknown): void {
  if (timer instanceof VirtualTimer) timer.close();
}

/**
 * Puts virtual time, randomness, environment and signals in the place of Node's globals. Each asks which process runs. The
 * host's own code must take the real ones before this is called, and uses none of them after.
 *
 * @param fetchInWorld what `fetch` does
 */
export function patchGlobals(scheduler: Scheduler, fetchInWorld: unknown): void {
  const wallMs = () => Math.floor(running()?.wallMs ?? scheduler.nowMs);
  class VirtualDate extends HostDate {
    constructor(...parts: unknown[]) {
      super(...((parts.length === 0 ? [wallMs()] : parts) as [number]));
    }

    static override now(): number {
      return wallMs();
    }
  }
  const immediate = (callback: Callback, ...told: unknown[]) => {
    const machine = running();
    if (machine === undefined) throw new Error('setImmediate outside of every simulated process');
    const run = inContext(() => callback(...told));
    const task = machine.after(0, run);
    return {
      task,
      ref: () => {},
      unref: () => {},
      hasRef: () => true,
      [Symbol.dispose]: () => (task.run = undefined),
    };
  };
  const hostRandom = Math.random;
  Math.random = () => running()?.random() ?? hostRandom();
  performance.now = () => running()?.monotonicMs ?? scheduler.nowMs;
  AbortSignal.timeout = (delayMs) => {
    const controller = new AbortController();
    const machine = running();
    if (machine === undefined) throw new Error('a time-out outside of every simulated process');
    // It ends by itself, so it is none of the timers that may leak.
    machine.after(delayMs / (1 + machine.clock.drift), () => controller.abort(TIMED_OUT));
    return controller.signal;
  };
  Object.assign(globalThis, {
    Date: VirtualDate,
    fetch: fetchInWorld,
    setTimeout: (run: Callback, delay = 1, ...told: unknown[]) => start(run, delay, told, false),
    setInterval: (run: Callback, delay = 1, ...told: unknown[]) => start(run, delay, told, true),
    clearTimeout: stop,
    clearInterval: stop,
    setImmediate: immediate,
    clearImmediate: (given?: { task: Task }) => {
      if (given) given.task.run = undefined;
    },
  });
  patchProcess();
  countTicks();
}

const SIGNALS = new Set(['uncaughtException', 'unhandledRejection', 'SIGTERM', 'SIGINT']);

function patchProcess(): void {
  const host = process;
  const { env: hostEnv, exit: hostExit } = host;
  const hostRss = host.memoryUsage.rss.bind(host.memoryUsage);
  const rss = () => running()?.rssBytes ?? hostRss();
  Object.defineProperty(host, 'env', { get: () => running()?.environment ?? hostEnv });
  for (const name of ['on', 'once', 'off', 'removeListener', 'addListener'] as const) {
    const before = (host[name] as (...told: unknown[]) => unknown).bind(host);
    Object.assign(host, {
      [name]: (event: string, listener: Callback) => {
        const machine = running();
        if (machine === undefined || !SIGNALS.has(event)) return before(event, listener);
        machine.signals[name](event, listener);
        return host;
      },
    });
  }
  Object.assign(host, {
    exit: (code = 0) => {
      const machine = running();
      if (machine === undefined) return hostExit(code);
      machine.end('exited', Number(code));
      return undefined as never;
    },
    memoryUsage: Object.assign(
      () => ({ rss: rss(), heapTotal: rss(), heapUsed: rss(), external: 0, arrayBuffers: 0 }),
      { rss },
    ),
    constrainedMemory: () => 0,
  });
  for (const stream of [host.stdout, host.stderr]) {
    const before = stream.write.bind(stream);
    stream.write = ((text: string | Uint8Array, ...more: []) => {
      const machine = running();
      if (machine === undefined) return before(text, ...more);
      machine.write(String(text).trimEnd());
      return true;
    }) as typeof stream.write;
  }
}
