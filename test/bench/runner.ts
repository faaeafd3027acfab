import { type BuildName, type Step, World } from './ladder.ts';
import { writeReport } from './report.ts';
import { WORKLOADS, type WorkloadName } from './workloads.ts';

export interface RunnerBenchOptions {
  readonly builds: readonly BuildName[];
  readonly workloads: readonly WorkloadName[];
  /** Sessions, instead of each workload's own ladder. */
  readonly steps: readonly number[] | undefined;
  readonly rounds: number;
  readonly profile: string | undefined;
  readonly write: boolean;
}

/** All rounds of one build with one workload. */
export interface Climb {
  readonly workload: WorkloadName;
  readonly build: BuildName;
  readonly rounds: Step[][];
}

/** Runs every build with every workload, in turn, several times. */
export async function benchRunner(options: RunnerBenchOptions): Promise<Climb[]> {
  const climbs: Climb[] = options.workloads.flatMap((workload) =>
    options.builds.map((build) => ({ workload, build, rounds: [] })),
  );
  const world = await World.start();
  try {
    for (let round = 1; round <= options.rounds; round++) {
      for (const { workload, build, rounds } of climbs) {
        const steps = options.steps ?? WORKLOADS[workload].steps;
        const done = await world.climb(build, workload, steps, { profile: options.profile });
        rounds.push(done);
        for (const step of done) process.stdout.write(`${line(workload, build, round, step)}\n`);
      }
    }
  } finally {
    await world.close();
  }
  if (options.write) await writeReport(climbs);
  return climbs;
}

function line(workload: WorkloadName, build: BuildName, round: number, step: Step): string {
  const { sessions, cpuMs, wallMs, frames, p50Ms, p99Ms, rssBytes, idleRssBytes } = step;
  return [
    `${workload} ${build}`.padEnd(28),
    `round ${round}`,
    `${sessions} sessions`.padStart(13),
    `${Math.round((1_000 * frames) / wallMs)} frames/s`.padStart(16),
    `${((100 * cpuMs) / wallMs).toFixed(0)} % CPU`.padStart(9),
    `${((1_000 * cpuMs) / frames).toFixed(1)} µs/frame`.padStart(15),
    `p50 ${p50Ms} p99 ${p99Ms} ms`.padStart(20),
    `${Math.round((rssBytes - idleRssBytes) / 1024 / sessions)} kB/session`.padStart(16),
    `${step.calls} calls`,
    `zoom ${(100 * step.zoomLoad).toFixed(0)} % sink ${(100 * step.sinkLoad).toFixed(0)} %`,
    step.sustained ? '' : step.benchLimited ? 'BENCH LIMITED' : 'NOT SUSTAINED',
  ].join('  ');
}
