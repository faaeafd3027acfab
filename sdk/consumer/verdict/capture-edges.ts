/** Capture times jitter by this much; less is no hole. */
export const CAPTURE_JITTER_MS = 30;

/** A capture time further than this from its neighbours in order is an outlier: it says nothing of where audio ends. */
const OUTLIER_MS = 60_000;

const KEPT = 3;

/**
 * Where the capture time of one media type begins and ends, from its first and last frames in order. One frame with a
 * time of its own (ten minutes ahead, say) must not cover up what lacks behind it.
 */
export class CaptureEdges {
  readonly #first: number[] = [];
  readonly #last: number[] = [];
  #newestMs = Number.NEGATIVE_INFINITY;

  add(startMs: number, endMs: number): void {
    if (this.#first.length < KEPT) this.#first.push(startMs);
    // Late ones of another source do not end anything.
    if (endMs < this.#newestMs - OUTLIER_MS) this.#newestMs = endMs;
    else if (endMs < this.#newestMs) return;
    this.#newestMs = endMs;
    this.#last.push(endMs);
    if (this.#last.length > KEPT) this.#last.shift();
  }

  get startMs(): number | undefined {
    const [least, second] = this.#first.toSorted((a, b) => a - b);
    return least !== undefined && second !== undefined && second - least > OUTLIER_MS
      ? second
      : least;
  }

  get endMs(): number | undefined {
    const [most, second] = this.#last.toSorted((a, b) => b - a);
    return most !== undefined && second !== undefined && most - second > OUTLIER_MS ? second : most;
  }
}
