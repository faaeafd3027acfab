import type { MeetingArrival } from './arrivals.ts';

/** From the decision to start a task until it serves, with a small image; our assumption. */
const START_SECONDS = 45;
/** Fargate's quota for launching tasks, per account and Region: this many at once, and then this many a second. */
const LAUNCH_BURST = 100;
const LAUNCHES_PER_SECOND = 20;

interface Task {
  readonly servesFromSecond: number;
  sessions: number;
}

/** The simulated runners: tasks with sessions, and meetings that wait for a task. */
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

  /** Tasks that run or are starting. */
  get tasks(): number {
    return this.#tasks.length;
  }

  /** Tasks that have started and accept sessions. */
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

  /** Meetings that have waited for a task longer than this. They stand in the order of their starts. */
  waitingFor(seconds: number, second: number): number {
    const first = this.#waiting.findIndex(
      ({ startsAtSecond }) => second - startsAtSecond <= seconds,
    );
    return first === -1 ? this.#waiting.length : first;
  }

  oldestWaitSeconds(second: number): number {
    const [oldest] = this.#waiting;
    return oldest === undefined ? 0 : second - oldest.startsAtSecond;
  }

  arrive(meeting: MeetingArrival): void {
    this.#waiting.push(meeting);
  }

  /** Ends the meetings that end at this second, then places those that wait, on the least loaded tasks first. */
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
    let placed = 0;
    for (let next = 0; open.length > 0 && placed < this.#waiting.length; next += 1) {
      const task = open[next % open.length] as Task;
      if (task.sessions >= this.#meetingsPerTask) {
        open.splice(next % open.length, 1);
        next -= 1;
        continue;
      }
      this.#place(this.#waiting[placed] as MeetingArrival, task);
      placed += 1;
    }
    this.#waiting = this.#waiting.slice(placed);
  }

  /** Launches missing tasks. Of surplus tasks it stops idle ones only, because those with sessions are protected. */
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

  #place(meeting: MeetingArrival, task: Task): void {
    task.sessions += 1;
    this.#running += 1;
    this.#waits.push(this.#second - meeting.startsAtSecond);
    const endsAt = Math.max(this.#second + 1, meeting.startsAtSecond + meeting.lastsSeconds);
    const endings = this.#endings.get(endsAt);
    if (endings === undefined) this.#endings.set(endsAt, [task]);
    else endings.push(task);
  }
}
