import { slotsOfRequest } from '../../shared/session-table/slots.ts';
import type { Config } from '../config/schema.ts';

/** The scaling policy in numbers. The service, the cost model and the simulation of docs/scaling.md share it. */

/** Tasks are this full on average: the rest serves what arrives in the two to four minutes until a new task runs. */
export const TARGET_UTILIZATION_PERCENT = 60;

/** Tasks that are stopped sooner are needed again at the next full hour, because sessions last about an hour. */
export const SCALE_IN_COOLDOWN_SECONDS = 900;

/**
 * Percent of the tasks that are added, at least two, when the oldest job has waited this long. Zoom buffers 60 s of audio:
 * a meeting that waits longer for a runner loses its first audio.
 */
const QUEUE_AGE_STEPS = [
  { ageSeconds: 10, addPercent: 25 },
  { ageSeconds: 30, addPercent: 50 },
  { ageSeconds: 60, addPercent: 100 },
] as const;

/** A job waits so long while the catcher serves its stream and the task that it has asked for starts. */
const CATCHER_WAIT_SECONDS = 120;

/** @returns the steps; with a catcher, which asks for tasks itself, they are for a task that does not come */
export function queueAgeSteps(hasCatcher: boolean): readonly {
  readonly ageSeconds: number;
  readonly addPercent: number;
}[] {
  if (!hasCatcher) return QUEUE_AGE_STEPS;
  return QUEUE_AGE_STEPS.map(({ ageSeconds, addPercent }) => ({
    ageSeconds: ageSeconds + CATCHER_WAIT_SECONDS,
    addPercent,
  }));
}

/** Tasks that run while there is no meeting, so that `headroomSlots` slots are free at once. */
export function leastTasks(minTasks: number, headroomSlots: number, capacity: number): number {
  return Math.max(minTasks, Math.ceil(headroomSlots / capacity));
}

/** Tasks that scaling arrives at while this many meetings run. */
export function tasksFor(config: Config, meetings: number): number {
  const { capacity, headroomSlots, minTasks } = config.runner;
  const slots = meetings * slotsOfRequest(config.zoom.media);
  return Math.max(
    leastTasks(minTasks, headroomSlots, capacity),
    Math.ceil(slots / (capacity * (TARGET_UTILIZATION_PERCENT / 100))),
  );
}
