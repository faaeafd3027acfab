import type { Context } from '../command.ts';
import { MeetingLines } from './meeting-lines.ts';
import type { Scope, ScopedMeeting } from './scope.ts';

/** Meetings that are kept in memory at once; those that nobody asked for longest go first. */
const MOST_LOGS = 16;
/** Clients stop waiting for an answer after a minute. What was not read until then is read when they ask again. */
const WAIT_MS = 20_000;

/** A meeting with what was read of it. */
export interface OpenMeeting extends ScopedMeeting {
  readonly log: MeetingLines;
  /** False when its records are still being read, so that newer lines are missing. */
  readonly isUpToDate: boolean;
}

/** The meetings that clients of this server read, each read once for all of them. */
export class Meetings {
  readonly context: Context;
  readonly scope: Scope;
  readonly #logs = new Map<string, MeetingLines>();

  constructor(context: Context, scope: Scope) {
    this.context = context;
    this.scope = scope;
  }

  /**
   * Finds a meeting and reads what is new of it, for 20 s at most.
   *
   * @throws ServiceError `cli/not-found`, `mcp/bad-argument`, and what the readers throw
   */
  async open(words: string, signal?: AbortSignal): Promise<OpenMeeting> {
    const meeting = await this.scope.meeting(words);
    const log = this.#log(meeting.id);
    const isUpToDate = await withinTime(log.readOn(meeting.streams), signal);
    return { ...meeting, log, isUpToDate };
  }

  #log(id: string): MeetingLines {
    const log = this.#logs.get(id) ?? new MeetingLines(this.context);
    // Put behind the others: the first one is then the one that nobody asked for longest.
    this.#logs.delete(id);
    this.#logs.set(id, log);
    const [oldest] = this.#logs.keys();
    if (this.#logs.size > MOST_LOGS && oldest !== undefined) this.#logs.delete(oldest);
    return log;
  }
}

/** @returns false when the time or the signal came first; the reading then goes on for whoever asks next */
async function withinTime(reading: Promise<void>, signal?: AbortSignal): Promise<boolean> {
  const done = new AbortController();
  const limits = [AbortSignal.timeout(WAIT_MS), done.signal, ...(signal ? [signal] : [])];
  const limit = AbortSignal.any(limits);
  const late = new Promise<false>((resolve) => {
    limit.addEventListener('abort', () => resolve(false), { once: true });
  });
  try {
    return await Promise.race([reading.then(() => true), late]);
  } finally {
    reading.catch(() => undefined);
    done.abort();
  }
}
