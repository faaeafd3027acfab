/** Capture times jitter; what is off by less stays where the samples before it end. */
const TOLERANCE_MS = 30;

/** Zoom's longest meeting. A time further off is no time of this meeting. */
const MAX_MEETING_MS = 30 * 3_600_000;

/** In samples, all channels of one instant counting as one. */
export interface Placement {
  /** Where the first sample that is kept goes. */
  readonly at: number;
  /** How many samples at the front of the frame lie before what was already written, or before the start. */
  readonly skip: number;
}

/** Puts the frames of one speaker on the meeting's time base. */
export class SampleClock {
  readonly #sampleRateHz: number;
  readonly #startMs: number;
  #next = 0;

  /** @param startMs meeting zero, Unix ms */
  constructor(sampleRateHz: number, startMs: number) {
    this.#sampleRateHz = sampleRateHz;
    this.#startMs = startMs;
  }

  place(capturedAtMs: number, samples: number): Placement {
    const sinceStartMs = capturedAtMs - this.#startMs;
    const due = Math.round((sinceStartMs * this.#sampleRateHz) / 1000);
    const offset = due - this.#next;
    const tolerance = (TOLERANCE_MS * this.#sampleRateHz) / 1000;
    const isOff = Math.abs(offset) > tolerance && Math.abs(sinceStartMs) <= MAX_MEETING_MS;
    const at = isOff && offset > 0 ? due : this.#next;
    const skip = isOff && offset < 0 ? Math.min(samples, -offset) : 0;
    this.#next = at + samples - skip;
    return { at, skip };
  }
}
