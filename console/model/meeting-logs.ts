import type { Frame, ReceivedEvent } from '../../sdk/consumer/index.ts';
import type { OutcomeCounts } from '../views.ts';
import { MeetingLog } from './meeting-log.ts';

/** Meetings in memory. Those that are over and were read longest ago go first. */
const MOST_MEETINGS = 1_000;

/** Every meeting that the two streams told of since reading began. Pure. */
export class MeetingLogs {
  readonly sinceMs: number;
  readonly #logs = new Map<string, MeetingLog>();
  readonly #counts = { wanted: 0, whole: 0, inPart: 0, missed: 0 };

  /** @param sinceMs from when on events are read, Unix ms */
  constructor(sinceMs: number) {
    this.sinceMs = sinceMs;
  }

  get(rtmsStreamId: string): MeetingLog | undefined {
    return this.#logs.get(rtmsStreamId);
  }

  all(): readonly MeetingLog[] {
    return [...this.#logs.values()];
  }

  event(event: ReceivedEvent, nowMs: number): void {
    const log = this.#logOf(event.rtmsStreamId);
    const before = log.outcome;
    log.event(event, nowMs);
    // A stream that Zoom ended and started again, or that another owner took over, is not wanted a second time.
    const isNew = event.name === 'session_started' && event.epoch === 1;
    if (isNew) this.#counts.wanted += 1;
    if (log.outcome === undefined || log.outcome === before) return;
    if (log.outcome === 'whole') this.#counts.whole += 1;
    else if (log.outcome === 'in part') this.#counts.inPart += 1;
    else {
      this.#counts.missed += 1;
      this.#counts.wanted += 1;
    }
  }

  frame(frame: Frame, arrivedAtMs: number | undefined, nowMs: number): void {
    this.#logOf(frame.rtmsStreamId).frame(frame, arrivedAtMs, nowMs);
  }

  /** Puts a log that was read anew, from the beginning of the meeting, in the place of the one that began later. */
  replace(log: MeetingLog): void {
    this.#logs.set(log.rtmsStreamId, log);
  }

  outcomes(): OutcomeCounts {
    return { sinceMs: this.sinceMs, ...this.#counts };
  }

  #logOf(rtmsStreamId: string): MeetingLog {
    const known = this.#logs.get(rtmsStreamId);
    if (known !== undefined) return known;
    if (this.#logs.size >= MOST_MEETINGS) this.#makeRoom();
    const log = new MeetingLog(rtmsStreamId);
    this.#logs.set(rtmsStreamId, log);
    return log;
  }

  #makeRoom(): void {
    const byAge = [...this.#logs.values()].sort(
      (a, b) => Number(b.isOver) - Number(a.isOver) || a.readAtMs - b.readAtMs,
    );
    for (const { rtmsStreamId } of byAge.slice(0, MOST_MEETINGS / 10))
      this.#logs.delete(rtmsStreamId);
  }
}
