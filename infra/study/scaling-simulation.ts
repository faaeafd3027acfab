import {
  queueAgeSteps,
  SCALE_IN_COOLDOWN_SECONDS,
  TARGET_UTILIZATION_PERCENT,
} from '../planning/scaling-rules.ts';
import type { MeetingArrival } from './arrivals.ts';
import { SimulatedFleet } from './fleet.ts';

/** What the simulated service may do: how many tasks, how full, and what stands in for a task that is missing. */
export interface Policy {
  readonly minTasks: number;
  readonly maxTasks: number;
  readonly meetingsPerTask: number;
  /** Smallest number of tasks from ten minutes before to ten after each full hour but the first. 0: no pre-warming. */
  readonly prewarmTasks: number;
  /** The catcher, which serves what waits for a task. Unset: there is none, and what waits is not recorded meanwhile. */
  readonly catcher?: { readonly gibibytes: number; readonly meetings: number };
}

/** What the policy led to: curves for the picture, and sums for the table. */
export interface ScalingOutcome {
  /** Running meetings, one value a minute. `tasks` and `oldestWaitSeconds` have one value a minute too. */
  readonly running: readonly number[];
  readonly tasks: readonly number[];
  readonly oldestWaitSeconds: readonly number[];
  readonly meetings: number;
  readonly longestWaitSeconds: number;
  /** Meetings that waited longer than Zoom's buffer holds: their first audio is lost. */
  readonly beyondBuffer: number;
  readonly taskHours: number;
  /** Meetings that the catcher recorded first, and what it took for all of them until tasks had room. */
  readonly caught: number;
  readonly lambdaGbSeconds: number;
}

/** Zoom buffers this much audio until media is connected (docs/protocol.md). */
export const ZOOM_BUFFER_SECONDS = 60;

/**
 * From the webhook until the catcher records a meeting: 2 s until the look, and a cold start with its first calls; our
 * assumption.
 */
const CAUGHT_AFTER_SECONDS = 5;
/** How often the catcher asks ECS for the tasks that it needs, as in functions/session-catcher/serve.ts. */
const ASKS_EVERY_SECONDS = 10;
/** A task that has just started is given no session before its third heartbeat. */
const STEADY_SECONDS = 9;

/** Scaling sees a minute's metrics one minute later; our assumption about CloudWatch. */
const METRIC_DELAY_MINUTES = 1;
/** Target tracking acts when its alarms have been high for three minutes, or low for fifteen. */
const HIGH_MINUTES = 3;
const LOW_MINUTES = 15;
const LOW_SHARE_OF_TARGET = 0.9;

/** Runs the scaling policy of `infra/runner/runner-scaling.ts` over the meetings, second by second. */
export function simulate(
  meetings: readonly MeetingArrival[],
  policy: Policy,
  minutes: number,
): ScalingOutcome {
  const fleet = new SimulatedFleet(policy.minTasks, policy.meetingsPerTask);
  const scaler = new Scaler(policy);
  const [running, tasks, ages]: [number[], number[], number[]] = [[], [], []];
  const { catcher } = policy;
  let next = 0;
  let oldest = 0;
  let lambdaGbSeconds = 0;
  for (let second = 0; second < minutes * 60; second += 1) {
    while ((meetings[next]?.startsAtSecond ?? Number.POSITIVE_INFINITY) <= second) {
      fleet.arrive(meetings[next] as MeetingArrival);
      next += 1;
    }
    fleet.advance(second);
    if (catcher !== undefined) {
      const held = fleet.waitingFor(CAUGHT_AFTER_SECONDS, second);
      lambdaGbSeconds += Math.ceil(held / catcher.meetings) * catcher.gibibytes;
      if (held > 0 && second % ASKS_EVERY_SECONDS === 0) {
        const wanted = fleet.serving + Math.ceil(held / policy.meetingsPerTask);
        fleet.scaleTo(Math.max(fleet.tasks, Math.min(policy.maxTasks, wanted)), second);
      }
    }
    oldest = Math.max(oldest, fleet.oldestWaitSeconds(second));
    if (second % 60 === 59) {
      running.push(fleet.running);
      tasks.push(fleet.tasks);
      ages.push(oldest);
      scaler.observe(fleet, oldest);
      fleet.scaleTo(scaler.decide((second + 1) / 60, fleet.tasks), second);
      oldest = 0;
    }
  }
  const caught = catcher === undefined ? 0 : fleet.waitedLongerThan(CAUGHT_AFTER_SECONDS);
  const longestWaitSeconds = Math.min(
    fleet.longestWaitSeconds,
    catcher === undefined ? Number.POSITIVE_INFINITY : CAUGHT_AFTER_SECONDS,
  );
  return {
    running,
    tasks,
    oldestWaitSeconds: ages,
    meetings: next,
    longestWaitSeconds,
    beyondBuffer: catcher === undefined ? fleet.waitedLongerThan(ZOOM_BUFFER_SECONDS) : 0,
    taskHours: tasks.reduce((sum, count) => sum + count, 0) / 60,
    caught,
    // Each session stays for some seconds more, until the new task counts as steady.
    lambdaGbSeconds:
      lambdaGbSeconds +
      (catcher === undefined
        ? 0
        : (caught / catcher.meetings) * STEADY_SECONDS * catcher.gibibytes),
  };
}

interface Sample {
  readonly utilization: number;
  readonly age: number;
}

/** Application Auto Scaling: the rule that asks for the most tasks wins, and scale-in is slow. */
class Scaler {
  readonly #policy: Policy;
  readonly #samples: Sample[] = [];
  #outAtMinute = Number.NEGATIVE_INFINITY;
  #changedAtMinute = 0;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  observe(fleet: SimulatedFleet, age: number): void {
    const room = fleet.serving * this.#policy.meetingsPerTask;
    this.#samples.push({
      utilization: room === 0 ? 0 : (100 * fleet.running) / room,
      age,
    });
  }

  decide(minute: number, tasks: number): number {
    const { minTasks, maxTasks } = this.#policy;
    const floor = Math.max(minTasks, this.#prewarmed(minute));
    const seen = this.#samples.slice(0, this.#samples.length - METRIC_DELAY_MINUTES);
    const latest = seen.at(-1);
    let wanted = Math.max(tasks, floor);
    if (latest !== undefined && minute - this.#outAtMinute >= 1) {
      wanted = Math.max(wanted, tracked(seen, tasks), tasks + this.#stepped(latest, tasks));
    }
    if (wanted > tasks) {
      this.#outAtMinute = minute;
      this.#changedAtMinute = minute;
    } else if (this.#isLow(seen, minute)) {
      wanted = Math.max(
        floor,
        Math.ceil((tasks * (latest?.utilization ?? 0)) / TARGET_UTILIZATION_PERCENT),
      );
      if (wanted < tasks) this.#changedAtMinute = minute;
    }
    return Math.min(maxTasks, wanted);
  }

  #prewarmed(minute: number): number {
    const inHour = minute % 60;
    return minute >= 50 && (inHour >= 50 || inHour < 10) ? this.#policy.prewarmTasks : 0;
  }

  /** Tasks that the rule of the queue's age adds. */
  #stepped(latest: Sample, tasks: number): number {
    const steps = queueAgeSteps(this.#policy.catcher !== undefined);
    const step = steps.findLast(({ ageSeconds }) => latest.age >= ageSeconds);
    return step === undefined ? 0 : Math.max(2, Math.ceil((tasks * step.addPercent) / 100));
  }

  #isLow(seen: readonly Sample[], minute: number): boolean {
    const limit = TARGET_UTILIZATION_PERCENT * LOW_SHARE_OF_TARGET;
    return (
      seen.length >= LOW_MINUTES &&
      seen.slice(-LOW_MINUTES).every(({ utilization }) => utilization < limit) &&
      minute - this.#changedAtMinute >= SCALE_IN_COOLDOWN_SECONDS / 60
    );
  }
}

/** Tasks that target tracking asks for: enough to bring the utilization back to its target. 0: no change. */
function tracked(seen: readonly Sample[], tasks: number): number {
  const recent = seen.slice(-HIGH_MINUTES);
  const isHigh = recent.every(({ utilization }) => utilization > TARGET_UTILIZATION_PERCENT);
  if (recent.length < HIGH_MINUTES || !isHigh) return 0;
  return Math.ceil((tasks * (recent.at(-1)?.utilization ?? 0)) / TARGET_UTILIZATION_PERCENT);
}
