import { runInChild } from './child-run.ts';
import { MUTATIONS } from './mutations.ts';

const MOST_SEEDS = 6;
const RUN = ['--meetings=6', '--hours=0.4', '--faults=all', '--fault-rate=4'];

/** Plays seeds with one known defect each until a judge finds it. @returns the defects that were not found */
export async function showMutations(say: (line: string) => void): Promise<string[]> {
  const missed: string[] = [];
  say('| mutation | found by | seed | virtual time |\n|---|---|---|---|');
  for (const { name } of MUTATIONS) {
    let row: string | undefined;
    for (let seed = 1; seed <= MOST_SEEDS && row === undefined; seed++) {
      const report = await runInChild([...RUN, `--mutation=${name}`, `--seed=${seed}`]).catch(
        (error: Error) => error,
      );
      if (report instanceof Error) row = `a crash of the run | ${seed} | `;
      else if (report.problems[0]) {
        const minutes = ((report.virtualMsToProblem ?? 0) / 60_000).toFixed(1);
        row = `${report.problems[0].judge} | ${seed} | ${minutes} min`;
      }
    }
    if (row === undefined) missed.push(name);
    say(`| ${name} | ${row ?? `not found in ${MOST_SEEDS} seeds | | `} |`);
  }
  return missed;
}
