import type { NotSentReason, SentSourceId } from '../../simulator/sent-ledger.ts';
import type { FrameEvent } from './history.ts';
import { sourceName } from './stored-record.ts';

const FIELDS = 5;
const FIRST_FRAMES = 64;
/** In place of a socket: the frame was not sent, for the reason of that number. */
const REASONS = ['buffer_full', 'buffer_declined', 'not_connected'] as const;
/** In place of a socket: it was sent, nobody knows over which. */
const NO_SOCKET = -1;
const FIRST_REASON = -2;

type Writable = { -readonly [Name in keyof FrameEvent]: FrameEvent[Name] };

interface Source {
  readonly id: SentSourceId;
  readonly name: string;
}

/**
 * The frames of one stream, five numbers each. Objects for all frames of a run would be most of its memory, and they would be
 * moved and marked by the garbage collector until the stream is judged.
 */
export class FrameLog {
  #numbers = new Float64Array(FIELDS * FIRST_FRAMES);
  #length = 0;
  readonly #sources: Source[] = [];

  add(
    step: number,
    atMs: number,
    id: SentSourceId,
    capturedAtMs: number,
    how: { socket: number | undefined } | { notSent: NotSentReason },
  ): void {
    if (this.#length === this.#numbers.length) {
      const longer = new Float64Array(2 * this.#length);
      longer.set(this.#numbers);
      this.#numbers = longer;
    }
    const [numbers, at] = [this.#numbers, this.#length];
    numbers[at] = step;
    numbers[at + 1] = atMs;
    numbers[at + 2] = this.#sourceOf(id);
    numbers[at + 3] = capturedAtMs;
    numbers[at + 4] =
      'notSent' in how ? FIRST_REASON - REASONS.indexOf(how.notSent) : (how.socket ?? NO_SOCKET);
    this.#length += FIELDS;
  }

  /** As the judges know them. */
  events(rtmsStreamId: string): FrameEvent[] {
    const events: FrameEvent[] = [];
    const numbers = this.#numbers;
    for (let at = 0; at < this.#length; at += FIELDS) {
      const { id, name: source } = this.#sources[numbers[at + 2] as number] as Source;
      const event: Writable = {
        step: numbers[at] as number,
        atMs: numbers[at + 1] as number,
        kind: 'frame',
        rtmsStreamId,
        mediaType: id.mediaType,
        source,
        capturedAtMs: numbers[at + 3] as number,
      };
      const how = numbers[at + 4] as number;
      if (how >= 0) event.socket = how;
      else if (how <= FIRST_REASON) event.notSent = REASONS[FIRST_REASON - how] as NotSentReason;
      events.push(event);
    }
    return events;
  }

  #sourceOf({ mediaType, channelId, userId }: SentSourceId): number {
    for (const [index, { id }] of this.#sources.entries()) {
      const isSame = id.userId === userId && id.channelId === channelId;
      if (isSame && id.mediaType === mediaType) return index;
    }
    const id = { mediaType, channelId, userId };
    this.#sources.push({ id, name: sourceName(id) });
    return this.#sources.length - 1;
  }
}
