import type { MemoryPool } from '../../shared/memory-pool.ts';
import type { GapCause } from '../../shared/record/event-data.ts';

/**
 * What a unit is worth when memory and disk are full: pressure.ts drops in that order, cheapest first. `crowd`: lines
 * that come by the thousand when a webinar opens (rosters, cameras, speakers); `text`: transcript and chat; `event`:
 * lines about the session itself and its gaps.
 */
export type UnitClass = 'video' | 'deskshare' | 'audio' | 'crowd' | 'text' | 'event';

/** Why a unit will never be written. */
export type DropCause = Exclude<GapCause, 'malformed' | 'not_received'>;

/** One frame or one line on its way to Kinesis. All its records are written, in order, or all are dropped. */
export interface Unit {
  /** `<rtms_stream_id>` or `<rtms_stream_id>#...`; what stands before the first `#` is the session. */
  readonly partitionKey: string;
  readonly class: UnitClass;
  /** One user record per chunk, in order, at least one. Owned by the producer once put. */
  readonly records: readonly Uint8Array[];
  /** The frame's or event's sequence number within its source. */
  readonly sequence: number;
  /** Zoom's clock, Unix ms, for gap events. */
  readonly capturedAtMs: number;
  /** Payload bytes, for gap events and metrics. */
  readonly payloadBytes: number;
  /** How long it has waited already, ms: the lane waits that much less before it sends. @default 0 */
  readonly heldMs?: number;
  /** Where each record is released as soon as its bytes are copied elsewhere. @default the garbage collector */
  readonly memory?: MemoryPool;
  /** Told exactly once what became of the unit. One object per source, not per frame. */
  readonly receipt: Receipt;
}

/**
 * Hears of every unit exactly once. A unit that went through the disk comes back as an equal object, not the same one.
 * A unit dropped from the disk carries no records, and its capture time and payload size are interpolated between
 * those of its neighbours; their sum is exact.
 */
export interface Receipt {
  /** All records of the unit are acknowledged by Kinesis. */
  written(unit: Unit): void;
  /** The unit is lost for good. */
  dropped(unit: Unit, cause: DropCause): void;
}

/** What a session needs of a producer; sessions are named by the partition key up to its first `#`. */
export interface Sink {
  put(unit: Unit): void;
  /** Waits until all units of a session are written or dropped; rejects when aborted first. */
  flush(signal: AbortSignal, session: string): Promise<void>;
  /** Drops what is still buffered for a session, of one class or all. */
  drop(session: string, cause: DropCause, unitClass?: UnitClass): void;
}

/** Memory that a unit keeps beside its bytes: two small objects and an entry in two arrays (measured). */
const UNIT_OVERHEAD_BYTES = 200;

/** What a unit costs while it is buffered, bytes. */
export function unitBytes(unit: Unit): number {
  let total = UNIT_OVERHEAD_BYTES;
  for (const record of unit.records) total += record.length;
  return total;
}

/** Bytes of buffered units, by their class. */
export class ClassBytes {
  total = 0;
  readonly #bytes: Record<UnitClass, number> = {
    video: 0,
    deskshare: 0,
    audio: 0,
    crowd: 0,
    text: 0,
    event: 0,
  };

  of(unitClass: UnitClass): number {
    return this.#bytes[unitClass];
  }

  /** @param bytes may be negative */
  add(unitClass: UnitClass, bytes: number): void {
    this.#bytes[unitClass] += bytes;
    this.total += bytes;
  }
}

/** The session a partition key belongs to: everything before the first `#`. */
export function sessionOf(partitionKey: string): string {
  const end = partitionKey.indexOf('#');
  return end < 0 ? partitionKey : partitionKey.slice(0, end);
}
