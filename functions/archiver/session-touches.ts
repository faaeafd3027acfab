import { setTimeout as sleep } from 'node:timers/promises';
import type { ArchiveRows, OpenRow } from './session-rows.ts';

/** The objects of a minute are written within about this time: one for each source, and the events. */
const TOGETHER_MS = 500;

/**
 * Says in the table that something of a session was written, once for all objects that were written at about the same time. Each
 * object needs a call that is made after its own write: only that tells whether the consent was taken back meanwhile.
 */
export class SessionTouches {
  readonly #rows: Pick<ArchiveRows, 'touch'>;
  /** Calls that are not made yet. */
  readonly #due = new Map<string, Promise<OpenRow>>();

  constructor(rows: Pick<ArchiveRows, 'touch'>) {
    this.#rows = rows;
  }

  /** To be called after a write. @returns the row as it was after this call */
  touch(rtmsStreamId: string): Promise<OpenRow> {
    const due = this.#due.get(rtmsStreamId) ?? this.#later(rtmsStreamId);
    this.#due.set(rtmsStreamId, due);
    return due;
  }

  async #later(rtmsStreamId: string): Promise<OpenRow> {
    await sleep(TOGETHER_MS);
    // Whoever comes now has written after this call was made.
    this.#due.delete(rtmsStreamId);
    return this.#rows.touch(rtmsStreamId);
  }
}
