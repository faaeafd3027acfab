import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Coverage } from './coverage.ts';

/** What `main.ts --report` prints about its run. */
export interface RunReport {
  readonly seed: number;
  readonly problems: readonly { readonly judge: string; readonly words: string }[];
  readonly hash: string;
  readonly frames: number;
  /** Hours of meetings, as planned. */
  readonly meetingHours: number;
  readonly faults: number;
  readonly meetings: number;
  readonly virtualMsToProblem: number | undefined;
  readonly coverage: Coverage;
}

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
/** Most of what a run makes is gone at once: a large young generation spares half of the collecting. */
const MEMORY = [
  '--max-old-space-size=3000',
  '--max-semi-space-size=64',
  '--min-semi-space-size=16',
];
/** Modules as they are compiled: a short run loads for longer than it plays. */
const CACHE = join(tmpdir(), 'rtms-sim-cache');
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Plays one run in a process of its own, because a run patches the globals of its process.
 *
 * @param environment beside that of this process
 */
export function runInChild(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<RunReport> {
  const { promise, resolve, reject } = Promise.withResolvers<RunReport>();
  const command = [...MEMORY, MAIN, ...args, '--report'];
  const env = { ...process.env, NODE_COMPILE_CACHE: CACHE, ...environment };
  execFile(process.execPath, command, { env, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout) => {
    const report = stdout.split('\n').findLast((line) => line.startsWith('{'));
    if (report !== undefined) resolve(JSON.parse(report) as RunReport);
    else reject(error ?? new Error('a run without a report'));
  });
  return promise;
}
