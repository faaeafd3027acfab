import type { MeetingArrival } from './arrivals.ts';

/** From the decision to a task that serves: a Fargate start of a small image. */
const START_SECONDS = 45;
/** Fargate launches this many at once and then so many a second, per account and Region (aws-facts §2.2). */
const LAUNCH_BURST = 100;
const LAUNCHES_PER_SECOND = 20;

interface Task {
  readonly servesFromSecond: number;
  sessions: number;
}

/** The runners of the simulation: tasks with sessions, and meetings that wait for one. */
export class SimulatedFleet {
  readonly #meetingsPerTask: number;
  readonly #endings = new Map<number, Task[]>();
  readonly #waits: number[] = [];
  #tasks: Task[];
  #waiting: MeetingArrival[] = [];
  #running = 0;
  #second = 0;

  constructor(tasks: number, meetingsPerTask: number) {
    this.#meetingsPerTask = meetingsPerTask;
    this.#tasks = Array.from({ length: tasks }, () => ({ servesFromSecond: 0, sessions: 0 }));
  }

  /** Started or starting. */
  get tasks(): number {
    return this.#tasks.length;
  }

  /** Tasks that accept sessions now. */
  get serving(): number {
    return this.#tasks.filter(({ servesFromSecond }) => servesFromSecond <= this.#second).length;
  }

  get running(): number {
    return this.#running;
  }

  get longestWaitSeconds(): number {
    return this.#waits.reduce((longest, wait) => Math.max(longest, wait), 0);
  }

  waitedLongerThan(seconds: number): number {
    return this.#waits.filter((wait) => wait > seconds).length;
  }

  oldestWaitSeconds(second: number): number {
    const [oldest] = this.#waiting;
    return oldest === undefined ? 0 : second - oldest.startsAtSecond;
  }

  arrive(meeting: MeetingArrival): void {
    this.#waiting.push(meeting);
  }

  /** Ends what ends at this second and seats who waits, the least loaded task first. */
  advance(second: number): void {
    this.#second = second;
    for (const task of this.#endings.get(second) ?? []) {
      task.sessions -= 1;
      this.#running -= 1;
    }
    this.#endings.delete(second);
    if (this.#waiting.length === 0) return;
    const open = this.#tasks
      .filter((task) => task.servesFromSecond <= second && task.sessions < this.#meetingsPerTask)
      .sort((a, b) => a.sessions - b.sessions);
    let seated = 0;
    for (let turn = 0; open.length > 0 && seated < this.#waiting.length; turn += 1) {
      const task = open[turn % open.length] as Task;
      if (task.sessions >= this.#meetingsPerTask) {
        open.splice(turn % open.length, 1);
        turn -= 1;
        continue;
      }
      this.#seat(this.#waiting[seated] as MeetingArrival, task);
      seated += 1;
    }
    this.#waiting = this.#waiting.slice(seated);
  }

  /** Launches what is missing; of what is too much only idle tasks stop, because the others are protected. */
  scaleTo(wanted: number, second: number): void {
    for (let launch = 0; this.#tasks.length < wanted; launch += 1) {
      const queued = Math.max(0, launch - LAUNCH_BURST) / LAUNCHES_PER_SECOND;
      this.#tasks.push({
        servesFromSecond: second + START_SECONDS + Math.ceil(queued),
        sessions: 0,
      });
    }
    let surplus = this.#tasks.length - wanted;
    this.#tasks = this.#tasks.filter(({ sessions }) => sessions > 0 || surplus-- <= 0);
  }

  #seat(meeting: MeetingArrival, task: Task): void {
    task.sessions += 1;
    this.#running += 1;
    this.#waits.push(this.#second - meeting.startsAtSecond);
    const endsAt = Math.max(this.#second + 1, meeting.startsAtSecond + meeting.lastsSeconds);
    const endings = this.#endings.get(endsAt);
    if (endings === undefined) this.#endings.set(endsAt, [task]);
    else endings.push(task);
  }
}
