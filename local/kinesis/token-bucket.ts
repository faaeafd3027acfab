/** A rate limit with a burst of one second: full at start, refilled continuously. */
export interface TokenBucket {
  readonly perSecond: number;
  /** Below zero after a take larger than the bucket: nothing more until the debt is repaid. */
  level: number;
  filledAtMs: number;
}

export function createTokenBucket(perSecond: number, nowMs: number): TokenBucket {
  return { perSecond, level: perSecond, filledAtMs: nowMs };
}

/** Brings the bucket up to date and says whether `amount` may be taken now; takes nothing. */
export function hasTokens(bucket: TokenBucket, amount: number, nowMs: number): boolean {
  if (nowMs > bucket.filledAtMs) {
    const gained = ((nowMs - bucket.filledAtMs) * bucket.perSecond) / 1000;
    bucket.level = Math.min(bucket.perSecond, bucket.level + gained);
    bucket.filledAtMs = nowMs;
  }
  // An amount larger than the bucket passes when the bucket is full: a 10 MiB record once in ten seconds.
  return bucket.level >= Math.min(amount, bucket.perSecond);
}

/** Call only after `hasTokens` said yes at the same time. */
export function takeTokens(bucket: TokenBucket, amount: number): void {
  bucket.level -= amount;
}
