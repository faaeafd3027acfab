import type { MemoryPool } from '../../shared/memory-pool.ts';
import type { RecordFormat } from './record-format.ts';
import type { Unit } from './unit.ts';
import type { UnitQueue } from './unit-queue.ts';

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

/** Forms the records of one partition key, one after the other: each is released before the next is formed. */
export class RecordFormer {
  readonly #partitionKey: string;
  readonly #format: RecordFormat;
  readonly #memory: MemoryPool;
  readonly #keyBytes: number;
  /** A packed record without user records, and the partition key. */
  readonly #envelopeBytes: number;
  /** Where the memory of the formed record goes back to; undefined: to the garbage collector. */
  #formedMemory: MemoryPool | undefined;

  constructor(partitionKey: string, format: RecordFormat, memory: MemoryPool) {
    this.#partitionKey = partitionKey;
    this.#format = format;
    this.#memory = memory;
    this.#keyBytes = Buffer.byteLength(partitionKey);
    this.#envelopeBytes = format.emptyBytes(this.#keyBytes) + this.#keyBytes;
  }

  /** Bytes of one record with all that is queued, partition key included. */
  sizeOf(queue: UnitQueue): number {
    return this.#envelopeBytes + queue.packedBytes;
  }

  /**
   * Takes user records out of the queue, which must have one: as many as fit, and at least one.
   *
   * @param targetBytes most bytes of a record with several of them, partition key included
   */
  form(queue: UnitQueue, targetBytes: number): OutgoingRecord {
    const arrivedAtMs = queue.oldestArrivedAtMs;
    const records: Uint8Array[] = [];
    const owners: Unit[] = [];
    const units: Unit[] = [];
    let sizeBytes = this.#envelopeBytes;
    for (let unit = queue.peek(); unit; unit = queue.peek()) {
      const record = queue.peekRecord() as Uint8Array;
      const grownBytes = sizeBytes + this.#format.grownBytes(record.length);
      if (grownBytes > targetBytes && records.length > 0) break;
      sizeBytes = grownBytes;
      records.push(record);
      owners.push(unit);
      if (queue.shiftRecord()) units.push(unit);
    }
    // A lone user record needs no envelope: readers handle both forms.
    const [only] = records;
    const isLone = records.length === 1 && only !== undefined;
    const data = isLone ? only : this.#pack(records, owners);
    this.#formedMemory = isLone ? owners[0]?.memory : this.#memory;
    return {
      partitionKey: this.#partitionKey,
      data,
      sizeBytes: data.length + this.#keyBytes,
      userRecords: records.length,
      units,
      arrivedAtMs,
    };
  }

  /** Nothing needs the formed record's bytes any more. */
  release({ data }: OutgoingRecord): void {
    this.#formedMemory?.release(data);
    this.#formedMemory = undefined;
  }

  /** Copies the records into one. The memory of each is released afterwards. */
  #pack(records: readonly Uint8Array[], owners: readonly Unit[]): Buffer {
    const packed = this.#format.pack(this.#partitionKey, records, this.#memory);
    for (let index = 0; index < records.length; index += 1) {
      owners[index]?.memory?.release(records[index] as Uint8Array);
    }
    return packed;
  }
}
