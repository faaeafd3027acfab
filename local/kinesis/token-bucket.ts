/** A rate limit that allows a burst of one second. It starts full and refills continuously. */
export interface TokenBucket {
  readonly perSecond: number;
  /** Negative after an amount larger than the bucket: until it has refilled, nothing is allowed. */
  level: number;
  filledAtMs: number;
}

export function createTokenBucket(perSecond: number, nowMs: number): TokenBucket {
  return { perSecond, level: perSecond, filledAtMs: nowMs };
}

/** Refills the bucket and says whether `amount` is allowed now. It takes nothing. */
export function hasTokens(bucket: TokenBucket, amount: number, nowMs: number): boolean {
  if (nowMs > bucket.filledAtMs) {
    const gained = ((nowMs - bucket.filledAtMs) * bucket.perSecond) / 1000;
    bucket.level = Math.min(bucket.perSecond, bucket.level + gained);
    bucket.filledAtMs = nowMs;
  }
  // A full bucket allows any amount, or a 10 MiB record could never be written: this one passes once in ten seconds.
  return bucket.level >= Math.min(amount, bucket.perSecond);
}

/** Takes an amount that `hasTokens` has just allowed. */
export function takeTokens(bucket: TokenBucket, amount: number): void {
  bucket.level -= amount;
}
