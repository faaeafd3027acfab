import { type RunReport, runInChild } from './child-run.ts';

const MAX_RUNS = 60;

/**
 * Leaves out faults and meetings as long as the run still fails before the same judge: first halves, then quarters, and
 * so on to single ones.
 *
 * @param args of the run that failed
 * @param say told of every try
 * @returns the arguments that leave out what does not matter
 */
export async function shrink(
  args: readonly string[],
  failed: RunReport,
  say: (line: string) => void,
): Promise<string[]> {
  const judge = failed.problems[0]?.judge;
  const left = {
    faults: Array.from({ length: failed.faults }, (_, number) => number),
    meetings: Array.from({ length: failed.meetings }, (_, number) => number),
  };
  const all = { faults: failed.faults, meetings: failed.meetings };
  let runs = 0;
  const skipped = (kept: typeof left) => [
    ...args,
    `--skip-faults=${without(all.faults, kept.faults)}`,
    `--skip-meetings=${without(all.meetings, kept.meetings)}`,
  ];
  const stillFails = async (kept: typeof left) => {
    runs += 1;
    const { problems } = await runInChild(skipped(kept));
    return problems.some((problem) => problem.judge === judge);
  };
  for (const what of ['faults', 'meetings'] as const) {
    let size = Math.ceil(left[what].length / 2);
    while (size >= 1 && runs < MAX_RUNS) {
      let isSmaller = false;
      for (let from = 0; from < left[what].length && runs < MAX_RUNS; ) {
        const fewer = left[what].filter((_, index) => index < from || index >= from + size);
        const kept = { ...left, [what]: fewer };
        if (fewer.length > 0 && (await stillFails(kept))) {
          left[what] = fewer;
          isSmaller = true;
        } else from += size;
        say(
          `${runs} runs: ${left.faults.length} faults and ${left.meetings.length} meetings are left`,
        );
      }
      if (!isSmaller || size > left[what].length) size = Math.floor(size / 2);
    }
  }
  return skipped(left);
}

function without(count: number, kept: readonly number[]): string {
  const set = new Set(kept);
  return Array.from({ length: count }, (_, number) => number)
    .filter((number) => !set.has(number))
    .join(',');
}
