import { commandOptions, wholeNumber } from '../support/command-options.ts';
import { Arena } from './arena.ts';
import { CONSUMER_ATTACKS } from './consumer-attacks.ts';
import { JOB_ATTACK, RECORD_ATTACKS, ROW_ATTACKS } from './corrupt-attacks.ts';
import { LATE, type Outcome } from './outcome.ts';
import { outcomeTable, writeTable } from './outcome-table.ts';
import { PEER_ATTACKS } from './peer-attacks.ts';

/**
 * `npm run test:hostile [-- --seed N --seconds 60 --only pattern --write]`: every attack (or those whose name has the pattern) against
 * one runner with two healthy meetings, then the fuzzer for that long. `-- --fuzz 60` is the fuzzer alone, as CI runs it: it tells how late
 * neighbours were and does not judge it. Exit code 1 when a
 * rule was broken; `--write` puts the table into docs/threat-model.md.
 */
const { values } = commandOptions('npm run test:hostile --', {
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seconds: { type: 'string', default: '60' },
    only: { type: 'string', default: '' },
    fuzz: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const FUZZ_SLICE_SECONDS = 10;
const seed = wholeNumber('seed', values.seed);
const say = (text: string) => process.stdout.write(`${text}\n`);
say(`seed ${seed}`);

const outcomes: Outcome[] = [];
const took = (outcome: Outcome) => {
  outcomes.push(outcome);
  say(JSON.stringify(outcome));
  // After each: a run that is cut off has told what it saw.
  if (values.write) writeTable(outcomes);
};
/** An attack under which the neighbours were late is tried again once: on a shared machine somebody else may have been the cause. */
async function run(name: string, attack: () => Promise<Outcome>): Promise<void> {
  const first = await attack();
  const isJudged = values.fuzz === undefined;
  const isOnlyLate = isJudged && first.broken.length === 1 && first.broken[0] === LATE;
  if (isOnlyLate) say(`${name}: neighbours were late by ${first.neighboursLateMs} ms, again`);
  took(isOnlyLate ? await attack() : first);
}

{
  await using arena = await Arena.open();
  const wanted = <T extends { name: string }>(all: readonly T[]) =>
    all.filter(({ name }) => values.fuzz === undefined && new RegExp(values.only).test(name));
  for (const attack of wanted(PEER_ATTACKS)) await run(attack.name, () => arena.peer(attack));
  for (const { name } of wanted([{ name: 'a table that is away for 30 s' }])) {
    took(await arena.outage(name, 'owners hold, nothing is lost', 30_000));
  }
  for (const { name, rule } of wanted([...ROW_ATTACKS, JOB_ATTACK, ...RECORD_ATTACKS])) {
    await run(name, () => arena.corrupt(name, rule));
  }
  for (const attack of wanted(CONSUMER_ATTACKS))
    await run(attack.name, () => arena.consumer(attack));
  const slices = Math.ceil(Number(values.fuzz ?? values.seconds) / FUZZ_SLICE_SECONDS);
  for (let slice = 0; slice < slices; slice += 1) {
    const args = ['fuzz', String(seed + slice), String(FUZZ_SLICE_SECONDS)];
    const isPeer = slice % 2 === 0;
    const name = `fuzz: ${isPeer ? 'messages and bytes' : 'rows and records'}, ${FUZZ_SLICE_SECONDS} s`;
    const rule = 'whatever it is';
    const attack = isPeer
      ? () => arena.peer({ name, rule }, args)
      : () => arena.corrupt(name, rule, args);
    await run(name, attack);
  }
  const { rssMb, heapTotalMb, heapUsedMb, externalMb } = await arena.held();
  const parts = `${heapUsedMb} MB used of a heap of ${heapTotalMb} MB, ${externalMb} MB outside`;
  say(`runner at the end, garbage collected: ${rssMb} MB resident; ${parts}`);
}
say(outcomeTable(outcomes));
// In CI a machine may be as slow as it likes: there the fuzzer looks for deaths, losses and memory.
const isBreach = (what: string) => values.fuzz === undefined || what !== LATE;
const broken = outcomes.filter((outcome) => outcome.broken.some(isBreach));
say(`seed ${seed}: ${outcomes.length} attacks, ${broken.length} broke a rule`);
process.exitCode = broken.length > 0 ? 1 : 0;
