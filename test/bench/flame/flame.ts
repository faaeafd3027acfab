import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { World } from '../ladder.ts';
import { WORKLOADS, type WorkloadName } from '../workloads.ts';
import { drawFlames } from './draw.ts';
import { blocksOf, readPerfScript, type Stack } from './stacks.ts';

/** Sessions at which each workload is profiled: a small part of what a core carries, so that other work on the machine makes no backlog. */
const SESSIONS: Partial<Record<WorkloadName, number>> = {
  audio: 150,
  video: 60,
  share: 25,
  transcript: 500,
};
const SECONDS = 12;
const LEAST_SHARE = 0.02;

export interface FlameOptions {
  readonly workloads: readonly WorkloadName[];
  /** Writes the pictures into docs/. */
  readonly write: boolean;
}

/**
 * Profiles the runner under each workload with `perf`, in which V8's code has its names, prints the blocks over 2 %, and
 * draws a flame graph. Needs Linux, `perf`, and the right to use it.
 */
export async function benchFlame({ workloads, write }: FlameOptions): Promise<void> {
  const world = await World.start();
  try {
    for (const workload of workloads) {
      const sessions = SESSIONS[workload];
      if (sessions === undefined) continue;
      let stacks: Stack[] = [];
      await world.climb('runner', workload, [sessions], {
        nodeArgs: ['--perf-basic-prof'],
        during: async (pid) => {
          stacks = await record(pid);
        },
      });
      const title = `${WORKLOADS[workload].title}, ${sessions} sessions`;
      process.stdout.write(`${title}: ${stacks.length} samples\n`);
      for (const { name, share } of blocksOf(stacks)) {
        if (share < LEAST_SHARE) break;
        process.stdout.write(`  ${(100 * share).toFixed(1).padStart(5)} %  ${name}\n`);
      }
      const file = new URL(`../../../docs/flame-${workload}.svg`, import.meta.url);
      if (write) await writeFile(file, drawFlames(title, stacks));
    }
  } finally {
    await world.close();
  }
}

async function record(pid: number): Promise<Stack[]> {
  const directory = await mkdtemp(join(tmpdir(), 'rtms-perf-'));
  try {
    const data = join(directory, 'perf.data');
    const out = ['-o', data, '-e', 'cpu-clock', '-F', '997', '-g', '-p', String(pid)];
    await perf(['record', '-q', ...out, '--', 'sleep', String(SECONDS)]);
    return readPerfScript(await perf(['script', '-i', data, '-F', 'ip,sym,dso']));
  } finally {
    await rm(directory, { recursive: true });
    // V8 writes the names of its code there, and leaves them.
    await rm(`/tmp/perf-${pid}.map`, { force: true });
  }
}

async function perf(args: readonly string[]): Promise<string> {
  const child = spawn('perf', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`perf ${args[0]} ended with ${code}`);
  return printed;
}
