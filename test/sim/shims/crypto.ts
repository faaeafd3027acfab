import type { UUID } from 'node:crypto';
import { running } from '../world/machine.ts';

export * from 'node:crypto';

/** Bytes that the seed determines. */
export function randomBytes(size: number): Buffer {
  const random = running()?.random ?? (() => 0);
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) bytes[at] = Math.floor(random() * 256);
  return bytes;
}

export function randomUUID(): UUID {
  const hex = randomBytes(16).toString('hex');
  const [a, b, c, d] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16), hex.slice(17, 20)];
  return `${a}-${b}-4${c}-8${d}-${hex.slice(20)}`;
}
