import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { canPin } from './bench-process.ts';
import { plot } from './plot.ts';
import type { Climb } from './runner.ts';
import { type Curve, pointAt, summarize } from './summary.ts';
import { WORKLOADS, type WorkloadName } from './workloads.ts';

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));
const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';

/**
 * Puts the results into docs/performance.md between its marks, and beside it as JSON and SVG. Workloads that
 * were not measured this time keep what an earlier run on the same machine has found.
 */
export async function writeReport(measured: readonly Climb[]): Promise<void> {
  const kept = await earlierClimbs();
  const climbs = Object.keys(WORKLOADS).flatMap((name) => {
    const own = measured.filter(({ workload }) => workload === name);
    return own.length > 0 ? own : kept.filter(({ workload }) => workload === name);
  });
  const curves = climbs.map(summarize);
  const workloads = [...new Set(curves.map(({ workload }) => workload))];
  const parts = workloads.map((workload) => section(workload, curves));
  const page = await readFile(`${DOCS}performance.md`, 'utf8');
  const before = page.slice(0, page.indexOf(BEGIN) + BEGIN.length);
  const behind = page.slice(page.indexOf(END));
  const machine = `Measured on ${machineName()}, Node ${process.version}, ${pinning()}.`;
  const text = [before, machine, ...parts, behind].join('\n\n');
  await writeFile(`${DOCS}performance.md`, text);
  const results = { machine: machineName(), node: process.version, pinned: canPin, curves, climbs };
  await writeFile(`${DOCS}performance.json`, `${JSON.stringify(results, null, 1)}\n`);
  for (const workload of workloads) {
    const drawn = curves.filter((curve) => curve.workload === workload && isDrawn(curve));
    if (drawn.length === 0) continue;
    await writeFile(`${DOCS}performance-${workload}.svg`, plot(WORKLOADS[workload].title, drawn));
  }
}

async function earlierClimbs(): Promise<readonly Climb[]> {
  try {
    const text = await readFile(`${DOCS}performance.json`, 'utf8');
    const earlier = JSON.parse(text) as { machine: string; climbs: readonly Climb[] };
    return earlier.machine === machineName() ? earlier.climbs : [];
  } catch {
    return [];
  }
}

function machineName(): string {
  return `${cpus()[0]?.model.trim() ?? 'an unknown CPU'} with ${availableParallelism()} cores`;
}

function pinning(): string {
  return canPin
    ? 'the measured process alone on core 0, Zoom and Kinesis on core 1'
    : 'all processes on the same cores';
}

function section(workload: WorkloadName, all: readonly Curve[]): string {
  const curves = all.filter((curve) => curve.workload === workload);
  const common = commonStep(curves);
  const ours = curves.find(({ build }) => build === 'runner');
  const oursThere = pointAt(ours, common)?.usPerFrame;
  const rows = curves.map((curve) => {
    const { best, isOpen, bytesPerSession } = curve;
    const there = pointAt(curve, common)?.usPerFrame;
    return [
      curve.build === 'null' ? 'floor (TLS and frames, nothing else)' : `\`${curve.build}\``,
      best === undefined
        ? `under ${curve.points[0]?.sessions}`
        : `${isOpen ? '≥ ' : ''}${best.sessions}`,
      best === undefined ? '–' : `${Math.round(100 * best.load)} %`,
      number(there),
      there === undefined || oursThere === undefined ? '–' : `${(there / oursThere).toFixed(2)} ×`,
      number(best?.usPerFrame),
      best?.p99Ms === undefined ? '–' : `${Math.round(best.p99Ms)} ms`,
      bytesPerSession === undefined ? '–' : `${Math.round(bytesPerSession / 1024)} kB`,
    ];
  });
  const heads = [
    'build',
    'sessions sustained',
    'CPU there',
    `µs a frame at ${common}`,
    'against the runner',
    'µs a frame at its best',
    'p99 there',
    'RSS a session',
  ];
  const picture = curves.some(isDrawn)
    ? [`![load against CPU and p99](performance-${workload}.svg)`]
    : [];
  const rounds = curves[0]?.points[0]?.rounds ?? 0;
  const note = rounds === 1 ? 'One round.' : `Medians of ${rounds} rounds in turn.`;
  return [`### ${WORKLOADS[workload].title}`, note, table(heads, rows), ...picture].join('\n\n');
}

/** One point is no line. */
function isDrawn({ points }: Curve): boolean {
  return points.length > 1;
}

/** The largest step that the runner and the batching builds all sustained: where they are compared. */
function commonStep(curves: readonly Curve[]): number {
  const compared = curves.filter(({ build }) => build !== 'put-per-frame');
  const shared = (compared[0]?.points ?? []).filter(({ sessions }) =>
    compared.every((curve) => pointAt(curve, sessions) !== undefined),
  );
  return shared.at(-1)?.sessions ?? 0;
}

function number(value: number | undefined): string {
  return value === undefined ? '–' : value >= 100 ? String(Math.round(value)) : value.toFixed(1);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, heads.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
