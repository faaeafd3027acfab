import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What an invocation of the function below does. */
export interface Order {
  readonly writeMib?: number;
  /** In which directory. @default the function's own */
  readonly directory?: string;
  readonly waitMs?: number;
}

let calls = 0;

/** A function for `local/lambda/local-function.test.ts`: uses up what Lambda limits. */
export async function handler({ writeMib = 0, directory = tmpdir(), waitMs = 0 }: Order) {
  calls += 1;
  if (writeMib > 0) writeFileSync(join(directory, 'file'), Buffer.alloc(writeMib * 1024 ** 2));
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  return { calls, pid: process.pid };
}
