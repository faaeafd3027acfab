import type { EventName } from '../../../shared/record/event-data.ts';

/** A line that has no number yet: it gets one when it leaves, so that numbers follow the order of leaving. */
export interface WaitingLine {
  readonly name: EventName;
  readonly timeMs: number;
  /** `data` as JSON. */
  readonly dataText: string;
}

/**
 * Lines that Zoom may send by the thousand at once, when a webinar opens: one for everybody who comes, turns
 * the camera on, or speaks. They wait while others of their session are on their way, so that a transcript or a
 * chat line never stands behind more than `IN_FLIGHT_BYTES` of them.
 */
const CROWD: ReadonlySet<EventName> = new Set([
  'participant_joined',
  'participant_left',
  'participant_video_on',
  'participant_video_off',
  'active_speaker',
  'session_state',
  'chat_group',
  'voice',
  'other',
]);

/** While this much of a session's lines is on its way to Kinesis, lines of the crowd wait: a shard takes it in 1/8 s. */
const IN_FLIGHT_BYTES = 128 * 1024;
/**
 * Most that waits here: some 25,000 lines, more than a webinar has guests. Above it the oldest leave for the lane, which
 * has a disk behind it, and text that comes later waits behind them.
 */
const WAITING_BYTES = 4 * 1024 * 1024;
/** Memory of a waiting line beside its text: an array slot, the object and the text's header. */
const LINE_OVERHEAD_BYTES = 100;

/** Lets text and lines about the session overtake the crowd. Pure: the caller sends what `next` returns. */
export class LineQueue {
  #waiting: WaitingLine[] = [];
  #head = 0;
  #waitingBytes = 0;
  #inFlightBytes = 0;

  /** How many lines wait. */
  get length(): number {
    return this.#waiting.length - this.#head;
  }

  /** May other lines overtake this one, and is it dropped before them when memory is short? */
  static isCrowd({ name }: Pick<WaitingLine, 'name'>): boolean {
    return CROWD.has(name);
  }

  /** @returns whether the line waits here now; otherwise it has to leave at once */
  holds(line: WaitingLine): boolean {
    if (!LineQueue.isCrowd(line)) return false;
    if (this.length === 0 && this.#inFlightBytes < IN_FLIGHT_BYTES) return false;
    this.#waiting.push(line);
    this.#waitingBytes += slotsOf(line);
    return true;
  }

  /** Lines of this many bytes are on their way now. */
  left(bytes: number): void {
    this.#inFlightBytes += bytes;
  }

  /** Lines of this many bytes are written or lost. */
  arrived(bytes: number): void {
    this.#inFlightBytes -= bytes;
  }

  /** Removes and returns the oldest line if it may leave now. @param all whatever is on its way, it may */
  next(all = false): WaitingLine | undefined {
    const line = this.#waiting[this.#head];
    const mayLeave =
      all || this.#inFlightBytes < IN_FLIGHT_BYTES || this.#waitingBytes > WAITING_BYTES;
    if (line === undefined || !mayLeave) return undefined;
    this.#head += 1;
    this.#waitingBytes -= slotsOf(line);
    // Shifting an array costs its length; this costs one move per line.
    if (this.#head >= 64 && this.#head * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return line;
  }
}

function slotsOf({ dataText }: WaitingLine): number {
  return LINE_OVERHEAD_BYTES + dataText.length;
}
