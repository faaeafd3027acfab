import { readFileSync, writeFileSync } from 'node:fs';
import type { Outcome } from './outcome.ts';

const PAGE = 'docs/threat-model.md';
const BEGIN = '<!-- hostile:begin, written by `npm run test:hostile -- --write` -->';
const END = '<!-- hostile:end -->';

export function outcomeTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((each) => {
    const { attack, rule, memoryBeforeMb, memoryPeakMb, heldMb, loopDelayMs, broken } = each;
    const late = `${figure(each.neighboursLateMs)} (${figure(each.undisturbedMs)})`;
    const verdict = broken.length === 0 ? 'held' : `**${broken.join('; ')}**`;
    const memory = `${memoryBeforeMb} → ${memoryPeakMb}, ${heldMb}`;
    return `| ${attack} | ${rule} | ${memory} | ${loopDelayMs} | ${each.neighboursLost} | ${late} | ${verdict} |`;
  });
  return [
    '| attack | rule | memory, MB: before → peak, held | loop delay, ms | neighbours lost | neighbours late, p99 ms (undisturbed) | outcome |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function figure(ms: number): string {
  return Number.isFinite(ms) ? String(ms) : 'none in time';
}

/** Puts the table in its place in docs/threat-model.md. */
export function writeTable(outcomes: readonly Outcome[]): void {
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error(`${PAGE} has no place for the table`);
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${outcomeTable(outcomes)}\n\n${END}${after}`);
}
