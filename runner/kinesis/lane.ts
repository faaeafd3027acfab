import { giveMemory } from '../../shared/memory-pool.ts';
import { AGGREGATES, type Packing } from './packing.ts';
import { type DropCause, type Unit, type UnitClass, unitBytes } from './unit.ts';
import { UnitQueue } from './unit-queue.ts';

/** When a lane's open record is closed: whichever comes first. */
export interface FlushPolicy {
  /** Most bytes of a record with several user records, partition key included; 0 = each by itself. */
  readonly targetBytes: number;
  /** Longest time the oldest user record waits for company, ms; 0 = only while another record is on its way. */
  readonly lingerMs: number;
}

export type FlushPolicies = Readonly<Record<UnitClass, FlushPolicy>>;

/** A level of buffered bytes that several lanes share: of one session, or of all. */
export interface ByteLevel {
  bytes: number;
}

/** One record as Kinesis will store it: several user records packed, or one bare. */
export interface OutgoingRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
  /** Data and partition key, as Kinesis counts. */
  readonly sizeBytes: number;
  readonly userRecords: number;
  /** Units whose last user record is in here: acknowledged together with it. */
  readonly units: readonly Unit[];
  /** When the oldest of them came. */
  readonly arrivedAtMs: number;
}

type Slot =
  | { readonly name: 'free' }
  /** Formed, or failed and to be sent again from `notBeforeMs` on. */
  | {
      readonly name: 'waiting';
      readonly record: OutgoingRecord;
      readonly failures: number;
      readonly notBeforeMs: number;
    }
  | { readonly name: 'sending'; readonly record: OutgoingRecord; readonly failures: number };

const FREE: Slot = { name: 'free' };

/**
 * One partition key: its units in order, and the one Kinesis record that may be on its way. The next
 * record is formed only when that one is acknowledged, which is all that strict order needs: PutRecords
 * promises none between its entries, and a retried entry lands after later ones.
 *
 * Pure: time comes in, records and units go out; who is told is the producer's business. Longer than most files
 * because slot, queue and byte levels change together, and nobody else may touch them.
 */
export class Lane {
  readonly partitionKey: string;
  readonly session: string;
  /** Memory of all units not yet settled that did not leave for the disk. */
  bytes = 0;
  /** Units handed to this lane, and units written or dropped: equal when nothing is left. */
  accepted = 0;
  settled = 0;
  /** Where the last record landed; undefined until one did. */
  shardId: string | undefined;
  /** Send the next record in a call of its own, to find out which of a refused call was to blame. */
  alone = false;
  /** Do not wait for company until that many units are settled. */
  flushUntil = 0;
  lastSentAtMs = Number.NEGATIVE_INFINITY;
  /** Its turn among lanes with a backlog; see catch-up.ts. */
  dueMs = Number.NEGATIVE_INFINITY;

  readonly #keyBytes: number;
  /** A packed record without user records, and the partition key. */
  readonly #envelopeBytes: number;
  readonly #packing: Packing;
  readonly #policies: FlushPolicies;
  readonly #sessionLevel: ByteLevel;
  readonly #taskLevel: ByteLevel;
  #acceptedBytes = 0;
  #acceptedSinceMs: number | undefined;
  readonly #queue = new UnitQueue();
  /** Size the queue would have as one packed record, without the envelope. */
  #queuedPackedBytes = 0;
  /** User records of the queue's first unit that have left already. */
  #taken = 0;
  #slot: Slot = FREE;
  /** Takes the memory of the record in the slot back; nothing holds that once the slot is free. */
  #free: ((data: Uint8Array) => void) | undefined;
  /** Set when a record on its way belongs to units that were dropped meanwhile. */
  #abandonedFor: DropCause | undefined;

  constructor(
    partitionKey: string,
    session: string,
    policies: FlushPolicies,
    levels: { readonly session: ByteLevel; readonly task: ByteLevel },
    packing: Packing = AGGREGATES,
  ) {
    this.partitionKey = partitionKey;
    this.session = session;
    this.#policies = policies;
    this.#sessionLevel = levels.session;
    this.#taskLevel = levels.task;
    this.#keyBytes = Buffer.byteLength(partitionKey);
    this.#packing = packing;
    this.#envelopeBytes = packing.emptyBytes(this.#keyBytes) + this.#keyBytes;
  }

  /** Counts a unit towards the live rate, whether it goes to memory or to the disk. */
  meter(payloadBytes: number, nowMs: number): void {
    this.#acceptedSinceMs ??= nowMs;
    this.#acceptedBytes += payloadBytes;
  }

  /** Average since the lane exists. */
  liveBytesPerMs(nowMs: number): number {
    return this.#acceptedBytes / Math.max(1_000, nowMs - (this.#acceptedSinceMs ?? nowMs));
  }

  /** Memory of all lanes of the session. */
  get sessionBytes(): number {
    return this.#sessionLevel.bytes;
  }

  /** A record of this lane is on its way. */
  get isSending(): boolean {
    return this.#slot.name === 'sending';
  }

  /** When the oldest unit in memory came; Infinity when there is none. */
  get oldestAtMs(): number {
    const slot = this.#slot;
    return slot.name === 'free' ? this.#queue.oldestArrivedAtMs : slot.record.arrivedAtMs;
  }

  /** How often the record in the slot has failed. */
  get failures(): number {
    return this.#slot.name === 'free' ? 0 : this.#slot.failures;
  }

  get abandonedFor(): DropCause | undefined {
    return this.#abandonedFor;
  }

  push(unit: Unit, nowMs: number): void {
    this.#queue.push(unit, nowMs);
    for (const record of unit.records) {
      this.#queuedPackedBytes += this.#packing.grownBytes(record.length);
    }
    this.#charge(unitBytes(unit));
  }

  /** Is there no reason to wait any longer: neither for company nor for the time to be over? */
  get isReady(): boolean {
    const first = this.#queue.peek();
    return first !== undefined && (this.#policies[first.class].lingerMs === 0 || this.isFull);
  }

  /** A further user record may not fit. */
  get isFull(): boolean {
    const first = this.#queue.peek();
    if (first === undefined) return false;
    const sizeBytes = this.#envelopeBytes + this.#queuedPackedBytes;
    return sizeBytes > this.#policies[first.class].targetBytes;
  }

  /**
   * The record to send now: the one that waits for its next attempt, or the next one if it is time.
   *
   * @param hasMore units of this key lie on the disk: waiting would only lengthen the queue
   */
  offer(nowMs: number, hasMore: boolean): OutgoingRecord | undefined {
    const slot = this.#slot;
    if (slot.name === 'sending') return undefined;
    if (slot.name === 'waiting') return slot.notBeforeMs <= nowMs ? slot.record : undefined;
    const first = this.#queue.peek();
    if (first === undefined) return undefined;
    const policy = this.#policies[first.class];
    const due =
      hasMore ||
      this.settled < this.flushUntil ||
      this.#taken > 0 ||
      nowMs - this.#queue.oldestArrivedAtMs >= policy.lingerMs ||
      this.isFull;
    if (!due) return undefined;
    const record = this.#form(policy.targetBytes);
    this.#slot = { name: 'waiting', record, failures: 0, notBeforeMs: nowMs };
    return record;
  }

  /** The offered record is on its way. */
  sent(nowMs: number): void {
    if (this.#slot.name !== 'waiting') throw new Error('sent without an offer');
    this.#slot = { name: 'sending', record: this.#slot.record, failures: this.#slot.failures };
    this.lastSentAtMs = nowMs;
  }

  /** The record failed and must be sent again, unchanged. */
  retryAt(notBeforeMs: number): void {
    if (this.#slot.name !== 'sending') throw new Error('failed without being sent');
    const { record, failures } = this.#slot;
    this.#slot = { name: 'waiting', record, failures: failures + 1, notBeforeMs };
  }

  /** The record arrived. @returns the units that are complete with it, their bytes released */
  written(): readonly Unit[] {
    const { units } = this.#release();
    for (const unit of units) this.#charge(-unitBytes(unit));
    return units;
  }

  /** The record will not be sent again. @returns all units that are lost with it, a half-sent one included */
  discard(): Unit[] {
    const units = [...this.#release().units];
    if (this.#taken > 0) units.push(this.#shift() as Unit);
    for (const unit of units) this.#charge(-unitBytes(unit));
    return units;
  }

  /**
   * Gives up everything. A record on its way cannot be called back: its units follow when its answer is
   * there (`abandonedFor`).
   *
   * @returns the units that are lost now
   */
  abandon(cause: DropCause): Unit[] {
    const units: Unit[] = [];
    if (this.#slot.name === 'waiting') units.push(...this.discard());
    else if (this.#slot.name === 'sending') this.#abandonedFor = cause;
    for (const unit of this.#extract(() => true)) units.push(unit);
    return units;
  }

  /** Memory of one class that `shed` could free. */
  sheddable(unitClass: UnitClass): number {
    const first = this.#queue.peek();
    const bytes = this.#queue.bytesOf(unitClass);
    return this.#taken > 0 && first?.class === unitClass ? bytes - unitBytes(first) : bytes;
  }

  /** Takes out the oldest queued units of one class, at least `bytes` of them if there are. */
  shed(unitClass: UnitClass, bytes: number): Unit[] {
    const halfSent = this.#taken > 0 ? this.#queue.peek() : undefined;
    let freed = 0;
    return this.#extract((unit) => {
      if (freed >= bytes || unit.class !== unitClass || unit === halfSent) return false;
      freed += unitBytes(unit);
      return true;
    });
  }

  #release(): OutgoingRecord {
    if (this.#slot.name === 'free') throw new Error('nothing was sent');
    const { record } = this.#slot;
    this.#free?.(record.data);
    this.#free = undefined;
    this.#slot = FREE;
    this.#abandonedFor = undefined;
    this.alone = false;
    return record;
  }

  #extract(condemned: (unit: Unit) => boolean): Unit[] {
    const first = this.#queue.peek();
    const units = this.#queue.extract(condemned);
    for (const unit of units) {
      this.#charge(-unitBytes(unit));
      const from = unit === first ? this.#taken : 0;
      for (const record of unit.records.slice(from)) {
        this.#queuedPackedBytes -= this.#packing.grownBytes(record.length);
      }
    }
    if (this.#queue.peek() !== first) this.#taken = 0;
    return units;
  }

  /** Takes the first unit, of which some records have left, out of the queue. */
  #shift(): Unit | undefined {
    const unit = this.#queue.shift();
    const records = unit?.records ?? [];
    for (let index = this.#taken; index < records.length; index += 1) {
      this.#queuedPackedBytes -= this.#packing.grownBytes(records[index]?.length ?? 0);
    }
    this.#taken = 0;
    return unit;
  }

  #form(targetBytes: number): OutgoingRecord {
    const arrivedAtMs = this.#queue.oldestArrivedAtMs;
    const records: Uint8Array[] = [];
    const owners: Unit[] = [];
    const units: Unit[] = [];
    let sizeBytes = this.#envelopeBytes;
    for (let unit = this.#queue.peek(); unit; unit = this.#queue.peek()) {
      const record = unit.records[this.#taken] as Uint8Array;
      const grownBytes = sizeBytes + this.#packing.grownBytes(record.length);
      if (grownBytes > targetBytes && records.length > 0) break;
      sizeBytes = grownBytes;
      records.push(record);
      owners.push(unit);
      this.#queuedPackedBytes -= this.#packing.grownBytes(record.length);
      this.#taken += 1;
      if (this.#taken === unit.records.length) {
        units.push(unit);
        this.#shift();
      }
    }
    // A lone user record needs no envelope: readers handle both forms.
    const [only] = records;
    const isLone = records.length === 1 && only !== undefined;
    const data = isLone ? only : this.#pack(records, owners);
    this.#free = isLone ? owners[0]?.release : giveMemory;
    return {
      partitionKey: this.partitionKey,
      data,
      sizeBytes: data.length + this.#keyBytes,
      userRecords: records.length,
      units,
      arrivedAtMs,
    };
  }

  #pack(records: readonly Uint8Array[], owners: readonly Unit[]): Buffer {
    const packed = this.#packing.pack(this.partitionKey, records);
    for (let index = 0; index < records.length; index += 1) {
      owners[index]?.release?.(records[index] as Uint8Array);
    }
    return packed;
  }

  #charge(bytes: number): void {
    this.bytes += bytes;
    this.#sessionLevel.bytes += bytes;
    this.#taskLevel.bytes += bytes;
  }
}
