import { runInChild } from './child-run.ts';

export interface Explored {
  runs: number;
  meetingHours: number;
  readonly failed: { readonly seed: number; readonly words: string }[];
  readonly states: Set<string>;
  readonly faults: Set<string>;
  readonly pairs: Set<string>;
}

/**
 * Plays one seed after the other until the time is up.
 *
 * @param args of every run, without its seed
 * @param isOver asked before every run
 * @param say told of every run that failed
 */
export async function explore(
  args: readonly string[],
  firstSeed: number,
  isOver: () => boolean,
  say: (line: string) => void,
): Promise<Explored> {
  const [states, faults, pairs] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const explored: Explored = { runs: 0, meetingHours: 0, failed: [], states, faults, pairs };
  for (let seed = firstSeed; !isOver(); seed++) {
    const report = await runInChild([...args, `--seed=${seed}`]).catch((error: Error) => error);
    explored.runs += 1;
    if (report instanceof Error) {
      explored.failed.push({ seed, words: report.message.slice(0, 300) });
      say(`seed ${seed}: ${report.message.slice(0, 300)}`);
      continue;
    }
    explored.meetingHours += report.meetingHours;
    for (const what of ['states', 'faults', 'pairs'] as const) {
      for (const one of report.coverage[what]) explored[what].add(one);
    }
    const [first] = report.problems;
    if (first === undefined) continue;
    explored.failed.push({ seed, words: first.words });
    say(`seed ${seed}: ${report.problems.length} problems, ${first.judge}: ${first.words}`);
  }
  return explored;
}
