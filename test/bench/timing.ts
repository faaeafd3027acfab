/** One way to do something, timed against others. */
export interface Contender {
  readonly name: string;
  /** Does it once. */
  readonly run: () => unknown;
}

export interface Timing {
  readonly name: string;
  /** Median of the rounds, µs a run. */
  readonly medianUs: number;
  /** How many times the first contender's. */
  readonly ratio: number;
}

const ROUNDS = 15;
const ROUND_MS = 60;

/** Times contenders in turn, in many short rounds, so that a busy machine troubles all alike. */
export function time(contenders: readonly Contender[]): Timing[] {
  const rounds = contenders.map((): number[] => []);
  for (let round = -2; round < ROUNDS; round++) {
    for (const [index, { run }] of contenders.entries()) {
      const us = timeOnce(run);
      // The first rounds warm up.
      if (round >= 0) rounds[index]?.push(us);
    }
  }
  const medians = rounds.map(median);
  return contenders.map(({ name }, index) => {
    const medianUs = medians[index] ?? 0;
    return { name, medianUs, ratio: medianUs / (medians[0] ?? 1) };
  });
}

/** CPU time, not wall time: others may be on this core. */
function timeOnce(run: () => unknown): number {
  const cpu = process.cpuUsage();
  const endMs = performance.now() + ROUND_MS;
  let runs = 0;
  while (performance.now() < endMs) {
    for (let index = 0; index < 50; index++) run();
    runs += 50;
  }
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / runs;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = 0, high = 0] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
}

/** @param title what is done once */
export function print(title: string, timings: readonly Timing[]): void {
  process.stdout.write(`${title}\n`);
  for (const { name, medianUs, ratio } of timings) {
    const columns = [
      name.padEnd(44),
      `${medianUs.toFixed(2)} µs`.padStart(10),
      `${ratio.toFixed(1)} x`,
    ];
    process.stdout.write(`  ${columns.join('  ')}\n`);
  }
}
