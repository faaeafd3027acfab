/** Multiple of its live rate that a key with a backlog is given before others get more. */
const CATCH_UP_RATE = 3;
/** How far a key may run ahead of its share or fall behind it before the difference no longer counts. */
const MAX_DRIFT_MS = 1_000;
/** Assumed for keys of which too little is known, such as those an earlier process left. */
const LEAST_BYTES_PER_MS = 20;
/** The live rate is an average over at least this time: of a lane's first frames it would be far too high. */
const LEAST_RATE_MS = 1_000;

/** The pace of one lane: how fast its key comes in, and when its backlog may send the next record. */
export class CatchUpClock {
  #liveBytes = 0;
  #liveSinceMs: number | undefined;
  #dueMs = Number.NEGATIVE_INFINITY;

  /** Lanes with a backlog send in the order of this time, the smallest first. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Counts a unit that has just come towards the live rate, whether it goes to memory or to the disk. */
  arrived(payloadBytes: number, nowMs: number): void {
    this.#liveSinceMs ??= nowMs;
    this.#liveBytes += payloadBytes;
  }

  /** A record of the backlog is sent. */
  sent(sizeBytes: number, nowMs: number): void {
    this.#dueMs = nextDueMs(this.#dueMs, sizeBytes, this.#liveBytesPerMs(nowMs), nowMs);
  }

  /** The average since the first unit came, or over `LEAST_RATE_MS` if that is longer. */
  #liveBytesPerMs(nowMs: number): number {
    return this.#liveBytes / Math.max(LEAST_RATE_MS, nowMs - (this.#liveSinceMs ?? nowMs));
  }
}

/**
 * When a key with a backlog should send its next record: a clock per key that advances, with each record, by the time
 * the record lasts at three times the key's live rate. The key whose clock is furthest behind goes first. Equal shares
 * of a shard would never let the busiest key catch up.
 *
 * @param dueMs what this returned last
 * @param bytesPerMs live rate of the key
 */
export function nextDueMs(
  dueMs: number,
  sizeBytes: number,
  bytesPerMs: number,
  nowMs: number,
): number {
  const lastsMs = sizeBytes / (CATCH_UP_RATE * Math.max(LEAST_BYTES_PER_MS, bytesPerMs));
  return Math.min(Math.max(dueMs, nowMs - MAX_DRIFT_MS) + lastsMs, nowMs + MAX_DRIFT_MS);
}
