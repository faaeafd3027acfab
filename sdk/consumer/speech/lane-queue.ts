/** A stretch of a lane. Without samples it is silence. */
interface Part {
  count: number;
  readonly samples?: Int16Array;
  /** How many of its samples were dropped. */
  lost: number;
}

/** What a lane hands out at once. */
export interface TakenPart {
  /** Place of the first sample, counted since 1970 at the lane's rate. */
  readonly position: number;
  readonly samples: Int16Array;
  /** Whether nothing was heard in it. */
  readonly isSilence: boolean;
  /** How many of its samples were heard and dropped. */
  readonly lost: number;
}

/**
 * The samples of one lane that nobody has taken yet. Silence is only counted, and sound beyond the limit becomes silence,
 * the oldest first: so the memory is bounded, and no sample changes its place.
 */
export class LaneQueue {
  readonly #limit: number;
  /** No two stretches of silence stand side by side. */
  readonly #parts: Part[] = [];
  #position: number;
  #end: number;
  #sound = 0;

  /**
   * @param position of the first sample
   * @param limit how many samples of sound are kept
   */
  constructor(position: number, limit: number) {
    this.#position = position;
    this.#end = position;
    this.#limit = limit;
  }

  /** Behind the last sample. */
  get end(): number {
    return this.#end;
  }

  get isEmpty(): boolean {
    return this.#position === this.#end;
  }

  get isFull(): boolean {
    return this.#sound >= this.#limit;
  }

  /** @returns how many samples of sound were dropped for it */
  add(samples: Int16Array): number {
    this.#parts.push({ count: samples.length, samples, lost: 0 });
    this.#sound += samples.length;
    this.#end += samples.length;
    let dropped = 0;
    while (this.#sound > this.#limit) dropped += this.#dropOldest();
    return dropped;
  }

  /** Adds silence up to a place. Does nothing when there are samples at that place. */
  fillTo(end: number): void {
    if (end <= this.#end) return;
    this.#addSilence(end - this.#end);
    this.#end = end;
  }

  take(most: number): TakenPart {
    const position = this.#position;
    const samples = new Int16Array(Math.min(most, this.#end - position));
    let [at, isSilence, lost] = [0, true, 0];
    while (at < samples.length) {
      const part = this.#parts[0] as Part;
      const count = Math.min(part.count, samples.length - at);
      if (part.samples !== undefined) {
        samples.set(part.samples.subarray(0, count), at);
        isSilence = false;
        this.#sound -= count;
      }
      const partLost = Math.min(part.lost, count);
      lost += partLost;
      at += count;
      if (count === part.count) this.#parts.shift();
      else this.#parts[0] = { ...rest(part, count), lost: part.lost - partLost };
    }
    this.#position += samples.length;
    return { position, samples, isSilence, lost };
  }

  /** Drops everything. @returns how many samples of sound that were */
  clear(): number {
    const sound = this.#sound;
    this.#parts.length = 0;
    this.#position = this.#end;
    this.#sound = 0;
    return sound;
  }

  #addSilence(count: number): void {
    const last = this.#parts.at(-1);
    if (last !== undefined && last.samples === undefined) last.count += count;
    else this.#parts.push({ count, lost: 0 });
  }

  #dropOldest(): number {
    const index = this.#parts[0]?.samples === undefined ? 1 : 0;
    const { count } = this.#parts[index] as Part;
    const lost: Part = { count, lost: count };
    let [from, until] = [index, index + 1];
    for (const beside of [index - 1, index + 1]) {
      const part = this.#parts[beside];
      if (part === undefined || part.samples !== undefined) continue;
      lost.count += part.count;
      lost.lost += part.lost;
      [from, until] = [Math.min(from, beside), Math.max(until, beside + 1)];
    }
    this.#parts.splice(from, until - from, lost);
    this.#sound -= count;
    return count;
  }
}

function rest({ count, samples }: Part, taken: number): Omit<Part, 'lost'> {
  return {
    count: count - taken,
    ...(samples !== undefined && { samples: samples.subarray(taken) }),
  };
}
