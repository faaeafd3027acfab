import { SequenceRanges } from '../verdict/sequence-ranges.ts';

/** Partition keys remembered; the one unused for longest is forgotten first. */
const MAX_KEYS = 20_000;

/** Holes remembered per source: far more than a source of a working meeting ever has. */
const MAX_RANGES = 1_000;

/** `repeated`: delivered before. `fenced`: its writer had lost the ownership when it wrote. */
export type FenceDecision = 'admitted' | 'repeated' | 'fenced';

/** What of a record the fence looks at. */
export interface Fenced {
  readonly rtmsStreamId: string;
  readonly epoch: number;
  readonly sequence: number;
}

/** Names a source within a partition key; sequence numbers are told apart by it. */
export type SourceId = string | number;

/** The newest of one source under one partition key: key, stream, source, epoch, sequence. */
export type FenceMark = readonly [
  partitionKey: string,
  rtmsStreamId: string,
  source: SourceId,
  epoch: number,
  sequence: number,
];

interface KeyState {
  epoch: number;
  /** Sequence numbers seen of the current epoch. */
  sources: Map<SourceId, SequenceRanges>;
}

/**
 * Lets every identity through once, and nothing of an epoch below the highest that was seen under the same
 * partition key.
 *
 * @see docs/records.md, order and identity
 */
export class EpochFence {
  readonly #keys = new Map<string, KeyState>();
  /** Records of one key come in runs: an aggregate has one. */
  #lastKey = '';
  #lastStream = '';
  #lastState: KeyState = { epoch: 0, sources: new Map() };

  /** What would become of this record; nothing is remembered but a higher epoch. */
  check(partitionKey: string, record: Fenced, source: SourceId): FenceDecision {
    const { epoch } = record;
    const state = this.#state(partitionKey, record.rtmsStreamId);
    if (epoch < state.epoch) return 'fenced';
    if (epoch > state.epoch) {
      state.epoch = epoch;
      state.sources = new Map();
    }
    return state.sources.get(source)?.has(record.sequence) ? 'repeated' : 'admitted';
  }

  /** Remembers an admitted record as delivered. */
  delivered(partitionKey: string, record: Fenced, source: SourceId): void {
    const { sources } = this.#state(partitionKey, record.rtmsStreamId);
    let seen = sources.get(source);
    if (!seen) {
      seen = new SequenceRanges(MAX_RANGES);
      sources.set(source, seen);
    }
    seen.add(record.sequence);
  }

  /** Goes on where an earlier reader stopped: what it had seen counts as delivered, as order is strict per key. */
  restore(marks: readonly FenceMark[]): void {
    for (const [partitionKey, rtmsStreamId, source, epoch, sequence] of marks) {
      const record = { rtmsStreamId, epoch, sequence };
      if (this.check(partitionKey, record, source) !== 'admitted') continue;
      const { sources } = this.#state(partitionKey, rtmsStreamId);
      const seen = sources.get(source) ?? new SequenceRanges(MAX_RANGES);
      seen.addRange({ from: 1, to: sequence });
      sources.set(source, seen);
    }
  }

  #state(partitionKey: string, rtmsStreamId: string): KeyState {
    if (partitionKey === this.#lastKey && rtmsStreamId === this.#lastStream) return this.#lastState;
    const key = `${partitionKey}\n${rtmsStreamId}`;
    const state = this.#keys.get(key) ?? { epoch: 0, sources: new Map() };
    // Put in again, behind all others: the first key is then the one unused for longest.
    this.#keys.delete(key);
    this.#keys.set(key, state);
    if (this.#keys.size > MAX_KEYS) this.#keys.delete(this.#keys.keys().next().value as string);
    this.#lastKey = partitionKey;
    this.#lastStream = rtmsStreamId;
    this.#lastState = state;
    return state;
  }
}
