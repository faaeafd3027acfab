import type { Machine } from '../world/machine.ts';

/** Something that can be read by a process. */
export interface Readable {
  /** What has come by now is read. */
  read(): void;
}

/**
 * What arrives at the sockets of one process. All that has come by one instant is read in one task, as an event loop does
 * in one iteration: a task for each socket would cost more than reading a frame.
 */
class Arrivals {
  readonly #machine: Machine;
  readonly #due = new Map<number, Readable[]>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  add(dueMs: number, readable: Readable): void {
    const due = this.#due.get(dueMs);
    if (due !== undefined) {
      due.push(readable);
      return;
    }
    const all = [readable];
    this.#due.set(dueMs, all);
    this.#machine.scheduler.at(dueMs, this.#machine, () => {
      this.#due.delete(dueMs);
      this.#read(all, 0);
    });
  }

  #read(all: readonly Readable[], from: number): void {
    const machine = this.#machine;
    for (let at = from; at < all.length; at++) {
      // What one message does may freeze the process, and the rest is read when it goes on.
      if (machine.state !== 'running') {
        machine.after(0, () => this.#read(all, at));
        return;
      }
      try {
        all[at]?.read();
      } catch (error) {
        machine.uncaught('uncaughtException', error);
      }
    }
  }
}

const arrivals = new WeakMap<Machine, Arrivals>();

/** A process reads at that moment, true virtual Unix ms. */
export function readAt(machine: Machine, dueMs: number, readable: Readable): void {
  let own = arrivals.get(machine);
  if (own === undefined) {
    own = new Arrivals(machine);
    arrivals.set(machine, own);
  }
  own.add(dueMs, readable);
}
