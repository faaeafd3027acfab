import { enter } from './machine.ts';

/** What a task needs to know of the process that it belongs to. */
export interface TaskOwner {
  readonly state: 'running' | 'frozen' | 'dead';
  /** Keeps a task until the process goes on. */
  defer(task: Task): void;
  /** Runs a callback as this process, and takes what it throws. */
  perform(run: () => void): void;
}

/** Something that will happen at one instant of virtual time. */
export interface Task {
  readonly atMs: number;
  /** Order within one instant. */
  readonly order: number;
  readonly owner: TaskOwner | undefined;
  run: (() => void) | undefined;
}

/** Before anything is patched: the host needs the real ones. */
const hostImmediate = setImmediate;
const hostMicrotask = queueMicrotask;
const hostTick = process.nextTick.bind(process);
/** So many tasks run in an iteration of the host's event loop at most. An iteration for each would cost more than most tasks. */
const TASKS_OF_A_TURN = 256;
const TASKS_OF_THE_WORLD = 64;
/** Ticks that simulated code waits for. */
let ticks = 0;

/** Counts the ticks of simulated code from now on. */
export function countTicks(): void {
  process.nextTick = (run: (...told: never[]) => void, ...told: never[]) => {
    ticks += 1;
    hostTick(() => {
      ticks -= 1;
      run(...told);
    });
  };
}

/**
 * Virtual time. Runs one task at a time, by instant and then by the order in which they were asked for. Between two tasks
 * Node empties its queues of microtasks and ticks, so everything that one task has set free runs before the next one.
 *
 * A microtask that asks for a tick comes back when all microtasks have run. Where simulated code waits for ticks itself, the
 * next task waits for a whole iteration of the event loop.
 */
export class Scheduler {
  readonly #heap: Task[] = [];
  #nowMs: number;
  #order = 0;
  #held: Promise<void> | undefined;
  /** Tasks run so far. */
  steps = 0;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** @param owner undefined: the world itself, such as a server of AWS */
  at(atMs: number, owner: TaskOwner | undefined, run: () => void): Task {
    const task: Task = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, owner, run };
    push(this.#heap, task);
    return task;
  }

  after(delayMs: number, owner: TaskOwner | undefined, run: () => void): Task {
    return this.at(this.#nowMs + delayMs, owner, run);
  }

  /** Puts back tasks that a frozen process has missed. They keep their order. */
  resume(tasks: readonly Task[]): void {
    for (const { owner, run } of tasks) if (run) this.at(this.#nowMs, owner, run);
  }

  /** Keeps time from passing until the host is ready, such as with the modules of a process that starts. */
  hold(ready: Promise<void>): void {
    this.#held = this.#held === undefined ? ready : Promise.all([this.#held, ready]).then(() => {});
  }

  /** Runs until `isOver` says so or nothing is left. @returns when it is so */
  run(isOver: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let left = TASKS_OF_A_TURN;
    const turn = () => {
      left = TASKS_OF_A_TURN;
      next();
    };
    const soon = () => hostTick(next);
    const next = () => {
      try {
        if (ticks > 0) {
          hostImmediate(turn);
          return;
        }
        if (isOver() || this.#heap.length === 0) {
          enter(undefined);
          resolve();
          return;
        }
        let inARow = 0;
        // A task of the world sets nothing free that waits in a microtask: the next one may follow at once.
        while (this.#step() === undefined && ++inARow < TASKS_OF_THE_WORLD) {
          if (this.#held !== undefined || this.#heap.length === 0 || isOver()) break;
        }
        const held = this.#held;
        this.#held = undefined;
        left -= 1;
        if (held !== undefined) held.then(() => hostImmediate(turn), reject);
        else if (left > 0) hostMicrotask(soon);
        else hostImmediate(turn);
      } catch (error) {
        reject(error as Error);
      }
    };
    hostImmediate(turn);
    return promise;
  }

  /** Runs the next task. @returns whose it was */
  #step(): TaskOwner | undefined {
    for (let task = pop(this.#heap); task !== undefined; task = pop(this.#heap)) {
      const { run, owner } = task;
      if (run === undefined || owner?.state === 'dead') continue;
      this.#nowMs = task.atMs;
      if (owner?.state === 'frozen') {
        owner.defer(task);
        continue;
      }
      this.steps += 1;
      if (owner) owner.perform(run);
      else {
        enter(undefined);
        run();
      }
      return owner;
    }
    return undefined;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: Task[], task: Task): void {
  let at = heap.length;
  heap.push(task);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above] as Task;
    if (!isBefore(task, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = task;
}

function pop(heap: Task[]): Task | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last === undefined || last === first) return first;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= heap.length) break;
    const right = heap[below + 1];
    if (right !== undefined && isBefore(right, heap[below] as Task)) below += 1;
    const child = heap[below] as Task;
    if (!isBefore(child, last)) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = last;
  return first;
}
