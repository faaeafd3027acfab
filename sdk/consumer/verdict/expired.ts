import type { SequenceRange } from '../records/sequence-ranges.ts';

/**
 * A time in which records of one of the two streams arrived that Kinesis dropped before they were archived. Only an archive knows
 * of it: whoever reads the streams is told by `onTrimmed`.
 */
export interface ExpiredTime {
  readonly stream: 'media' | 'events';
  /** Of arrival in Kinesis, Unix ms. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A frame may wait on the disk of its runner before it arrives, and clocks differ. */
export const ARRIVAL_MARGIN_MS = 900_000;

/** Far more gaps than a source ever has. Gaps beyond this number are not explained. */
const MAX_MARKS = 10_000;

/** Which missing numbers of one source, or of all lines, an expiry explains. */
export interface Explained {
  readonly count: number;
  /** The times of the frames before and behind what is missing; where there is none, that of the expired time. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly unexplained: readonly SequenceRange[];
}

/**
 * Says which missing numbers of one source, or of all lines, expired. They have to lie between neighbours that were received around
 * an expired time: what is missing elsewhere in the same session is a defect all the same.
 */
export class ExpiredNumbers {
  readonly #times: readonly ExpiredTime[];
  /** Frames beside which a number is missing, as they were handed in. */
  readonly #marks: { readonly sequence: number; readonly atMs: number }[] = [];
  #last: { readonly sequence: number; readonly atMs: number } | undefined;

  constructor(times: readonly ExpiredTime[]) {
    this.#times = times;
  }

  /** @param atMs when a runner received it, Unix ms */
  note(sequence: number, atMs: number): void {
    if (this.#times.length === 0) return;
    const last = this.#last;
    this.#last = { sequence, atMs };
    if (last?.sequence === sequence - 1 || this.#marks.length >= MAX_MARKS) return;
    if (last) this.#marks.push(last);
    this.#marks.push(this.#last);
  }

  explain(missing: readonly SequenceRange[]): Explained {
    const found = missing.map((range) => ({ range, ...this.#around(range) }));
    const expired = found.filter(({ time }) => time !== undefined);
    const count = expired.reduce((sum, { range: { from, to } }) => sum + to - from + 1, 0);
    return {
      count,
      fromMs: expired.reduce((least, { fromMs }) => Math.min(least, fromMs), Infinity),
      toMs: expired.reduce((most, { toMs }) => Math.max(most, toMs), -Infinity),
      unexplained: found.filter(({ time }) => time === undefined).map(({ range }) => range),
    };
  }

  #around({ from, to }: SequenceRange) {
    const marks = this.#last ? [...this.#marks, this.#last] : this.#marks;
    const before = marks.filter(({ sequence }) => sequence < from);
    const behind = marks.filter(({ sequence }) => sequence > to);
    const fromMs = before.reduce((most, { atMs }) => Math.max(most, atMs), -Infinity);
    const toMs = behind.reduce((least, { atMs }) => Math.min(least, atMs), Infinity);
    const time = this.#times.find(
      (one) => fromMs - ARRIVAL_MARGIN_MS <= one.toMs && toMs + ARRIVAL_MARGIN_MS >= one.fromMs,
    );
    return {
      time,
      fromMs: Number.isFinite(fromMs) ? fromMs : (time?.fromMs ?? 0),
      toMs: Number.isFinite(toMs) ? toMs : (time?.toMs ?? 0),
    };
  }
}
