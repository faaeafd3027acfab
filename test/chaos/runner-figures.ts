import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { commandOptions, wholeNumber } from '../support/command-options.ts';
import { startWorld, type World } from '../support/world.ts';
import { atMost, judge, type Target } from './targets.ts';

const FRAME_MS = 20;
/** A newcomer has to watch a task for as long as anybody before it may call it dead. */
const WATCH_MS = 3_000;
/** Frames are readable this long after their capture when nothing is behind: flush, call, poll. */
const LIVE_MS = 1_500;
const MEETING = syntheticMeeting({ participants: 1, durationMs: 3_600_000 });

export interface RunnerFigures {
  readonly sessions: number;
  readonly handOver: {
    /** SIGTERM of a runner that had all sessions, until its process was gone. */
    readonly drainMs: number;
    /** SIGTERM until frames of the next epoch could be read, per session. */
    readonly readableMs: Percentiles;
    /** From the last frame of one runner to the first of the next, by our clock: Zoom's buffer covers it. */
    readonly gapMs: Percentiles;
    readonly audioFramesLost: number;
  };
  readonly kill: {
    /** SIGKILL until frames of the next epoch could be read, per session. */
    readonly readableMs: Percentiles;
    /** Audio that no record has, per session. */
    readonly audioLostMs: Percentiles;
    /** The sessions that were readable last and those that lost most: where their time went. */
    readonly worst: readonly Takeover[];
  };
  /** Runners that could not renew their heartbeat for 7 s, and closed everything. */
  readonly fenced: number;
  /** Longest that this process, which is Zoom, Kinesis and the consumer at once, was away, ms. */
  readonly stalledMs: number;
  /** Records of an older epoch behind those of a newer one: a consumer's fence drops them. */
  readonly late: number;
  readonly problems: readonly string[];
}

/** One session's way from a dead runner to the next, in ms since the kill. */
interface Takeover {
  readonly rtmsStreamId: string;
  /** Capture time of the last frame that the dead runner had written: what came after it died with it. */
  readonly writtenUntilMs: number;
  /** Capture time of the first frame that the next runner wrote. */
  readonly resumedFromMs: number;
  readonly claimedMs: number;
  readonly streamingMs: number;
  readonly readableMs: number;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Measures a hand-over and a crash of a runner that serves `sessions` meetings, at real time. */
export async function measureRunners(sessions: number): Promise<RunnerFigures> {
  await using world = await startWorld({ runners: 2, missing: 'nameless' });
  const stalls = monitorEventLoopDelay();
  stalls.enable();
  const streams = Array.from({ length: sessions }, () => world.simulator.start(MEETING) ?? '');
  await flowing(world, streams, 1);

  // The first drain brings all sessions to one runner, the second moves them all.
  await drain(world, streams, 'runner-2');
  await world.log('runner_ready', { taskId: 'runner-3' }, 60_000);
  await keepingUp(world, streams);
  const handOver = await drain(world, streams, 'runner-1');
  await world.log('runner_ready', { taskId: 'runner-4' }, 60_000);
  await sleep(WATCH_MS);
  await keepingUp(world, streams);
  const kill = await crash(world, streams, 'runner-3');
  for (const id of streams) world.simulator.act(id, { do: 'stop', reason: 6 });
  const isEnded = (id: string) =>
    world.eventsOf(id).some(({ name }) => name === 'session_ended' || name === 'session_missed');
  await world.until('every end', () => streams.every(isEnded), 60_000);
  await world
    .until('a complete ledger', () => world.ledger.report().ok, 20_000)
    .catch(() => undefined);
  return {
    sessions,
    handOver,
    kill,
    fenced: world.logs.filter(({ event }) => event === 'fenced').length,
    stalledMs: Math.round(stalls.max / 1e6),
    late: world.late.length,
    problems: world.ledger.report().problems,
  };
}

async function flowing(world: World, streams: readonly string[], least: number): Promise<void> {
  const isFlowing = (id: string) => world.epochOf(id) >= least;
  await world.until('all sessions flowing', () => streams.every(isFlowing), 120_000);
}

/**
 * Waits until nothing is behind: what Zoom had buffered across a hand-over comes in at once and goes out at
 * the pace of the shards, and a runner that dies meanwhile takes the rest of it along.
 */
async function keepingUp(world: World, streams: readonly string[]): Promise<void> {
  const isLive = (id: string) => {
    const last = world.framesOf(id, world.epochOf(id)).at(-1);
    return last !== undefined && Date.now() - last.capturedAtMs < LIVE_MS;
  };
  await world.until('all sessions keeping up', () => streams.every(isLive), 120_000);
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
    gapMs: percentiles(boundaries.map(({ before, after }) => after.readAtMs - before.readAtMs)),
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
  const takeovers = boundaries.map((boundary) => takeoverOf(world, boundary, atMs));
  const most = (of: (one: Takeover) => number) => takeovers.toSorted((a, b) => of(b) - of(a))[0];
  const worst = [
    most(({ readableMs }) => readableMs),
    most(({ resumedFromMs, writtenUntilMs }) => resumedFromMs - writtenUntilMs),
  ];
  return {
    readableMs: percentiles(takeovers.map(({ readableMs }) => readableMs)),
    audioLostMs: percentiles(boundaries.map(missingMs)),
    worst: [...new Set(worst)].filter((one) => one !== undefined),
  };
}

function takeoverOf(world: World, { before, after }: Boundary, killedAtMs: number): Takeover {
  const { rtmsStreamId, epoch } = after;
  const logged = (event: string) => {
    const line = world.logs.find(
      (one) => one.event === event && one.rtmsStreamId === rtmsStreamId && one.epoch === epoch,
    );
    return Date.parse(String(line?.['time'])) - killedAtMs;
  };
  return {
    rtmsStreamId,
    writtenUntilMs: before.capturedAtMs - killedAtMs,
    resumedFromMs: after.capturedAtMs - killedAtMs,
    claimedMs: logged('claimed'),
    streamingMs: logged('streaming'),
    readableMs: after.readAtMs - killedAtMs,
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
  const isBack = ([id, epoch]: [string, number]) => world.epochOf(id) > epoch;
  await world.until('the next epochs', () => [...epochs].every(isBack), 60_000);
  return [...epochs].map(([id, epoch]) => {
    // An epoch that was claimed and lost before it wrote anything is none to measure at.
    const frames = world.framesOf(id);
    const before = frames.findLast((frame) => frame.epoch <= epoch);
    const after = frames.find((frame) => frame.epoch > epoch);
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

/** The bounds for 60 sessions; README.md has figures of one run. */
function targetsOf({ handOver, kill, late, problems }: RunnerFigures): Target[] {
  return [
    atMost('kill -9: next epoch readable, p99', 'ms', kill.readableMs.p99, 15_000),
    atMost('kill -9: audio lost per session, worst', 'ms', kill.audioLostMs.max, 500),
    atMost('SIGTERM: audio lost', 'frames', handOver.audioFramesLost, 0),
    atMost('SIGTERM: all sessions away', 'ms', handOver.drainMs, 60_000),
    atMost(
      'SIGTERM: gap of a session, within the buffer of Zoom',
      'ms',
      handOver.gapMs.max,
      60_000,
    ),
    atMost('two epochs writing: records of an older one behind a newer', 'records', late, 0),
    atMost('lost without a gap event', 'sources', problems.length, 0),
  ];
}

if (import.meta.main) {
  const { values } = commandOptions('npm run test:chaos -- runner-figures', {
    options: { sessions: { type: 'string', default: '60' } },
  });
  const figures = await measureRunners(wholeNumber('sessions', values.sessions));
  process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
  process.exitCode = judge(targetsOf(figures)) ? 0 : 1;
}
