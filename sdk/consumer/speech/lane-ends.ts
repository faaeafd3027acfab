import type { ReceivedEvent } from '../records/event-record.ts';
import { sourceKey } from '../records/frame.ts';

/** What is remembered at most, the newest. A lane whose end is dropped for it ends after `leaveAfterMs`. */
const MAX_MARKS = 100_000;

/** Why and when a lane has to end. */
export interface LaneMark {
  readonly end: 'left' | 'ended';
  /** Unix ms, by Zoom's clock. */
  readonly atMs: number;
}

/**
 * Remembers which speakers have left and which sessions ended or were revoked. Events are read before or after the sound that
 * they are about, so a mark is kept, and it counts for the lanes that began before its moment.
 */
export class LaneEnds {
  /** Unix ms, by session and by session and speaker. */
  readonly #marks = new Map<string, number>();
  readonly #revoked = new Set<string>();

  /** @returns whether the event takes back the consent for its session */
  event(event: ReceivedEvent): boolean {
    const { rtmsStreamId } = event;
    if (event.name === 'session_revoked') {
      this.#revoked.add(rtmsStreamId);
      dropOldest(this.#revoked);
      return true;
    }
    if (event.name === 'session_ended') this.#mark(rtmsStreamId, event.time.getTime());
    if (event.name === 'participant_left') {
      const { participants, timestampMs } = event.data;
      for (const { userId } of participants) {
        if (userId !== undefined)
          this.#mark(speakerKey(rtmsStreamId, sourceKey({ userId })), timestampMs);
      }
    }
    return false;
  }

  isRevoked(rtmsStreamId: string): boolean {
    return this.#revoked.has(rtmsStreamId);
  }

  /**
   * @param source of the speaker, see `sourceKey`
   * @param joinedAtMs when the lane began, Unix ms
   * @returns the earliest mark for the lane, if there is one
   */
  endOf(rtmsStreamId: string, source: string, joinedAtMs: number): LaneMark | undefined {
    const left = markOf('left', this.#marks.get(speakerKey(rtmsStreamId, source)), joinedAtMs);
    const ended = markOf('ended', this.#marks.get(rtmsStreamId), joinedAtMs);
    if (left === undefined || ended === undefined) return left ?? ended;
    return left.atMs <= ended.atMs ? left : ended;
  }

  #mark(key: string, atMs: number): void {
    // Put at the end, as the newest.
    this.#marks.delete(key);
    this.#marks.set(key, atMs);
    dropOldest(this.#marks);
  }
}

function markOf(
  end: LaneMark['end'],
  atMs: number | undefined,
  joinedAtMs: number,
): LaneMark | undefined {
  return atMs === undefined || atMs < joinedAtMs ? undefined : { end, atMs };
}

function speakerKey(rtmsStreamId: string, source: string): string {
  return `${rtmsStreamId}\n${source}`;
}

function dropOldest(kept: {
  size: number;
  keys(): Iterator<string>;
  delete(key: string): boolean;
}) {
  if (kept.size <= MAX_MARKS) return;
  const oldest = kept.keys().next();
  if (!oldest.done) kept.delete(oldest.value);
}
