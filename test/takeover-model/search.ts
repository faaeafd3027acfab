import { GrowingBytes, GrowingNumbers } from './growing.ts';
import { type ModelSteps, type StepKind, TWICE } from './steps.ts';

/** What a search has found. */
export interface SearchResult {
  readonly states: number;
  readonly steps: number;
  /** Whether every state that can be reached was looked at. */
  readonly isWhole: boolean;
  /** The shortest way to a state that may not be, and what is wrong there. */
  readonly broken: { readonly what: string; readonly way: readonly string[] } | undefined;
  readonly graph: StateGraph;
}

/** All states that were looked at, nearest first, and the steps between them that a healthy system takes. */
export interface StateGraph {
  readonly count: number;
  state(id: number): Uint8Array;
  /** @returns the shortest way from the start, step by step */
  wayTo(id: number): string[];
  fairSteps(id: number): readonly FairStep[];
}

/** @property kind `tick`: time goes on; `may`: nobody had to take it */
export interface FairStep {
  readonly to: number;
  readonly kind: Exclude<StepKind, 'fault'>;
}

const KINDS = ['step', 'may', 'tick'] as const;

/** Looks at every state that can be reached, nearest first, until one is broken or `maxStates` are known. */
export function search(model: ModelSteps, maxStates = Number.POSITIVE_INFINITY): SearchResult {
  const { layout } = model;
  const ids = new Map<string, number>();
  const states = new GrowingBytes(layout.size);
  const parents = new GrowingNumbers();
  const words: string[] = [];
  const wordIds = new Map<string, number>();
  const steppedBy = new GrowingNumbers();
  const fair = new GrowingNumbers();
  const fairFrom = new GrowingNumbers();
  let steps = 0;
  let broken: SearchResult['broken'];
  const wayTo = (id: number) => {
    const way: string[] = [];
    for (let at = id; at > 0; at = parents.at(at)) way.unshift(words[steppedBy.at(at)] as string);
    return way;
  };
  const add = (found: Uint8Array, parent: number, what: string): number => {
    const state = layout.canonical(found);
    const key = String.fromCharCode.apply(null, state as unknown as number[]);
    const id = ids.get(key);
    if (id !== undefined) return id;
    const next = states.push(state);
    ids.set(key, next);
    parents.push(parent);
    let word = wordIds.get(what);
    if (word === undefined) {
      word = words.push(what) - 1;
      wordIds.set(what, word);
    }
    steppedBy.push(word);
    const wrong = what.endsWith(TWICE) ? 'an epoch twice' : wrongIn(model, state);
    if (wrong !== undefined) broken ??= { what: wrong, way: wayTo(next) };
    return next;
  };
  add(model.start(), 0, 'start');
  let at = 0;
  for (; at < states.length && broken === undefined && states.length < maxStates; at++) {
    let urgent = 0;
    const later: number[] = [];
    fairFrom.push(fair.length);
    const emit = (kind: StepKind, what: string, to: Uint8Array) => {
      steps += 1;
      const id = add(to, at, what);
      if (kind === 'fault') return;
      const step = id * KINDS.length + KINDS.indexOf(kind);
      if (kind !== 'step') later.push(step);
      else {
        urgent += 1;
        fair.push(step);
      }
    };
    model.from(states.at(at), emit);
    // Time, and whatever nobody has to do, waits for what healthy tasks have to do.
    if (urgent === 0) for (const step of later) fair.push(step);
  }
  const count = at;
  fairFrom.push(fair.length);
  const graph: StateGraph = {
    count,
    state: (id) => states.at(id),
    wayTo,
    fairSteps: (id) =>
      fair.slice(fairFrom.at(id), fairFrom.at(id + 1)).map((step) => ({
        to: Math.floor(step / KINDS.length),
        kind: KINDS[step % KINDS.length] as FairStep['kind'],
      })),
  };
  return { states: states.length, steps, isWhole: count === states.length, broken, graph };
}

function wrongIn(model: ModelSteps, state: Uint8Array): string | undefined {
  const { options } = model;
  for (let stream = 0; stream < options.streams; stream++)
    if (model.writers(state, stream) > 1) return 'two writers';
  for (let task = 0; task < options.tasks; task++)
    if (model.slotsUsed(state, task) > options.slots) return 'more sessions than slots';
  return undefined;
}
