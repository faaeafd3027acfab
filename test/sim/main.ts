import { parseArgs } from 'node:util';
import { FAULTS, type FaultName } from './faults.ts';
import { runFleet } from './run.ts';

const hostWrite = process.stderr.write.bind(process.stderr);
const hostNow = performance.now.bind(performance);
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    meetings: { type: 'string', default: '20' },
    hours: { type: 'string', default: '1' },
    sdk: { type: 'string', default: 'lean' },
    faults: { type: 'string', default: 'none' },
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
const recorder = await runFleet({
  seed,
  meetings,
  hours,
  faults,
  sdk: values.sdk === 'whole' ? 'whole' : 'lean',
  ...(values.lines && {
    onLine: (name: string, line: string) => void hostWrite(`${name} ${line}\n`),
  }),
});
const seconds = (hostNow() - sinceMs) / 1_000;
const { user, system } = process.cpuUsage();
process.stdout.write(
  `sim seed=${seed} meetings=${meetings} virtual_hours=${hours} wall_s=${seconds.toFixed(1)} cpu_s=${((user + system) / 1e6).toFixed(1)} frames=${recorder.frames} written=${recorder.written} problems=0 hash=${recorder.hash()}\n`,
);
