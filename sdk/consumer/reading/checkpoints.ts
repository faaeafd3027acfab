import type { FenceMark } from '../records/epoch-fence.ts';
import { type Marks, readMarks, remember, writeMarks } from './marks.ts';

/** The position of a shard that was read to its end. */
export const SHARD_END = 'SHARD_END';

/** Where a reader stands in a shard, and what it has seen there: enough to drop repeats after a restart. */
export interface SavedPosition {
  readonly position: string;
  /** The text that `save` was given. */
  readonly seen?: string;
}

/** Where a reader's progress is kept. Both functions are called for one shard at a time. */
export interface CheckpointStore {
  /** @returns what was last saved for the shard, or undefined to begin at `startAt` */
  load(shardId: string): Promise<string | SavedPosition | undefined>;
  /**
   * @param position a Kinesis sequence number, all before it processed; or `SHARD_END`
   * @param seen the newest of each source, as text. A store that keeps this text makes the reader drop repeats and late
   *   writers across a restart. Without it they are handed out again
   */
  save(shardId: string, position: string, seen: string): Promise<void>;
}

/** One Kinesis record (or an empty page) on its way through the consumer. */
export interface Ticket {
  readonly shardId: string;
  /** The shard's position once this record is processed. Undefined while a frame in it waits for a later record. */
  position: string | undefined;
  /** Frames or events of the record that the consumer has not finished. */
  open: number;
  /** Finished frames of the record, kept here while frames of an earlier record may still be unfinished. */
  marks: FenceMark[] | undefined;
}

/** Between two pages a position is saved this seldom at least, because a save may cost a call to a paid store. */
const SAVE_EVERY_MS = 1_000;

interface ShardProgress {
  readonly queue: Ticket[];
  readonly marks: Marks;
  /** Processed, and not saved yet. */
  unsaved: string | undefined;
  savedAtMs: number;
}

/**
 * Tracks what the consumer has finished. A position is saved only when everything before it was handed out and the
 * consumer has asked for more.
 */
export class Checkpoints {
  readonly #store: CheckpointStore | undefined;
  readonly #isReordered: boolean;
  readonly #shards = new Map<string, ShardProgress>();

  /** @param isReordered items may be finished in another order than they came in, so a newer one says nothing of older ones */
  constructor(store: CheckpointStore | undefined, isReordered: boolean) {
    this.#store = store;
    this.#isReordered = isReordered;
  }

  /** @returns the position to resume at, and what was seen before it */
  async load(shardId: string): Promise<{ position?: string; seen: readonly FenceMark[] }> {
    const saved = await this.#store?.load(shardId);
    if (saved === undefined) return { seen: [] };
    const { position, seen = '' } = typeof saved === 'string' ? { position: saved } : saved;
    const marks = readMarks(seen);
    const { marks: known } = this.#progress(shardId);
    for (const mark of marks) remember(known, mark);
    return { position, seen: marks };
  }

  /** Opens a ticket for one record. It counts the record itself as one open item, which `done` without a mark finishes. */
  begin(shardId: string): Ticket {
    const ticket: Ticket = { shardId, position: undefined, open: 1, marks: undefined };
    this.#progress(shardId).queue.push(ticket);
    return ticket;
  }

  /**
   * Finishes one frame or event of the ticket's record.
   *
   * @param mark whose frame or event it is; absent for the record itself
   * @param isPageEnd save now, if there is anything to save
   * @returns a promise only when there is a position to save. Nearly always there is none
   */
  done(ticket: Ticket, mark?: FenceMark, isPageEnd = false): Promise<void> | undefined {
    ticket.open -= 1;
    if (this.#store === undefined && ticket.open > 0) return undefined;
    const shard = this.#progress(ticket.shardId);
    if (mark !== undefined && this.#store !== undefined) {
      if (!this.#isReordered) remember(shard.marks, mark);
      else if (ticket.marks === undefined) ticket.marks = [mark];
      else ticket.marks.push(mark);
    }
    for (let first = shard.queue[0]; first?.open === 0; first = shard.queue[0]) {
      shard.queue.shift();
      shard.unsaved = first.position ?? shard.unsaved;
      for (const each of first.marks ?? []) remember(shard.marks, each);
    }
    if (shard.unsaved === undefined || this.#store === undefined) return undefined;
    const isDue = performance.now() - shard.savedAtMs >= SAVE_EVERY_MS;
    return isPageEnd || isDue ? this.#save(ticket.shardId, shard) : undefined;
  }

  /** Saves what is processed and not saved yet. To be called when the consumer stops. */
  async flush(): Promise<void> {
    for (const [shardId, shard] of this.#shards) await this.#save(shardId, shard);
  }

  async #save(shardId: string, shard: ShardProgress): Promise<void> {
    const position = shard.unsaved;
    if (position === undefined) return;
    shard.unsaved = undefined;
    shard.savedAtMs = performance.now();
    await this.#store?.save(shardId, position, writeMarks(shard.marks));
  }

  #progress(shardId: string): ShardProgress {
    let shard = this.#shards.get(shardId);
    if (!shard) {
      shard = { queue: [], marks: new Map(), unsaved: undefined, savedAtMs: performance.now() };
      this.#shards.set(shardId, shard);
    }
    return shard;
  }
}
