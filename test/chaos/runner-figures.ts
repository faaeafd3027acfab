import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { syntheticMeeting } from '../../local/simulator/synthetic-meeting.ts';
import { startWorld, type World } from '../sessions/world.ts';

const FRAME_MS = 20;
const WATCH_MS = 3_000;
const MEETING = syntheticMeeting({ participants: 1, durationMs: 3_600_000 });

export interface RunnerFigures {
  readonly sessions: number;
  readonly handOver: {
    /** SIGTERM of a runner that had all sessions, until its process was gone. */
    readonly drainMs: number;
    /** SIGTERM until frames of the next epoch could be read, per session. */
    readonly readableMs: Percentiles;
    /** From the last frame of one runner to the first of the next, by our clock: Zoom's buffer covers it. */
    readonly holeMs: Percentiles;
    readonly audioFramesLost: number;
  };
  readonly kill: {
    /** SIGKILL until frames of the next epoch could be read, per session. */
    readonly readableMs: Percentiles;
    /** Audio that no record has, per session. */
    readonly audioLostMs: Percentiles;
  };
  readonly late: number;
  readonly problems: readonly string[];
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Measures a hand-over and a crash of a runner that serves `sessions` meetings, at real time. */
export async function measureRunners(sessions: number): Promise<RunnerFigures> {
  await using world = await startWorld({ runners: 2 });
  const streams = Array.from({ length: sessions }, () => world.simulator.start(MEETING) ?? '');
  await flowing(world, streams, 1);

  // The first drain brings all sessions to one runner, the second moves them all.
  await drain(world, streams, 'runner-2');
  await world.log('runner_ready', { taskId: 'runner-3' }, 60_000);
  const handOver = await drain(world, streams, 'runner-1');
  // A newcomer has to watch a task for as long as anybody before it may call it dead.
  await world.log('runner_ready', { taskId: 'runner-4' }, 60_000);
  await sleep(WATCH_MS);
  const kill = await crash(world, streams, 'runner-3');
  for (const id of streams) world.simulator.act(id, { do: 'stop', reason: 6 });
  const isEnded = (id: string) => world.eventsOf(id).some(({ name }) => name === 'session_ended');
  await world.until('every end', () => streams.every(isEnded), 60_000);
  await world
    .until('a complete ledger', () => world.ledger.report().ok, 20_000)
    .catch(() => undefined);
  return {
    sessions,
    handOver,
    kill,
    late: world.late.length,
    problems: world.ledger.report().problems,
  };
}

async function flowing(world: World, streams: readonly string[], least: number): Promise<void> {
  const isFlowing = (id: string) => epochOf(world, id) >= least;
  await world.until('all sessions flowing', () => streams.every(isFlowing), 120_000);
}

function epochOf(world: World, id: string): number {
  return world.framesOf(id).at(-1)?.epoch ?? 0;
}

/** Moves every session of one runner away and waits until it is gone and the frames flow elsewhere. */
async function drain(world: World, streams: readonly string[], taskId: string) {
  const moving = await ownedBy(world, streams, taskId);
  const pid = world.pid(taskId);
  const atMs = Date.now();
  process.kill(pid, 'SIGTERM');
  const isGone = () => world.stack.fleet.runners.every((runner) => runner.pid !== pid);
  await world.until('the runner gone', isGone, 115_000);
  const drainMs = Date.now() - atMs;
  const boundaries = await boundariesOf(world, moving);
  return {
    drainMs,
    readableMs: percentiles(boundaries.map(({ after }) => after.readAtMs - atMs)),
    holeMs: percentiles(boundaries.map(({ before, after }) => after.readAtMs - before.readAtMs)),
    audioFramesLost: boundaries.reduce((sum, boundary) => sum + missingMs(boundary) / FRAME_MS, 0),
  };
}

async function crash(world: World, streams: readonly string[], taskId: string) {
  await world.until('its sessions', async () => {
    return (await ownedBy(world, streams, taskId)).size > 0;
  });
  const lost = await ownedBy(world, streams, taskId);
  const atMs = Date.now();
  process.kill(world.pid(taskId), 'SIGKILL');
  const boundaries = await boundariesOf(world, lost);
  return {
    readableMs: percentiles(boundaries.map(({ after }) => after.readAtMs - atMs)),
    audioLostMs: percentiles(boundaries.map(missingMs)),
  };
}

/** Epochs by stream, of the streams that a runner owns now. */
async function ownedBy(world: World, streams: readonly string[], taskId: string) {
  const owned = new Map<string, number>();
  for (const id of streams) {
    const { owner, epoch = 0 } = await world.row(id);
    if (owner === taskId) owned.set(id, epoch);
  }
  return owned;
}

/** The last frame of each epoch and the first of the next, once it is there. */
async function boundariesOf(world: World, epochs: ReadonlyMap<string, number>) {
  const isBack = ([id, epoch]: [string, number]) => epochOf(world, id) > epoch;
  await world.until('the next epochs', () => [...epochs].every(isBack), 60_000);
  return [...epochs].map(([id, epoch]) => {
    const before = world.framesOf(id, epoch).at(-1);
    const after = world.framesOf(id, epoch + 1)[0];
    if (before === undefined || after === undefined) throw new Error(`no frames around ${id}`);
    return { before, after };
  });
}

type Boundary = Awaited<ReturnType<typeof boundariesOf>>[number];

function missingMs({ before, after }: Boundary): number {
  return Math.max(0, after.capturedAtMs - before.capturedAtMs - FRAME_MS);
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { sessions: { type: 'string', default: '60' } } });
  const figures = await measureRunners(Number(values.sessions));
  process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
}
