/** For executor.test.ts only: tells which thread it ran in, and how many were started. */
import { threadId } from 'node:worker_threads';

export function inThread(): number {
  return threadId;
}

export async function slow(buffer: Buffer): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 30));
  return buffer.readUInt8(0);
}
