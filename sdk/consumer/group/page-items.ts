import type { FenceMark } from '../records/epoch-fence.ts';
import type { KinesisRecord } from '../records/records.ts';
import type { RecordPosition } from './group-rows.ts';

export interface ShardDecoder<Item> {
  readonly subSequenceNumber: number;
  /** Whether a frame has begun whose last chunk has not come yet. */
  readonly waiting?: boolean;
  restore(seen: readonly FenceMark[]): void;
  decode(record: KinesisRecord): Iterable<Item>;
  finish?(): void;
}

/** What stands for the position of an item while an earlier frame waits for chunks. */
const WAITING = -1;

/**
 * The items of one page, and up to where everything is processed once one of them is. Positions are made when they are asked
 * for, which is seldom: a page has thousands of items, and an object for each would cost more than decoding it.
 */
export class PageItems<Item> {
  readonly items: Item[] = [];
  /** The place of each item in its record, or `WAITING`. */
  readonly #subs: number[] = [];
  /** Records that have items, and the index of the first item behind those. */
  readonly #records: { readonly sequenceNumber: string; readonly end: number }[] = [];
  readonly #before: RecordPosition | undefined;
  readonly #resumed: RecordPosition | undefined;
  #whole: RecordPosition | undefined;

  /**
   * @param before up to where the pages before were read as whole frames
   * @param resumed where reading began: of a record that was read in part then, the first items were processed
   */
  constructor(before: RecordPosition | undefined, resumed: RecordPosition | undefined) {
    this.#before = before;
    this.#whole = before;
    this.#resumed = resumed;
  }

  /** Everything up to here is processed once all items are. */
  get whole(): RecordPosition | undefined {
    return this.#whole;
  }

  /** Decodes the next record. */
  take(decoder: ShardDecoder<Item>, record: KinesisRecord): void {
    const { items } = this;
    const { sequenceNumber } = record;
    const resumed = this.#resumed;
    const isResumed = resumed?.sequenceNumber === sequenceNumber;
    const resumedSub = resumed?.subSequenceNumber ?? Infinity;
    const first = items.length;
    let wholeSub = WAITING;
    for (const item of decoder.decode(record)) {
      const { subSequenceNumber, waiting = false } = decoder;
      if (isResumed && subSequenceNumber <= resumedSub) continue;
      if (!waiting) wholeSub = subSequenceNumber;
      items.push(item);
      this.#subs.push(waiting ? WAITING : subSequenceNumber);
    }
    if (items.length > first) this.#records.push({ sequenceNumber, end: items.length });
    if (decoder.waiting !== true) this.#whole = { sequenceNumber };
    else if (wholeSub !== WAITING) this.#whole = { sequenceNumber, subSequenceNumber: wholeSub };
  }

  /** @returns up to where everything is processed once this item and all before it are */
  positionOf(item: Item): RecordPosition | undefined {
    for (let index = this.items.indexOf(item); index >= 0; index -= 1) {
      const subSequenceNumber = this.#subs[index] ?? WAITING;
      const record = this.#records.find(({ end }) => index < end);
      if (subSequenceNumber !== WAITING && record)
        return { sequenceNumber: record.sequenceNumber, subSequenceNumber };
    }
    return this.#before;
  }
}
