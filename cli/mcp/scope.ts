import { ServiceError } from '../../shared/errors.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import type { Context } from '../command.ts';
import { meetingOf, meetingStreams } from '../meeting/find-meeting.ts';
import { type FoundSession, matching } from '../meeting/find-session.ts';
import { nothingFound } from '../meeting/meeting-reader.ts';
import type { MeetingLine } from './line.ts';

/** One meeting that a client may read. */
export interface ScopedMeeting {
  /** The id of its oldest stream. It stays the same when Zoom starts the meeting's stream again. */
  readonly id: string;
  /** The oldest first. */
  readonly streams: readonly FoundSession[];
}

const KEEP_ROWS_MS = 1_000;

export interface ScopeOptions {
  /** The meetings that clients may read, each as `rtms explain` takes it. Empty: all meetings of the table. */
  readonly meetings: readonly string[];
  /** Clients may read nothing that happened before this, Unix ms; undefined: no limit. */
  readonly sinceMs: number | undefined;
  /** When the server started, Unix ms: "yesterday" in `meetings` is the day before. */
  readonly startedAtMs: number;
}

/**
 * What clients of this server may read. Every tool, resource and subscription finds its meeting here, so that there is one
 * place in which a meeting is refused. A meeting out of scope and one that does not exist have the same answer.
 */
export class Scope {
  readonly #context: Context;
  readonly #options: ScopeOptions;
  readonly sinceMs: number;
  #read: { readonly atMs: number; readonly rows: Promise<readonly SessionRow[]> } | undefined;

  constructor(context: Context, options: ScopeOptions) {
    this.#context = context;
    this.#options = options;
    this.sinceMs = options.sinceMs ?? Number.NEGATIVE_INFINITY;
  }

  /** The rows of all meetings in scope, the newest first. */
  async rows(): Promise<SessionRow[]> {
    return this.#within(await this.#allRows());
  }

  /** The meetings in scope, the newest first. @param most how many are grouped at most */
  async meetings(most: number): Promise<ScopedMeeting[]> {
    const rows = await this.rows();
    const seen = new Set<string>();
    const found: ScopedMeeting[] = [];
    for (const row of rows) {
      if (seen.has(row.rtmsStreamId)) continue;
      if (found.length >= most) break;
      const meeting = scoped(meetingStreams(rows, { rtmsStreamId: row.rtmsStreamId, row }));
      for (const { rtmsStreamId } of meeting.streams) seen.add(rtmsStreamId);
      found.push(meeting);
    }
    return found;
  }

  /**
   * Finds the meeting that a client names.
   *
   * @param words as `rtms explain` takes them; of several meetings that fit the newest is taken
   * @throws ServiceError `mcp/bad-argument`, `cli/not-found`
   */
  async meeting(words: string): Promise<ScopedMeeting> {
    const asked = words.trim();
    if (asked === '') throw new ServiceError('mcp/bad-argument', 'no meeting is named');
    const rows = await this.rows();
    const [newest] = matching(rows, asked, Date.now());
    if (newest !== undefined) {
      return scoped(meetingStreams(rows, { rtmsStreamId: newest.rtmsStreamId, row: newest }));
    }
    // A row expires before the records do, when they are kept long. Whoever may read all of them may read this one by its id.
    const { meetings } = this.#options;
    const mayRead = meetings.length === 0 || meetings.includes(asked);
    const isKnown = (await this.#allRows()).some((row) => row.rtmsStreamId === asked);
    if (!mayRead || isKnown) throw nothingFound(asked);
    return { id: asked, streams: [{ rtmsStreamId: asked, row: undefined }] };
  }

  /** Whether a client may read a line of a meeting in scope. */
  includes({ atMs }: Pick<MeetingLine, 'atMs'>): boolean {
    return atMs >= this.sinceMs;
  }

  /** A client asks several things at once, and each reads the whole table. */
  #allRows(): Promise<readonly SessionRow[]> {
    const nowMs = performance.now();
    if (this.#read === undefined || nowMs - this.#read.atMs > KEEP_ROWS_MS) {
      const rows = this.#context.sessions().list(true);
      const read = { atMs: nowMs, rows: rows.then(({ sessions }) => sessions) };
      this.#read = read;
      read.rows.catch(() => {
        if (this.#read === read) this.#read = undefined;
      });
    }
    return this.#read.rows;
  }

  #within(all: readonly SessionRow[]): SessionRow[] {
    const { meetings, startedAtMs } = this.#options;
    const named =
      meetings.length === 0
        ? all
        : meetings.flatMap((words) =>
            meetingOf(all, words, startedAtMs).streams.flatMap(({ row }) => row ?? []),
          );
    const rows = [...new Map(named.map((row) => [row.rtmsStreamId, row])).values()];
    return rows
      .filter((row) => (endOf(row) ?? Number.POSITIVE_INFINITY) >= this.sinceMs)
      .sort((a, b) => (b.requestedAtMs ?? 0) - (a.requestedAtMs ?? 0));
  }
}

/** @returns undefined for a session that may still run */
function endOf({ endedAtMs, stopEventTsMs, requestedAtMs = 0 }: SessionRow): number | undefined {
  const endMs = endedAtMs ?? stopEventTsMs;
  return endMs === undefined || endMs < requestedAtMs ? undefined : endMs;
}

function scoped(streams: readonly FoundSession[]): ScopedMeeting {
  return { id: streams[0]?.rtmsStreamId ?? '', streams };
}
