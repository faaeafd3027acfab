import { EXPIRE_AFTER_MS, FENCE_AFTER_MS } from '../../runner/ownership/tenure.ts';

/**
 * A tick is short enough to tell the fence (2 ticks) from the expiry (3 ticks) and no shorter, so that the search ends.
 * Clocks run at one rate and have no common zero, so the model knows ages only.
 */
export const TICK_MS = FENCE_AFTER_MS / 2;
/** Ages from here on are all the same to the rules. */
export const OLD = Math.ceil(EXPIRE_AFTER_MS / TICK_MS);

/** What a task is, apart from single streams. */
export interface Core {
  /** `off`: not started yet. `gone`: exited or crashed; a task that is gone leaves its rows behind. */
  readonly mode: 'off' | 'up' | 'draining' | 'gone';
  /** Frozen, or cut off from the table: it takes no step until it recovers. */
  readonly isSilent: boolean;
  /** Of the newest revision of the service. */
  readonly isNew: boolean;
  /** Ticks since the renewal that the lease rests on was sent; undefined without a right to serve. */
  readonly leaseAge: number | undefined;
  /** Ticks since a renewal was sent that reached the table and is not answered yet. */
  readonly renewalAge: number | undefined;
}

/**
 * What a task does about one stream. `behind`: by how much the row's epoch is higher than the one this is about; 2 stands for
 * more. `isVoid`: the term of the lease in which it was sent is over.
 */
export type Part =
  | { readonly at: 'idle' }
  /**
   * The row was read, and judged by what was known of its owner then. `isProved`: the row has been proved since. `isAlive`: the
   * owner's heartbeat is not the one any more by which the owner was judged. `isChecked`: it was read again and was.
   */
  | {
      readonly at: 'read';
      readonly behind: number;
      readonly isProved: boolean;
      readonly isAlive: boolean;
      readonly isChecked: boolean;
    }
  /** A claim that reached the table and is not answered yet. */
  | { readonly at: 'claimed'; readonly behind: number; readonly isVoid: boolean }
  | { readonly at: 'serving'; readonly behind: number }
  /** It collects and does not write: the heartbeat has lapsed. `proof`: one that reached the table without an answer yet. */
  | {
      readonly at: 'suspended';
      readonly behind: number;
      readonly proof?: { readonly isOwn: boolean; readonly isVoid: boolean };
    }
  /** The session has ended, and the call that releases the row is on its way. */
  | { readonly at: 'leaving'; readonly behind: number }
  /** It was given to another task, which is watched. `age` in ticks. */
  | { readonly at: 'moved'; readonly behind: number; readonly age: number };

/** How often the world may do each of these in one run of the model. */
export interface Budget {
  /** Tasks that fall silent, and come back at any time or never. */
  readonly silences: number;
  /** Answers, or whole calls, that get lost. */
  readonly losses: number;
  readonly crashes: number;
  readonly drains: number;
}

const BUDGET = ['silences', 'losses', 'crashes', 'drains'] as const;

/** Gives each value a number, and finds it again. */
class Numbered<Value> {
  readonly #ids = new Map<string, number>();
  readonly #values: Value[] = [];

  idOf(value: Value, key: string): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#values.push(value) - 1;
    if (id > 255) throw new Error('a byte does not hold so many values');
    this.#ids.set(key, id);
    return id;
  }

  at(id: number): Value {
    return this.#values[id] as Value;
  }
}

/** New byte `at` is the old byte `from[at]`; where it names a task, that task is now called `name` of it. */
interface Renaming {
  readonly from: Uint8Array;
  readonly name: Uint8Array;
}

/** Bits of a row. */
export const ROW = { CLAIMED: 1, PROVED: 2 } as const;

/**
 * The bytes of one state of the whole: owner and bits of each row, core of each task, what each task has seen of each other,
 * part of each task in each stream, and what is left of the budget.
 */
export class Layout {
  readonly tasks: number;
  readonly streams: number;
  readonly size: number;
  /** Owner of a row that nobody owns. */
  readonly unowned: number;
  readonly #cores = new Numbered<Core>();
  readonly #parts = new Numbered<Part>();
  readonly #at: {
    bits: number;
    core: number;
    seen: number;
    part: number;
    readOwner: number;
    left: number;
  };
  readonly #renamings: readonly Renaming[];
  readonly #holdsOwner: Uint8Array;

  constructor(tasks: number, streams: number) {
    this.tasks = tasks;
    this.streams = streams;
    this.unowned = tasks;
    const bits = streams;
    const core = bits + streams;
    const seen = core + tasks;
    const part = seen + tasks * tasks;
    const readOwner = part + tasks * streams;
    const left = readOwner + tasks * streams;
    this.#at = { bits, core, seen, part, readOwner, left };
    this.size = left + BUDGET.length;
    this.#holdsOwner = Uint8Array.from({ length: this.size }, (_, at) =>
      at < streams || (at >= readOwner && at < left) ? 1 : 0,
    );
    this.#renamings = permutations(tasks).flatMap((byTask) =>
      permutations(streams).map((byStream) => this.#renaming(byTask, byStream)),
    );
  }

  owner = (state: Uint8Array, stream: number) => state[stream] as number;
  bits = (state: Uint8Array, stream: number) => state[this.#at.bits + stream] as number;
  setRow(state: Uint8Array, stream: number, owner: number, bits: number): void {
    state[stream] = owner;
    state[this.#at.bits + stream] = bits;
  }

  core = (state: Uint8Array, task: number) => this.#cores.at(state[this.#at.core + task] as number);
  setCore(state: Uint8Array, task: number, core: Core): void {
    const { mode, isSilent, isNew, leaseAge, renewalAge } = core;
    const key = `${mode} ${isSilent} ${isNew} ${leaseAge} ${renewalAge}`;
    state[this.#at.core + task] = this.#cores.idOf(core, key);
  }

  /** What `task` has seen of `other`: 0 nothing, else `1 + age`, and 4 more when the heartbeat has moved on since. */
  seen = (state: Uint8Array, task: number, other: number) =>
    state[this.#at.seen + task * this.tasks + other] as number;
  setSeen(state: Uint8Array, task: number, other: number, seen: number): void {
    state[this.#at.seen + task * this.tasks + other] = seen;
  }

  part = (state: Uint8Array, task: number, stream: number) =>
    this.#parts.at(state[this.#at.part + task * this.streams + stream] as number);
  /** @param readOwner of a row that was read: its owner then */
  setPart(state: Uint8Array, task: number, stream: number, part: Part, readOwner = 255): void {
    const at = task * this.streams + stream;
    state[this.#at.part + at] = this.#parts.idOf(part, keyOfPart(part));
    state[this.#at.readOwner + at] = part.at === 'read' ? readOwner : 255;
  }
  readOwner = (state: Uint8Array, task: number, stream: number) =>
    state[this.#at.readOwner + task * this.streams + stream] as number;

  left = (state: Uint8Array, what: keyof Budget) =>
    state[this.#at.left + BUDGET.indexOf(what)] as number;
  setLeft(state: Uint8Array, what: keyof Budget, left: number): void {
    state[this.#at.left + BUDGET.indexOf(what)] = left;
  }

  /**
   * The same state for all names of tasks and streams: nothing in it depends on what they are called, so of all renamings the
   * one with the smallest bytes stands for them.
   */
  canonical(state: Uint8Array): Uint8Array {
    let best = this.#renamings[0] as Renaming;
    for (const other of this.#renamings) if (this.#isLess(state, other, best)) best = other;
    const { from, name } = best;
    const found = new Uint8Array(this.size);
    for (let at = 0; at < this.size; at++) {
      const byte = state[from[at] as number] as number;
      found[at] = this.#holdsOwner[at] === 1 ? (name[byte] as number) : byte;
    }
    return found;
  }

  #isLess(state: Uint8Array, one: Renaming, other: Renaming): boolean {
    for (let at = 0; at < this.size; at++) {
      let a = state[one.from[at] as number] as number;
      let b = state[other.from[at] as number] as number;
      if (this.#holdsOwner[at] === 1) {
        a = one.name[a] as number;
        b = other.name[b] as number;
      }
      if (a !== b) return a < b;
    }
    return false;
  }

  /** @param byTask new task `i` is the old task `byTask[i]` */
  #renaming(byTask: readonly number[], byStream: readonly number[]): Renaming {
    const { bits, core, seen, part, readOwner } = this.#at;
    const { tasks, streams } = this;
    const from = Uint8Array.from({ length: this.size }, (_, at) => at);
    for (const [stream, old] of byStream.entries()) {
      from[stream] = old;
      from[bits + stream] = bits + old;
    }
    for (const [task, old] of byTask.entries()) {
      from[core + task] = core + old;
      for (const [other, oldOther] of byTask.entries())
        from[seen + task * tasks + other] = seen + old * tasks + oldOther;
      for (const [stream, oldStream] of byStream.entries()) {
        const [to, of] = [task * streams + stream, old * streams + oldStream];
        from[part + to] = part + of;
        from[readOwner + to] = readOwner + of;
      }
    }
    // What names no task keeps its name.
    const name = Uint8Array.from({ length: 256 }, (_, old) => old);
    for (const [task, old] of byTask.entries()) name[old] = task;
    return { from, name };
  }
}

function keyOfPart(part: Part): string {
  switch (part.at) {
    case 'idle':
      return 'idle';
    case 'read':
      return `read ${part.behind} ${part.isProved} ${part.isAlive} ${part.isChecked}`;
    case 'claimed':
      return `claimed ${part.behind} ${part.isVoid}`;
    case 'leaving':
      return `leaving ${part.behind}`;
    case 'serving':
      return `serving ${part.behind}`;
    case 'suspended':
      return `suspended ${part.behind} ${part.proof?.isOwn} ${part.proof?.isVoid}`;
    case 'moved':
      return `moved ${part.behind} ${part.age}`;
  }
}

function permutations(count: number): number[][] {
  if (count === 0) return [[]];
  return permutations(count - 1).flatMap((rest) =>
    Array.from({ length: count }, (_, at) => rest.toSpliced(at, 0, count - 1)),
  );
}
