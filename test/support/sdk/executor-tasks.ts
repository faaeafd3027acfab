/** For executor.test.ts only: a module of tasks. */
import { threadId } from 'node:worker_threads';

export function describe(buffer: Buffer, size: number, timestamp: number): string {
  return `${buffer.constructor.name} ${buffer.toString('hex')} ${size} ${timestamp} ${threadId > 0}`;
}

/** The later frames are the faster ones: whoever runs them side by side gets them in the wrong order. */
export async function slower(buffer: Buffer): Promise<number> {
  const number = buffer.readUInt8(0);
  await new Promise((resolve) => setTimeout(resolve, 20 - number));
  return number;
}

export function fail(): never {
  throw new Error('task failed');
}
