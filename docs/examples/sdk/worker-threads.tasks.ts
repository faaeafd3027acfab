import { createHash } from 'node:crypto';

/** Takes what a callback takes; what it returns goes back to the program. */
export function fingerprint(buffer: Buffer, size: number): string {
  return `fingerprint ${createHash('sha256').update(buffer).digest('hex')} of ${size} bytes`;
}
