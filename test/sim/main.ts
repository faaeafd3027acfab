import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FAULTS, type FaultName } from './faults.ts';
import type { HistoryEvent } from './history.ts';
import { runFleet, START_MS } from './run.ts';
import { sayEvent } from './words.ts';

const hostWrite = process.stderr.write.bind(process.stderr);
const hostNow = performance.now.bind(performance);
/** Of a problem are shown so many steps before it, and of so many problems. */
const [STEPS, SHOWN] = [50, 1];
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    meetings: { type: 'string', default: '20' },
    hours: { type: 'string', default: '1' },
    sdk: { type: 'string', default: 'lean' },
    faults: { type: 'string', default: 'none' },
    /** File for the events around the first problem, JSON. */
    dump: { type: 'string' },
    /** A stream of which every event is printed. */
    watch: { type: 'string' },
    lines: { type: 'boolean', default: false },
  },
});
const [seed, meetings, hours] = [
  Number(values.seed),
  Number(values.meetings),
  Number(values.hours),
];
const faults: readonly FaultName[] =
  values.faults === 'all'
    ? FAULTS
    : values.faults === 'none'
      ? []
      : (values.faults.split(',') as FaultName[]);
const sinceMs = hostNow();
const { recorder, problems, startMs } = await runFleet({
  seed,
  meetings,
  hours,
  faults,
  sdk: values.sdk === 'whole' ? 'whole' : 'lean',
  ...(values.watch !== undefined && {
    watch: {
      rtmsStreamId: values.watch,
      onEvent: (event: HistoryEvent) => void hostWrite(`${sayEvent(event, START_MS)}\n`),
    },
  }),
  ...(values.lines && {
    onLine: (name: string, line: string) => void hostWrite(`${name} ${line}\n`),
  }),
});
const seconds = (hostNow() - sinceMs) / 1_000;
const { user, system } = process.cpuUsage();
if (values.dump !== undefined && problems[0]) {
  writeFileSync(values.dump, JSON.stringify(problems[0].events));
}
for (const { judge, step, words, events } of problems.slice(0, SHOWN)) {
  const before = events.filter((event) => event.step <= step).slice(-STEPS);
  const lines = before.map((event) => sayEvent(event, startMs));
  process.stdout.write(`${lines.join('\n')}\n${judge}: ${words} (step ${step})\n\n`);
}
for (const { judge, step, words } of problems.slice(SHOWN, 50)) {
  process.stdout.write(`${judge}: ${words} (step ${step})\n`);
}
process.stdout.write(
  `sim seed=${seed} meetings=${meetings} virtual_hours=${hours} wall_s=${seconds.toFixed(1)} cpu_s=${((user + system) / 1e6).toFixed(1)} frames=${recorder.frames} written=${recorder.written} problems=${problems.length} hash=${recorder.hash()}\n`,
);
