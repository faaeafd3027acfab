/** One figure of a run beside what it must reach. */
export interface Target {
  readonly what: string;
  readonly unit: string;
  readonly measured: number;
  readonly atMost: number;
}

/** @param limit what the figure must not exceed, in `unit` as it does */
export function atMost(what: string, unit: string, measured: number, limit: number): Target {
  return { what, unit, measured, atMost: limit };
}

/**
 * Prints each figure with its target, one a line, and names on stderr those that were missed.
 *
 * @returns whether all were reached
 */
export function judge(targets: readonly Target[]): boolean {
  const isMissed = ({ measured, atMost }: Target) => !(measured <= atMost);
  for (const target of targets) {
    const { what, unit, measured, atMost } = target;
    const verdict = isMissed(target) ? 'MISSED' : 'ok';
    process.stdout.write(
      `${verdict.padEnd(7)} ${what}: ${measured} ${unit} (at most ${atMost} ${unit})\n`,
    );
  }
  const missed = targets.filter(isMissed);
  for (const { what } of missed) process.stderr.write(`missed: ${what}\n`);
  return missed.length === 0;
}
