/** Sequence numbers from `from` to `to`, both included. */
export interface SequenceRange {
  readonly from: number;
  readonly to: number;
}

type Mutable = { -readonly [Name in keyof SequenceRange]: SequenceRange[Name] };

/**
 * A set of sequence numbers whose memory grows with the gaps between them, not with the numbers: numbers that follow each
 * other are one range.
 *
 * Beyond `maxRanges` ranges the oldest gap is closed, as if its numbers had been seen.
 */
export class SequenceRanges {
  readonly #ranges: Mutable[] = [];
  readonly #maxRanges: number;

  constructor(maxRanges = 10_000) {
    this.#maxRanges = maxRanges;
  }

  /** Adds one number. @returns false when it was there already */
  add(sequence: number): boolean {
    const last = this.#ranges.at(-1);
    if (last && sequence === last.to + 1) last.to = sequence;
    else if (!last || sequence > last.to) this.#ranges.push({ from: sequence, to: sequence });
    else return this.#insert(sequence);
    this.#bound();
    return true;
  }

  /** Adds all numbers of a range. */
  addRange({ from, to }: SequenceRange): void {
    const ranges = this.#ranges;
    const start = this.#firstEndingAtOrAfter(from - 1);
    let end = start;
    const merged = { from, to };
    for (let range = ranges[end]; range && range.from <= to + 1; range = ranges[++end]) {
      merged.from = Math.min(merged.from, range.from);
      merged.to = Math.max(merged.to, range.to);
    }
    ranges.splice(start, end - start, merged);
    this.#bound();
  }

  has(sequence: number): boolean {
    // Nearly every call asks for the next number, so this comparison spares the search.
    if (sequence > this.last) return false;
    const range = this.#ranges[this.#firstEndingAtOrAfter(sequence)];
    return range !== undefined && range.from <= sequence;
  }

  get count(): number {
    return countOf(this.#ranges);
  }

  /** The highest number; 0 when empty. */
  get last(): number {
    return this.#ranges.at(-1)?.to ?? 0;
  }

  /** Ascending, not touching each other. */
  get ranges(): readonly SequenceRange[] {
    return this.#ranges;
  }

  /** The numbers between 1 and `last` that are not in the set. */
  missing(last = this.last): SequenceRange[] {
    const gaps: SequenceRange[] = [];
    let next = 1;
    for (const { from, to } of this.#ranges) {
      if (from > last) break;
      if (from > next) gaps.push({ from: next, to: from - 1 });
      next = to + 1;
    }
    if (next <= last) gaps.push({ from: next, to: last });
    return gaps;
  }

  #insert(sequence: number): boolean {
    if (this.has(sequence)) return false;
    this.addRange({ from: sequence, to: sequence });
    return true;
  }

  #firstEndingAtOrAfter(sequence: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as SequenceRange).to < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #bound(): void {
    const [first, second] = this.#ranges;
    if (this.#ranges.length <= this.#maxRanges || !first || !second) return;
    second.from = first.from;
    this.#ranges.shift();
  }
}

/** How many numbers the ranges hold together. */
export function countOf(ranges: readonly SequenceRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}
