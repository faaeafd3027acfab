import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MeetingExport } from '../../sdk/consumer/index.ts';
import { recordMeeting } from '../support/recorded-meeting.ts';
import { START_MS } from '../support/test-records.ts';

const LENGTH_MS = 20 * 60_000;

type Layout = 'none' | 'speaker' | 'share' | 'tracks';

interface Measured {
  readonly frames: number;
  readonly cpuS: number;
  readonly closeCpuS: number;
  readonly rssMb: number;
}

const RUNS: readonly { name: string; layout: Layout; slideMs?: number }[] = [
  { name: 'files of the sources alone', layout: 'none' },
  { name: 'with meeting.mp4 and .mkv', layout: 'share' },
  { name: 'layout tracks', layout: 'tracks' },
  { name: 'and a JPG each second', layout: 'share', slideMs: 1_000 },
];

/**
 * How fast a meeting of two people becomes files, in multiples of real time on one core, and how much memory that takes. Each run has a
 * process of its own, so that no one sees the memory of another.
 */
export async function benchExport(): Promise<void> {
  process.stdout.write(`an export of ${LENGTH_MS / 60_000} minutes of two people\n`);
  for (const { name, ...options } of RUNS) {
    const args = [import.meta.filename, JSON.stringify(options)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { frames, cpuS, closeCpuS, rssMb } = JSON.parse(stdout) as Measured;
    const speed = `${(LENGTH_MS / 1000 / cpuS).toFixed(0)} x real time`.padStart(15);
    const cost = `${cpuS.toFixed(1)} s of CPU (${closeCpuS.toFixed(1)} s when it is closed)`;
    const figures = `${speed}, ${cost}, ${rssMb.toFixed(0)} MB RSS, ${frames} frames`;
    process.stdout.write(`  ${name.padEnd(28)}${figures}\n`);
  }
}

async function measure({ layout, slideMs }: { layout: Layout; slideMs?: number }) {
  const folder = await mkdtemp(join(tmpdir(), 'rtms-bench-export-'));
  let rssMb = 0;
  const watch = setInterval(() => {
    rssMb = Math.max(rssMb, process.memoryUsage().rss / 2 ** 20);
  }, 50);
  try {
    const begun = process.cpuUsage();
    const meeting = await MeetingExport.create(join(folder, 'out'), { startMs: START_MS, layout });
    const facts = { lengthMs: LENGTH_MS, ...(slideMs !== undefined && { slideMs }) };
    const frames = await recordMeeting(meeting, facts);
    const closing = process.cpuUsage();
    await meeting.close();
    return { frames, cpuS: cpuS(begun), closeCpuS: cpuS(closing), rssMb } satisfies Measured;
  } finally {
    clearInterval(watch);
    await rm(folder, { recursive: true });
  }
}

function cpuS(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

if (import.meta.main)
  process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? '{}'))));
