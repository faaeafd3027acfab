import type { FenceMark } from '../records/epoch-fence.ts';

/** The position of a shard that was read to its end. */
export const SHARD_END = 'SHARD_END';

/** Where a reader stands in a shard, and what it has seen there: enough to drop repeats after a restart. */
export interface SavedPosition {
  readonly position: string;
  /** As `save` got it. */
  readonly seen?: string;
}

/** Where a reader's progress is kept. Both functions are called for one shard at a time. */
export interface CheckpointStore {
  /** @returns what was last saved for the shard, or undefined to begin at `startAt` */
  load(shardId: string): Promise<string | SavedPosition | undefined>;
  /**
   * @param position a Kinesis sequence number, all before it processed; or `SHARD_END`
   * @param seen the newest of each source, as text. A store that keeps it too drops repeats and late writers across a
   *   restart; one that does not sees them again
   */
  save(shardId: string, position: string, seen: string): Promise<void>;
}

/** One Kinesis record (or an empty page) on its way through the consumer. */
export interface Ticket {
  readonly shardId: string;
  /** Where the shard stands once this record is processed; undefined while a later one must be waited for. */
  position: string | undefined;
  /** Frames or events of the record that the consumer has not finished. */
  open: number;
}

/** At most this often between pages: a store may cost a call each. */
const SAVE_EVERY_MS = 1_000;

/** Sources remembered per shard; the one unused for longest is forgotten first. */
const MAX_MARKS = 1_000;

interface ShardProgress {
  readonly queue: Ticket[];
  readonly marks: Map<string, FenceMark>;
  /** Processed, and not saved yet. */
  unsaved: string | undefined;
  savedAtMs: number;
}

/** Saves a position only when everything before it was handed out and the consumer has asked for more. */
export class Checkpoints {
  readonly #store: CheckpointStore | undefined;
  readonly #shards = new Map<string, ShardProgress>();

  constructor(store: CheckpointStore | undefined) {
    this.#store = store;
  }

  /** @returns where to go on, and what was seen before */
  async load(shardId: string): Promise<{ position?: string; seen: readonly FenceMark[] }> {
    const saved = await this.#store?.load(shardId);
    if (saved === undefined) return { seen: [] };
    const { position, seen = '' } = typeof saved === 'string' ? { position: saved } : saved;
    const marks = readMarks(seen);
    const { marks: known } = this.#progress(shardId);
    for (const mark of marks) known.set(keyOf(mark), mark);
    return { position, seen: marks };
  }

  /** Opens a ticket with one mark that stands for the record itself; `done` takes it back. */
  begin(shardId: string): Ticket {
    const ticket: Ticket = { shardId, position: undefined, open: 1 };
    this.#progress(shardId).queue.push(ticket);
    return ticket;
  }

  /**
   * One frame or event of the ticket's record is finished.
   *
   * @param mark who it was from; absent for the record itself
   * @param isPageEnd save now, if there is anything to save
   * @returns a promise only when there is a position to save, as nearly every time there is none
   */
  done(ticket: Ticket, mark?: FenceMark, isPageEnd = false): Promise<void> | undefined {
    ticket.open -= 1;
    if (this.#store === undefined && ticket.open > 0) return undefined;
    const shard = this.#progress(ticket.shardId);
    if (mark !== undefined && this.#store !== undefined) remember(shard.marks, mark);
    while (shard.queue[0]?.open === 0)
      shard.unsaved = shard.queue.shift()?.position ?? shard.unsaved;
    if (shard.unsaved === undefined || this.#store === undefined) return undefined;
    const isDue = performance.now() - shard.savedAtMs >= SAVE_EVERY_MS;
    return isPageEnd || isDue ? this.#save(ticket.shardId, shard) : undefined;
  }

  /** Saves what is processed and not saved yet: the consumer stops here. */
  async flush(): Promise<void> {
    for (const [shardId, shard] of this.#shards) await this.#save(shardId, shard);
  }

  async #save(shardId: string, shard: ShardProgress): Promise<void> {
    const position = shard.unsaved;
    if (position === undefined) return;
    shard.unsaved = undefined;
    shard.savedAtMs = performance.now();
    await this.#store?.save(shardId, position, JSON.stringify([...shard.marks.values()]));
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

const keyOf = ([partitionKey, rtmsStreamId, source]: FenceMark) =>
  `${partitionKey}\n${rtmsStreamId}\n${source}`;

function remember(marks: Map<string, FenceMark>, mark: FenceMark): void {
  const key = keyOf(mark);
  const [, , , epoch, sequence] = mark;
  const known = marks.get(key);
  // Never back: a repeat that was asked for says nothing new.
  const isOlder = known && (known[3] > epoch || (known[3] === epoch && known[4] >= sequence));
  marks.delete(key);
  marks.set(key, isOlder ? known : mark);
  if (marks.size > MAX_MARKS) marks.delete(marks.keys().next().value as string);
}

/** What cannot be read is not known: then repeats are seen again. */
function readMarks(text: string): FenceMark[] {
  try {
    const marks: unknown = JSON.parse(text);
    return Array.isArray(marks) ? marks.filter(isMark) : [];
  } catch {
    return [];
  }
}

function isMark(value: unknown): value is FenceMark {
  if (!Array.isArray(value) || value.length !== 5) return false;
  const [partitionKey, rtmsStreamId, source, epoch, sequence] = value;
  return (
    typeof partitionKey === 'string' &&
    typeof rtmsStreamId === 'string' &&
    (typeof source === 'string' || typeof source === 'number') &&
    Number.isSafeInteger(epoch) &&
    Number.isSafeInteger(sequence)
  );
}
