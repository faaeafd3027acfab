import { type SequenceRange, SequenceRanges } from './sequence-ranges.ts';

/** Far more than a spool ever gives back in pieces. */
const MAX_RANGES = 100_000;

/**
 * What was read back from the disk of a runner that had died (`recovered`), of one source or of all lines. The numbers
 * that lack right before a recovered one were in the memory of that runner: lost, and explained by that.
 */
export class Recovered {
  readonly #numbers = new SequenceRanges(MAX_RANGES);
  /** When the recovered ones were captured, Unix ms. */
  fromMs = Number.POSITIVE_INFINITY;
  toMs = Number.NEGATIVE_INFINITY;

  add(sequence: number, atMs: number): void {
    this.#numbers.add(sequence);
    this.fromMs = Math.min(this.fromMs, atMs);
    this.toMs = Math.max(this.toMs, atMs);
  }

  /** Splits what lacks into what died with its runner and what nothing explains. */
  explain(missing: readonly SequenceRange[]): {
    readonly diedCount: number;
    readonly unexplained: readonly SequenceRange[];
  } {
    const unexplained = missing.filter(({ to }) => !this.#numbers.has(to + 1));
    return { diedCount: countOf(missing) - countOf(unexplained), unexplained };
  }
}

export function countOf(ranges: readonly SequenceRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}
