import { KEPT_AUDIO_COMES_MS } from '../../../shared/record/event-data.ts';

/**
 * Since when Zoom has kept audio for a session that the session has not got. That may be longer ago than its connection was
 * lost:
 *
 * ```
 * connection   ····· down ·····│0.3 s│····· down ·····│
 * Zoom keeps   ├──────────────────────────────────────┤ and throws away what is older than a minute
 * ```
 *
 * It sends what it has kept some moments after the connection is back. If that breaks before, all of it is still to come, and what
 * is thrown away meanwhile reaches back to the first loss. Told from the last loss on, it would be named by no record.
 */
export class OwedAudio {
  #sinceMs = 0;
  #backAtMs = Number.NEGATIVE_INFINITY;

  /**
   * Audio can come again, or for the first time.
   *
   * @param goneAtMs since when it could not, Unix ms
   * @returns since when Zoom has kept audio for the session, Unix ms
   */
  isBack(goneAtMs: number, nowMs: number): number {
    const isOwedMore = goneAtMs - this.#backAtMs < KEPT_AUDIO_COMES_MS;
    this.#sinceMs = isOwedMore ? Math.min(this.#sinceMs, goneAtMs) : goneAtMs;
    this.#backAtMs = nowMs;
    return this.#sinceMs;
  }

  /** A frame came. Zoom sends audio in the order of its capture, so everything older has come too. */
  came(capturedAtMs: number): void {
    if (capturedAtMs > this.#sinceMs) this.#sinceMs = capturedAtMs;
  }
}
