import { writeFileSync } from 'node:fs';
import { DEFAULT_PUT_MODE, parsePutMode } from '../../shared/env.ts';
import { commandOptions, wholeNumber } from '../support/command-options.ts';
import type { RunReport } from './child-run.ts';
import { runInChild } from './child-run.ts';
import { coverageOf } from './coverage.ts';
import { explore } from './explore.ts';
import { FAULTS, type FaultName } from './faults.ts';
import type { HistoryEvent } from './history.ts';
import { showMutations } from './mutation-table.ts';
import { MUTATIONS } from './mutations.ts';
import { shrink } from './shrink.ts';
import { sayEnd, sayEvent } from './words.ts';
import { editSources } from './world/loader.ts';

/**
 * `npm run sim`: plays the fleet through one seed, or through many (`--for`). Node's globals are virtual while a run goes
 * on, and after it, so the real ones are taken first.
 */
const hostNow = performance.now.bind(performance);
const hostWrite = process.stderr.write.bind(process.stderr);
const say = (line: string) => void hostWrite(`${line}\n`);

const { values } = commandOptions('npm run sim --', {
  options: {
    seed: { type: 'string', default: '1' },
    meetings: { type: 'string', default: '20' },
    hours: { type: 'string', default: '1' },
    /** `all`, `none`, or names with commas between. */
    faults: { type: 'string', default: 'all' },
    /** How often they come: 1 is the usual. */
    'fault-rate': { type: 'string', default: '1' },
    /** `whole`: the SDK's own clients. */
    sdk: { type: 'string', default: 'lean' },
    /** As the variable PUT_RECORDS of a runner. */
    'put-records': { type: 'string', default: DEFAULT_PUT_MODE },
    /** Plays one seed after the other for so long: `90s`, `10m`. */
    for: { type: 'string' },
    /** Leaves out what a failure does not need. */
    shrink: { type: 'boolean', default: false },
    /** Plays every known defect until it is found, and prints the table. */
    mutations: { type: 'boolean', default: false },
    /** With `mutations`: the numbers of those that are left out, from 0. */
    'skip-mutations': { type: 'string', default: '' },
    /** One known defect, by its name. */
    mutation: { type: 'string' },
    'skip-faults': { type: 'string', default: '' },
    'skip-meetings': { type: 'string', default: '' },
    /** File for the events that the first problem was found in, JSON. */
    dump: { type: 'string' },
    /** A stream of which every event is printed. */
    watch: { type: 'string' },
    /** Prints what processes write. */
    lines: { type: 'boolean', default: false },
    /** Ends with one line of JSON (`RunReport`). */
    report: { type: 'boolean', default: false },
  },
});
/** Of a problem are shown so many steps before it. */
const STEPS = 50;
const MOST_PROBLEMS = 40;

if (values.mutation !== undefined) {
  editSources(MUTATIONS.filter(({ name }) => name === values.mutation));
}
// Behind the edits: the judges load what they know of readers.
const { runFleet, START_MS } = await import('./run.ts');
if (values.mutations) {
  process.exitCode = (
    await showMutations(numbers(values['skip-mutations']), (line) =>
      process.stdout.write(`${line}\n`),
    )
  ).length;
} else if (values.for !== undefined) process.exitCode = await exploreFor(values.for);
else process.exitCode = await playOne();

function argsOfRuns(): string[] {
  const { meetings, hours, faults, sdk, 'fault-rate': rate, 'put-records': puts } = values;
  return [
    `--fault-rate=${rate}`,
    `--meetings=${meetings}`,
    `--hours=${hours}`,
    `--faults=${faults}`,
    `--sdk=${sdk}`,
    `--put-records=${puts}`,
  ];
}

async function exploreFor(time: string): Promise<number> {
  const [, count, unit] = /^(\d+)([sm])$/.exec(time) ?? [];
  if (count === undefined) {
    say(`--for is a time like 90s or 10m, not "${time}"`);
    return 2;
  }
  const untilMs = hostNow() + Number(count) * (unit === 's' ? 1_000 : 60_000);
  const found = await explore(
    argsOfRuns(),
    wholeNumber('seed', values.seed),
    () => hostNow() > untilMs,
    say,
  );
  const { runs, meetingHours, failed, states, faults, pairs } = found;
  process.stdout.write(
    `explored ${runs} seeds from ${values.seed}, ${meetingHours.toFixed(1)} meeting-hours: ` +
      `${states.size} row states, ${faults.size} kinds of faults, ${pairs.size} pairs of them within a minute, ` +
      `${failed.length} seeds failed${failed.length > 0 ? `: ${failed.map(({ seed }) => seed).join(', ')}` : ''}\n`,
  );
  return failed.length > 0 ? 1 : 0;
}

async function playOne(): Promise<number> {
  const seed = wholeNumber('seed', values.seed);
  const [meetings, hours] = [wholeNumber('meetings', values.meetings), Number(values.hours)];
  const sinceMs = hostNow();
  const result = await runFleet({
    seed,
    meetings,
    hours,
    faults: faultNames(values.faults),
    faultRate: Number(values['fault-rate']),
    sdk: values.sdk === 'whole' ? 'whole' : 'lean',
    putRecords: parsePutMode(values['put-records']),
    skip: { faults: numbers(values['skip-faults']), meetings: numbers(values['skip-meetings']) },
    ...(values.watch !== undefined && {
      watch: {
        rtmsStreamId: values.watch,
        onEvent: (event: HistoryEvent) => say(sayEvent(event, START_MS)),
      },
    }),
    ...(values.lines && { onLine: (name: string, line: string) => say(`${name} ${line}`) }),
  });
  const { recorder, problems } = result;
  const seconds = (hostNow() - sinceMs) / 1_000;
  const { user, system } = process.cpuUsage();
  const cpuSeconds = (user + system) / 1e6;
  const [first] = problems;
  const report: RunReport = {
    seed,
    problems: problems.map(({ judge, words }) => ({ judge, words })),
    hash: recorder.hash(),
    frames: recorder.frames,
    meetingHours: result.meetingHours,
    faults: result.faults,
    meetings: result.meetings,
    virtualMsToProblem:
      first && (first.events.find(({ step }) => step >= first.step)?.atMs ?? START_MS) - START_MS,
    coverage: coverageOf(recorder.common),
  };
  if (first && values.dump !== undefined) writeFileSync(values.dump, JSON.stringify(first.events));
  if (values.report) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return 0;
  }
  if (first) {
    const before = first.events.filter(({ step }) => step <= first.step).slice(-STEPS);
    const lines = before.map((event) => sayEvent(event, START_MS));
    process.stdout.write(`${lines.join('\n')}\n\n`);
  }
  for (const { judge, step, words } of problems.slice(0, MOST_PROBLEMS)) {
    process.stdout.write(`${judge}: ${words} (step ${step})\n`);
  }
  if (first && values.shrink) {
    const args = await shrink(
      [...argsOfRuns(), `--seed=${seed}`],
      await runInChild([...argsOfRuns(), `--seed=${seed}`]),
      say,
    );
    process.stdout.write(`it still fails with: npm run sim -- ${args.join(' ')}\n`);
  }
  const { hash, frames, meetingHours, faults } = report;
  const run = { seed, meetings, hours, hash, frames, meetingHours, faults };
  const ended = { ...run, wallSeconds: seconds, cpuSeconds, problems: problems.length };
  process.stdout.write(`${sayEnd(ended)}\n`);
  return problems.length > 0 ? 1 : 0;
}

function faultNames(text: string): readonly FaultName[] {
  if (text === 'all') return FAULTS;
  if (text === 'none') return [];
  const wanted = text.split(',');
  const known = FAULTS.filter((name) => wanted.includes(name));
  const unknown = wanted.filter((name) => !known.some((one) => one === name));
  if (unknown.length === 0) return wanted as FaultName[];
  say(`no fault "${unknown.join(', ')}"; there are ${FAULTS.join(', ')}`);
  process.exit(2);
}

function numbers(text: string): ReadonlySet<number> {
  return new Set(text === '' ? [] : text.split(',').map(Number));
}
