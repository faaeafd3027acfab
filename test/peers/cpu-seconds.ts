import { readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second, whatever the kernel's own clock is. */
const TICKS_PER_SECOND = 100;
/** Of the fields behind the program's name in `/proc/<pid>/stat`: own time in user mode and in the kernel, then the children's. */
const FIRST_TIME = 11;
const TIMES = 4;

/**
 * Processor time of this process and of all its children that have ended, in seconds: what a run costs, however busy the machine is.
 *
 * @returns undefined on another system than Linux
 */
export function cpuSeconds(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(FIRST_TIME, FIRST_TIME + TIMES).map(Number);
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
}
