/** The scaling policy in numbers, shared by the service and the simulation of docs/scaling.md. */

/** The other 40 % take the arrivals of the two to four minutes until a new task serves. */
export const TARGET_UTILIZATION_PERCENT = 60;

/** Sessions last about an hour: tasks given back sooner are wanted again at the next full hour. */
export const SCALE_IN_COOLDOWN_SECONDS = 900;

/** A message older than this waits for room; Zoom's buffer holds 60 s. At least two tasks are added. */
export const QUEUE_AGE_STEPS = [
  { ageSeconds: 10, addPercent: 25 },
  { ageSeconds: 30, addPercent: 50 },
  { ageSeconds: 60, addPercent: 100 },
] as const;

/** @returns tasks to keep when nothing runs, so that `headroomSlots` slots are free at once */
export function leastTasks(minTasks: number, headroomSlots: number, capacity: number): number {
  return Math.max(minTasks, Math.ceil(headroomSlots / capacity));
}
