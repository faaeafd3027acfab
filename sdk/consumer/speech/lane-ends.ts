import type { ReceivedEvent } from '../records/event-record.ts';
import { sourceKey } from '../records/frame.ts';

/** What is remembered at most, the newest. A lane whose end is dropped for it ends after `leaveAfterMs`. */
const MAX_MARKS = 100_000;

/** How often one speaker may leave, and come back: of a damaged source the newest count. */
const MAX_TIMES = 1_000;

/** Why and when a lane has to end. */
export interface LaneMark {
  readonly end: 'left' | 'ended';
  /** Unix ms, by Zoom's clock. */
  readonly atMs: number;
  /** When a speaker who had left came back. What was captured from then on is no late sound of before. */
  readonly backAtMs?: number;
}

/** When one speaker left and joined, Unix ms, in order. */
interface Presence {
  readonly left: number[];
  readonly joined: number[];
}

/**
 * Remembers which speakers have left and which sessions ended or were revoked. Events are read before or after the sound that
 * they are about, so a mark is kept, and it counts for the lanes that began before its moment.
 */
export class LaneEnds {
  /** When sessions ended, Unix ms. */
  readonly #ended = new Map<string, number>();
  /** By session and speaker. All times are kept: when a meeting is read that is over, all of its events are known before its sound. */
  readonly #presence = new Map<string, Presence>();
  readonly #revoked = new Set<string>();

  /** @returns whether the event takes back the consent for its session */
  event(event: ReceivedEvent): boolean {
    const { rtmsStreamId } = event;
    if (event.name === 'session_revoked') {
      this.#revoked.add(rtmsStreamId);
      dropOldest(this.#revoked);
      return true;
    }
    if (event.name === 'session_ended') {
      keepNewest(this.#ended, rtmsStreamId, event.time.getTime());
    }
    if (event.name === 'participant_left' || event.name === 'participant_joined') {
      const { participants, timestampMs } = event.data;
      const what = event.name === 'participant_left' ? 'left' : 'joined';
      for (const { userId } of participants) {
        if (userId === undefined) continue;
        const key = speakerKey(rtmsStreamId, sourceKey({ userId }));
        const presence = this.#presence.get(key) ?? { left: [], joined: [] };
        addInOrder(presence[what], timestampMs);
        keepNewest(this.#presence, key, presence);
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
    const presence = this.#presence.get(speakerKey(rtmsStreamId, source));
    const leftAtMs = presence?.left.find((atMs) => atMs >= joinedAtMs);
    const endedAtMs = this.#ended.get(rtmsStreamId);
    const hasEnded = endedAtMs !== undefined && endedAtMs >= joinedAtMs;
    if (leftAtMs === undefined || (hasEnded && endedAtMs < leftAtMs))
      return hasEnded ? { end: 'ended', atMs: endedAtMs } : undefined;
    const backAtMs = presence?.joined.find((atMs) => atMs >= leftAtMs);
    return { end: 'left', atMs: leftAtMs, ...(backAtMs !== undefined && { backAtMs }) };
  }
}

/** Puts it at the end, as the newest. */
function keepNewest<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  dropOldest(map);
}

/** Adds a time once. */
function addInOrder(times: number[], atMs: number): void {
  const before = times.findLastIndex((each) => each <= atMs);
  if (times[before] === atMs) return;
  times.splice(before + 1, 0, atMs);
  if (times.length > MAX_TIMES) times.shift();
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
