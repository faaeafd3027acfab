import { runInChild } from './child-run.ts';
import { FAULTS } from './faults.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';

const MOST_SEEDS = 6;
const RUN = ['--meetings=4', '--hours=0.3'];
const ALL: NonNullable<Mutation['under']> = { faults: FAULTS, rate: 4 };

/** Plays seeds with one known defect each until a judge finds it. @returns the defects that were not found */
export async function showMutations(
  skipped: ReadonlySet<number>,
  say: (line: string) => void,
): Promise<string[]> {
  const missed: string[] = [];
  say('| defect | faults | found by | seed | virtual time |\n|---|---|---|---|---|');
  for (const [number, { name, under = ALL }] of MUTATIONS.entries()) {
    if (skipped.has(number)) continue;
    const { faults, rate } = under;
    const run = [...RUN, `--faults=${faults.join(',')}`, `--fault-rate=${rate}`];
    let row: string | undefined;
    for (let seed = 1; seed <= MOST_SEEDS && row === undefined; seed++) {
      const args = [...run, `--seed=${seed}`];
      const report = await runInChild([...args, `--mutation=${name}`]).catch(() => undefined);
      const [first] = report?.problems ?? [];
      if (report === undefined || first === undefined) continue;
      // The same run of the shipped code has to be clean, or the judge has found something else.
      const clean = await runInChild(args).catch(() => undefined);
      if (clean?.problems.length !== 0) continue;
      const minutes = ((report.virtualMsToProblem ?? 0) / 60_000).toFixed(1);
      row = `${first.judge} | ${seed} | ${minutes} min`;
    }
    if (row === undefined) missed.push(name);
    const which = faults === FAULTS ? 'all' : faults.join(', ');
    say(`| ${name} | ${which}, ×${rate} | ${row ?? `not found in ${MOST_SEEDS} seeds | | `} |`);
  }
  return missed;
}
