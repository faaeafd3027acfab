import { relative } from 'node:path';

/** A path as somebody types it who stands where the process was started. */
export function fromHere(path: string): string {
  return relative(process.cwd(), path) || path;
}
