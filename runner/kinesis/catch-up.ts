/** Multiple of its live rate that a key with a backlog is given before others get more. */
const CATCH_UP_RATE = 3;
/** How far a key may run ahead of that or fall behind it before the difference is forgotten. */
const MEMORY_MS = 1_000;
/** Taken for keys of which too little is known, such as those an earlier process left. */
const LEAST_BYTES_PER_MS = 20;

/**
 * When a key with a backlog should send its next record: a clock per key that advances, with each record,
 * by the time the record lasts at three times the key's live rate. Whoever's clock is furthest behind goes
 * first, so where keys share a shard a busy one is not held down to an equal share.
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
  return Math.min(Math.max(dueMs, nowMs - MEMORY_MS) + lastsMs, nowMs + MEMORY_MS);
}
