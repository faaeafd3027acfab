import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskRow } from '../../shared/session-table/session-row.ts';
import type { Context } from '../command.ts';
import { attempt, type Check } from './check.ts';

/** A little more than two heartbeats, which are 3 s apart. */
const WATCH_MS = 6_500;
const LOOK_MS = 500;

/** Counts as alive the runners whose heartbeat moves while this watches. */
export async function checkRunners(context: Context): Promise<readonly Check[]> {
  const fix =
    'Look at the ECS service: are tasks started, and do they stay? *No runners* in docs/runbook.md.';
  return attempt('runners', fix, async () => {
    const read = async () => (await context.sessions().list(false)).tasks;
    const before = new Map((await read()).map((task) => [task.taskId, task.heartbeat]));
    const alive = new Map<string, TaskRow>();
    const deadline = performance.now() + WATCH_MS;
    while (performance.now() < deadline && !context.signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal: context.signal }).catch(() => undefined);
      for (const task of await read()) {
        if (before.get(task.taskId) !== task.heartbeat) alive.set(task.taskId, task);
      }
      if (before.size > 0 && alive.size >= before.size) break;
    }
    return verdict([...alive.values()], fix);
  });
}

function verdict(alive: readonly TaskRow[], fix: string): Check {
  const name = 'runners';
  if (alive.length === 0) return { name, status: 'failed', found: 'no heartbeat', fix };
  const open = alive.filter(({ draining }) => !draining);
  const free = open.reduce((sum, { slotsUsed, slotsTotal }) => sum + slotsTotal - slotsUsed, 0);
  const found = `${alive.length} alive, ${free} slots free`;
  if (open.length === 0) {
    return { name, status: 'failed', found: `${found}: all are draining`, fix };
  }
  if (free > 0) return { name, status: 'ok', found };
  const full = '*Slots running out* in docs/runbook.md.';
  return { name, status: 'warning', found, fix: full };
}
