import { setTimeout as sleep } from 'node:timers/promises';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { commandOptions, wholeNumber } from '../support/command-options.ts';
import { startWorld, type World } from '../support/world.ts';
import { atMost, judge, type Target } from './targets.ts';

const MEETING = syntheticMeeting({ participants: 1, durationMs: 3_600_000 });
/** Zoom's own clocks: within the 30 s of three keep-alives, and beyond the windows of 60 and 65 s. */
const FREEZES_MS = [12_000, 70_000];
const MEETINGS = 9;
/** Calls that were with Kinesis when their process froze are readable by then. */
const ON_THE_WAY_MS = 3_000;

export interface Freeze {
  readonly forMs: number;
  readonly sessions: number;
  /** Sessions that the process let go of when it woke up. */
  readonly dropped: number;
  readonly fenced: boolean;
  /** Records of its epochs that came after it was frozen. */
  readonly written: number;
  /** From the freeze until frames of the next epoch could be read, the slowest session. */
  readonly readableMs: number;
}

export interface FreezeReport {
  readonly freezes: readonly Freeze[];
  readonly late: number;
  readonly problems: readonly string[];
}

/** Freezes one runner for each duration at once, at Zoom's documented clocks, and lets a third take over. */
export async function runFreezes(durationsMs: readonly number[]): Promise<FreezeReport> {
  await using world = await startWorld({ runners: durationsMs.length + 1, missing: 'nameless' });
  const streams = Array.from({ length: MEETINGS }, () => world.simulator.start(MEETING) ?? '');
  for (const id of streams) await world.flowing(id, 1, 30_000);
  const owners = new Map<string, string[]>();
  for (const id of streams) {
    const { owner = '' } = await world.row(id);
    owners.set(owner, [...(owners.get(owner) ?? []), id]);
  }
  const [, ...others] = [...owners].sort(([, a], [, b]) => a.length - b.length);
  const frozen = durationsMs.map((forMs, index) => {
    const [taskId, owned] = others[index] ?? [];
    if (taskId === undefined || owned === undefined) throw new Error('a runner owns nothing');
    return freeze(world, taskId, owned, forMs);
  });
  const freezes = await Promise.all(frozen);
  for (const id of streams) world.simulator.act(id, { do: 'stop', reason: 6 });
  for (const id of streams) await world.event('session_ended', { rtmsStreamId: id }, 60_000);
  await world
    .until('a complete ledger', () => world.ledger.report().ok, 20_000)
    .catch(() => undefined);
  return { freezes, late: world.late.length, problems: world.ledger.report().problems };
}

async function freeze(
  world: World,
  taskId: string,
  owned: readonly string[],
  forMs: number,
): Promise<Freeze> {
  const pid = world.pid(taskId);
  const frozenAtMs = Date.now();
  process.kill(pid, 'SIGSTOP');
  await sleep(forMs);
  const isAlive = world.stack.fleet.runners.some((runner) => runner.pid === pid);
  if (isAlive) process.kill(pid, 'SIGCONT');
  const back = await Promise.all(owned.map((id) => world.flowing(id, 2, 90_000)));
  await world.until('its sessions dropped', () => droppedBy(world, taskId) >= owned.length);
  const fromMs = frozenAtMs + ON_THE_WAY_MS;
  const isAfter = ({ readAtMs }: { readAtMs: number }) => readAtMs > fromMs;
  const written = owned.flatMap((id) => world.framesOf(id, 1).filter(isAfter));
  return {
    forMs,
    sessions: owned.length,
    dropped: droppedBy(world, taskId),
    fenced: world.logs.some((line) => line.event === 'fenced' && line.taskId === taskId),
    written: written.length,
    readableMs: Math.max(...back.map(({ readAtMs }) => readAtMs - frozenAtMs)),
  };
}

function droppedBy(world: World, taskId: string): number {
  return world.logs.filter((line) => line.event === 'dropped' && line.taskId === taskId).length;
}

function targetsOf({ freezes, late, problems }: FreezeReport): Target[] {
  return [
    ...freezes.flatMap(({ forMs, fenced, sessions, dropped, written }) => {
      const who = `frozen for ${forMs / 1_000} s`;
      return [
        atMost(`${who}: woke up without noticing`, 'runners', fenced ? 0 : 1, 0),
        atMost(`${who}: sessions kept`, 'sessions', sessions - dropped, 0),
        atMost(`${who}: written after the freeze`, 'records', written, 0),
      ];
    }),
    atMost('two epochs writing: records of an older one behind a newer', 'records', late, 0),
    atMost('lost without a gap event', 'sources', problems.length, 0),
  ];
}

if (import.meta.main) {
  const { values } = commandOptions('npm run test:chaos -- freeze', {
    options: { ms: { type: 'string', multiple: true, default: FREEZES_MS.map(String) } },
  });
  const report = await runFreezes(values.ms.map((ms) => wholeNumber('ms', ms)));
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  process.exitCode = judge(targetsOf(report)) ? 0 : 1;
}
