/** The position of a shard that was read to its end. */
export const SHARD_END = 'SHARD_END';

/** Where a reader's progress is kept. Both functions are called for one shard at a time. */
export interface CheckpointStore {
  /** @returns the position last saved for the shard, or undefined to begin at `startAt` */
  load(shardId: string): Promise<string | undefined>;
  /** @param position a Kinesis sequence number, all before it processed; or `SHARD_END` */
  save(shardId: string, position: string): Promise<void>;
}

/** One page of records on its way through the consumer. */
export interface Ticket {
  readonly shardId: string;
  /** Where the shard stands once this page is processed; undefined while a later page must be waited for. */
  position: string | undefined;
  /** Frames or events of the page that the consumer has not finished. */
  open: number;
}

/** Saves a position only when everything before it was handed out and the consumer has asked for more. */
export class Checkpoints {
  readonly #store: CheckpointStore | undefined;
  readonly #queues = new Map<string, Ticket[]>();

  constructor(store: CheckpointStore | undefined) {
    this.#store = store;
  }

  /** Opens a ticket with one mark that stands for the page itself; `done` takes it back. */
  begin(shardId: string): Ticket {
    const ticket: Ticket = { shardId, position: undefined, open: 1 };
    const queue = this.#queues.get(shardId);
    if (queue) queue.push(ticket);
    else this.#queues.set(shardId, [ticket]);
    return ticket;
  }

  /**
   * One frame or event of the ticket's page is finished.
   *
   * @returns a promise only when there is a position to save, as nearly every time there is none
   */
  done(ticket: Ticket): Promise<void> | undefined {
    ticket.open -= 1;
    if (ticket.open > 0) return undefined;
    const queue = this.#queues.get(ticket.shardId) ?? [];
    let position: string | undefined;
    while (queue[0]?.open === 0) position = queue.shift()?.position ?? position;
    if (queue.length === 0) this.#queues.delete(ticket.shardId);
    return position === undefined ? undefined : this.#store?.save(ticket.shardId, position);
  }
}
