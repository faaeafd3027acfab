/**
 * Who leaves first when even the spool is full, in this order. `crowd`: lines that come by the thousand when a webinar opens
 * (rosters, cameras, speakers); `text`: transcript and chat; `event`: the lines that tell the session's life, and its gaps.
 */
export type UnitClass = 'video' | 'deskshare' | 'audio' | 'crowd' | 'text' | 'event';

/** Why a unit will never be written; the names of the `gap` event's `cause`. */
export type DropCause = 'buffer_full' | 'spool_full' | 'write_failed' | 'revoked';

/**
 * One frame or one line on its way to Kinesis: all records of one unit are written in order or dropped
 * together.
 */
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
  /** How long it has waited already, ms: that much less it waits for company. @default 0 */
  readonly heldMs?: number;
  /** Takes each record's memory back as soon as its bytes stand elsewhere. @default left to the garbage collector */
  readonly release?: (record: Uint8Array) => void;
  /** Told exactly once what became of the unit. One object per source, not per frame. */
  readonly receipt: Receipt;
}

/**
 * Hears of every unit exactly once. A unit that went through the disk comes back as an equal object, not the
 * same one; one dropped from the disk carries no records, and its capture time and payload size are
 * interpolated between those of its neighbours, exact in sum.
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

/** The session a partition key belongs to: everything before the first `#`. */
export function sessionOf(partitionKey: string): string {
  const end = partitionKey.indexOf('#');
  return end < 0 ? partitionKey : partitionKey.slice(0, end);
}
