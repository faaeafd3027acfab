import { CORE, type Core } from './bench-process.ts';
import { type Step, World } from './ladder.ts';
import { median } from './timing.ts';
import { WORKLOADS, type WorkloadName } from './workloads.ts';

const LOADS: readonly (readonly [WorkloadName, sessions: number])[] = [
  ['audio', 600],
  ['video', 300],
  ['meeting', 150],
];

const SPLITS: Readonly<Record<string, readonly Core[]>> = {
  'one process': [CORE.measured],
  'two on one core': [CORE.measured, CORE.measured],
  // Beside Zoom and Kinesis, which is why their core must not be full.
  'two on two cores': [CORE.measured, CORE.world],
};

/**
 * What splitting a task's sessions over two processes costs: as many sessions, CPU and memory of both together.
 * The machine has no two cores to spare, so what two carry is one's limit, twice, less that.
 */
export async function benchShards(rounds: number): Promise<void> {
  const world = await World.start();
  try {
    for (const [workload, sessions] of LOADS) {
      process.stdout.write(`${WORKLOADS[workload].title}, ${sessions} sessions\n`);
      const steps = new Map<string, Step[]>(Object.keys(SPLITS).map((name) => [name, []]));
      for (let round = 1; round <= rounds; round++) {
        for (const [name, cores] of Object.entries(SPLITS)) {
          steps.get(name)?.push(...(await world.climb('runner', workload, [sessions], { cores })));
        }
      }
      const whole = frameUs(steps.get('one process') ?? []);
      for (const [name, done] of steps) process.stdout.write(`${line(name, done, whole)}\n`);
    }
  } finally {
    await world.close();
  }
}

function frameUs(steps: readonly Step[]): number {
  return median(steps.map(({ cpuMs, frames }) => (1_000 * cpuMs) / frames));
}

function line(name: string, steps: readonly Step[], wholeUs: number): string {
  const us = frameUs(steps);
  const calls = median(steps.map((step) => (1_000 * step.calls) / step.wallMs));
  const rssMb = median(steps.map(({ rssBytes }) => rssBytes / 1_000_000));
  return [
    `  ${name.padEnd(18)}`,
    `${us.toFixed(1)} µs a frame`.padStart(17),
    `${(us / wholeUs).toFixed(2)} ×`.padStart(8),
    `${calls.toFixed(0)} calls/s`.padStart(12),
    `p99 ${median(steps.map(({ p99Ms }) => p99Ms))} ms`.padStart(11),
    `${rssMb.toFixed(0)} MB`.padStart(8),
  ].join('  ');
}
