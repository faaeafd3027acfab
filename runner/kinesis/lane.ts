import type { MemoryPool } from '../../shared/memory-pool.ts';
import { CatchUpClock } from './catch-up.ts';
import { type OutgoingRecord, RecordFormer } from './outgoing-record.ts';
import type { RecordFormat } from './record-format.ts';
import { type DropCause, type Unit, type UnitClass, unitBytes } from './unit.ts';
import { UnitQueue } from './unit-queue.ts';

/** When a lane forms its next record: whichever comes first. */
export interface FlushPolicy {
  /** Most bytes of a record with several user records, partition key included; 0 = each by itself. */
  readonly targetBytes: number;
  /** Longest time the oldest user record waits for others, ms; 0 = only while another record is on its way. */
  readonly lingerMs: number;
}

export type FlushPolicies = Readonly<Record<UnitClass, FlushPolicy>>;

/** Buffered bytes of several lanes together: of one session, or of all. Each lane adds its own. */
export interface ByteLevel {
  bytes: number;
}

export interface LaneOptions {
  readonly partitionKey: string;
  readonly session: string;
  readonly policies: FlushPolicies;
  readonly format: RecordFormat;
  /** Where shared records come from and go back to. */
  readonly memory: MemoryPool;
  readonly sessionLevel: ByteLevel;
  readonly taskLevel: ByteLevel;
}

/** The one record that a lane may have formed. */
type Formed =
  | { readonly name: 'none' }
  /** To be sent, for the first time or again, from `notBeforeMs` on. */
  | {
      readonly name: 'waiting';
      readonly record: OutgoingRecord;
      readonly failures: number;
      readonly notBeforeMs: number;
    }
  | { readonly name: 'sending'; readonly record: OutgoingRecord; readonly failures: number };

const NONE: Formed = { name: 'none' };

/**
 * One partition key: its units in order, and the one Kinesis record that may be on its way. The next record is formed
 * only when that one is acknowledged, because PutRecords promises no order between its entries, and a retried entry
 * lands after later ones (docs/adr/0006-one-record-in-flight-per-key.md).
 *
 * ```
 * none --offer--> waiting --sent--> sending --written--> none
 *                   ^ |                | |
 *                   | +---dropRecord---+-|-------------> none
 *                   +------retryAt-------+
 * ```
 *
 * Pure: time comes in, records and units go out. Only the lane writes its fields.
 */
export class Lane {
  readonly partitionKey: string;
  readonly session: string;
  readonly catchUp = new CatchUpClock();

  readonly #policies: FlushPolicies;
  readonly #queue: UnitQueue;
  readonly #former: RecordFormer;
  readonly #sessionLevel: ByteLevel;
  readonly #taskLevel: ByteLevel;

  #formed: Formed = NONE;
  /** Set when the units of a record on its way were dropped meanwhile. */
  #droppedFor: DropCause | undefined;
  #isAlone = false;
  #bytes = 0;
  #accepted = 0;
  #done = 0;
  #flushUntil = 0;
  #shardId: string | undefined;
  #lastSentAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LaneOptions) {
    const { partitionKey, format } = options;
    this.partitionKey = partitionKey;
    this.session = options.session;
    this.#policies = options.policies;
    this.#queue = new UnitQueue(format);
    this.#former = new RecordFormer(partitionKey, format, options.memory);
    this.#sessionLevel = options.sessionLevel;
    this.#taskLevel = options.taskLevel;
  }

  /** Memory of its units that are neither written, nor dropped, nor on the disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Memory of all lanes of the session. */
  get sessionBytes(): number {
    return this.#sessionLevel.bytes;
  }

  /** Units put, and units found on the disk at the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Accepted units that are written or dropped. */
  get done(): number {
    return this.#done;
  }

  /** Where the last record landed; undefined until one did. */
  get shardId(): string | undefined {
    return this.#shardId;
  }

  get lastSentAtMs(): number {
    return this.#lastSentAtMs;
  }

  /** The record needs a call of its own, which shows whether this one made Kinesis refuse a whole call. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  get isSending(): boolean {
    return this.#formed.name === 'sending';
  }

  /** When the oldest unit in memory came; Infinity when there is none. */
  get oldestAtMs(): number {
    const formed = this.#formed;
    return formed.name === 'none' ? this.#queue.oldestArrivedAtMs : formed.record.arrivedAtMs;
  }

  /** How often the formed record has failed. */
  get failures(): number {
    return this.#formed.name === 'none' ? 0 : this.#formed.failures;
  }

  /** Why the units of the record on its way were dropped meanwhile; undefined when they were not. */
  get droppedFor(): DropCause | undefined {
    return this.#droppedFor;
  }

  accept(units: number): void {
    this.#accepted += units;
  }

  /** One of the accepted units is written or dropped. */
  countDone(): void {
    this.#done += 1;
  }

  /** From now on, what has been accepted so far does not wait for others. */
  startFlush(): void {
    this.#flushUntil = this.#accepted;
  }

  push(unit: Unit, nowMs: number): void {
    this.#queue.push(unit, nowMs);
    this.#charge(unitBytes(unit));
  }

  /** Can a record be formed without waiting for `lingerMs` to pass? */
  get isReady(): boolean {
    const first = this.#queue.peek();
    return first !== undefined && (this.#policies[first.class].lingerMs === 0 || this.#isFull());
  }

  /**
   * The record to send now: the one that waits for its next attempt, or a new one if it is time.
   *
   * @param hasMore units of this key lie on the disk: waiting would only lengthen the queue
   */
  offer(nowMs: number, hasMore: boolean): OutgoingRecord | undefined {
    const formed = this.#formed;
    if (formed.name === 'sending') return undefined;
    if (formed.name === 'waiting') return formed.notBeforeMs <= nowMs ? formed.record : undefined;
    const first = this.#queue.peek();
    if (first === undefined) return undefined;
    const policy = this.#policies[first.class];
    const isDue =
      hasMore ||
      this.#done < this.#flushUntil ||
      this.#queue.isFirstBegun ||
      nowMs - this.#queue.oldestArrivedAtMs >= policy.lingerMs ||
      this.#isFull();
    if (!isDue) return undefined;
    const record = this.#former.form(this.#queue, policy.targetBytes);
    this.#formed = { name: 'waiting', record, failures: 0, notBeforeMs: nowMs };
    return record;
  }

  /** The offered record is on its way. */
  sent(nowMs: number): void {
    if (this.#formed.name !== 'waiting') throw new Error('sent without an offer');
    const { record, failures } = this.#formed;
    this.#formed = { name: 'sending', record, failures };
    this.#lastSentAtMs = nowMs;
  }

  /** The record failed and must be sent again, unchanged. @param isAlone in a call of its own */
  retryAt(notBeforeMs: number, isAlone = this.#isAlone): void {
    if (this.#formed.name !== 'sending') throw new Error('failed without being sent');
    const { record, failures } = this.#formed;
    this.#formed = { name: 'waiting', record, failures: failures + 1, notBeforeMs };
    this.#isAlone = isAlone;
  }

  /** The record arrived in that shard. @returns the units that are complete with it, their bytes released */
  written(shardId: string): readonly Unit[] {
    this.#shardId = shardId;
    const { units } = this.#clear();
    for (const unit of units) this.#charge(-unitBytes(unit));
    return units;
  }

  /** The record will not be sent again. @returns all units that are lost with it, a half-sent one included */
  dropRecord(): Unit[] {
    const units = [...this.#clear().units];
    if (this.#queue.isFirstBegun) units.push(this.#queue.shift() as Unit);
    for (const unit of units) this.#charge(-unitBytes(unit));
    return units;
  }

  /**
   * Drops everything. A record on its way cannot be called back: its units are dropped or written when its answer is
   * there (`droppedFor`). The first cause stands: what Zoom took back is no loss, also when a deadline passes later.
   *
   * @returns the units that are lost now
   */
  dropAll(cause: DropCause): Unit[] {
    const units = this.#formed.name === 'waiting' ? this.dropRecord() : [];
    if (this.#formed.name === 'sending') this.#droppedFor ??= cause;
    for (const unit of this.#extract(() => true)) units.push(unit);
    return units;
  }

  /** Memory of one class that `dropOldest` could free. */
  droppableBytes(unitClass: UnitClass): number {
    return this.#queue.droppableBytes(unitClass);
  }

  /** Drops the oldest queued units of one class, at least `bytes` of them if there are. @returns them */
  dropOldest(unitClass: UnitClass, bytes: number): Unit[] {
    const halfSent = this.#queue.isFirstBegun ? this.#queue.peek() : undefined;
    let freed = 0;
    return this.#extract((unit) => {
      if (freed >= bytes || unit.class !== unitClass || unit === halfSent) return false;
      freed += unitBytes(unit);
      return true;
    });
  }

  /** A further user record may not fit. */
  #isFull(): boolean {
    const first = this.#queue.peek();
    if (first === undefined) return false;
    return this.#former.sizeOf(this.#queue) > this.#policies[first.class].targetBytes;
  }

  /** No record is formed from now on. Releases the memory of the one that was. */
  #clear(): OutgoingRecord {
    if (this.#formed.name === 'none') throw new Error('no record is formed');
    const { record } = this.#formed;
    this.#former.release(record);
    this.#formed = NONE;
    this.#droppedFor = undefined;
    this.#isAlone = false;
    return record;
  }

  #extract(isWanted: (unit: Unit) => boolean): Unit[] {
    const units = this.#queue.extract(isWanted);
    for (const unit of units) this.#charge(-unitBytes(unit));
    return units;
  }

  #charge(bytes: number): void {
    this.#bytes += bytes;
    this.#sessionLevel.bytes += bytes;
    this.#taskLevel.bytes += bytes;
  }
}
