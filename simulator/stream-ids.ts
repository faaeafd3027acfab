import { createHash } from 'node:crypto';

export interface StreamIds {
  readonly rtmsStreamId: string;
  readonly entityId: string;
  /** Of the session that every stream begins with. */
  readonly sessionId: string;
}

/** Ids in the form of Zoom's examples, from a hash of the seed. */
export function makeIds(seed: string): StreamIds {
  const digest = createHash('sha512').update(seed).digest();
  const hex = digest.subarray(32, 48).toString('hex').toUpperCase();
  return {
    rtmsStreamId: digest.subarray(0, 16).toString('hex'),
    entityId: digest.subarray(16, 32).toString('base64'),
    sessionId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
  };
}
