import { writeContinued } from '../../sdk/consumer/archive/continued.ts';
import type { ObjectStore } from '../../sdk/consumer/archive/object-store.ts';
import type { ReceivedEvent } from '../../sdk/consumer/index.ts';
import type { ClosedSlice } from './gatherer.ts';
import { EVENTS } from './kinds.ts';
import type { ArchiveRows } from './session-rows.ts';

/**
 * What has to be known durably with an object of events: that it holds the end of its session, or that its session continues
 * another one.
 */
export class SessionEnds {
  readonly #store: ObjectStore;
  readonly #prefix: string;
  readonly #rows: Pick<ArchiveRows, 'ended'>;
  /** Objects that hold the last event of their session, as `<stream>\n<name>`. */
  readonly #ends = new Set<string>();
  /** Objects in which a session says which stream it continues, likewise, and that stream. */
  readonly #continued = new Map<string, string>();

  constructor(store: ObjectStore, prefix: string, rows: Pick<ArchiveRows, 'ended'>) {
    this.#store = store;
    this.#prefix = prefix;
    this.#rows = rows;
  }

  /** To be called with each event before it is gathered. @returns whether it is the last one of its session */
  note(event: ReceivedEvent): boolean {
    const key = `${event.rtmsStreamId}\n${EVENTS.nameOf(event, EVENTS.minuteOf(event))}`;
    if (event.name === 'session_started' && event.data.continues !== undefined)
      this.#continued.set(key, event.data.continues.rtmsStreamId);
    const isEnd = event.name === 'session_ended' || event.name === 'session_missed';
    if (isEnd) this.#ends.add(key);
    return isEnd;
  }

  /** @returns to be called when the object is in S3, before its events go */
  afterWrite({ rtmsStreamId, name }: Pick<ClosedSlice, 'rtmsStreamId' | 'name'>) {
    const key = `${rtmsStreamId}\n${name}`;
    const continues = this.#continued.get(key);
    const isEnd = this.#ends.delete(key);
    this.#continued.delete(key);
    return async (): Promise<void> => {
      if (continues !== undefined)
        await writeContinued(this.#store, this.#prefix, rtmsStreamId, continues);
      if (isEnd) await this.#rows.ended(rtmsStreamId);
    };
  }
}
