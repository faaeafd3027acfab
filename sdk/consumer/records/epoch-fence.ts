import { SequenceRanges } from './sequence-ranges.ts';

/** Partition keys remembered. Beyond them, the one unused for longest is dropped. */
const MAX_KEYS = 20_000;

/** Ranges of seen numbers remembered per source: far more gaps than a source of a working meeting ever has. */
const MAX_RANGES = 1_000;

/** `repeated`: the record was delivered before. `fenced`: its writer had lost the ownership when it wrote. */
export type FenceDecision = 'admitted' | 'repeated' | 'fenced';

/** The fields of a record that decide. */
export interface Fenced {
  readonly rtmsStreamId: string;
  readonly epoch: number;
  readonly sequence: number;
}

/** Names a source within a partition key. Each source has its own sequence numbers. */
export type SourceId = string | number;

/** The newest record of one source under one partition key. */
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
 * Lets every identity pass once, and no record of an epoch below the highest that was seen under the same partition key.
 *
 * @see docs/records.md, order and identity
 */
export class EpochFence {
  readonly #keys = new Map<string, KeyState>();
  /** Records of one key follow each other, as an aggregate has one key: this spares the look-up for all but the first. */
  #lastKey = '';
  #lastStream = '';
  #lastState: KeyState = { epoch: 0, sources: new Map() };

  /** Decides on a record. Remembers nothing of it but a higher epoch. */
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

  /** Counts what an earlier reader had seen as delivered: the newest of each source and, as order is strict, all before. */
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
    // Put behind all others, so that the first key of the map is the one unused for longest.
    this.#keys.delete(key);
    this.#keys.set(key, state);
    if (this.#keys.size > MAX_KEYS) this.#keys.delete(this.#keys.keys().next().value as string);
    this.#lastKey = partitionKey;
    this.#lastStream = rtmsStreamId;
    this.#lastState = state;
    return state;
  }
}
