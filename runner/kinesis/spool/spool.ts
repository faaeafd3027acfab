import { mkdir } from 'node:fs/promises';
import { ServiceError } from '../../../shared/errors.ts';
import { type Logger, SILENT_LOGGER } from '../../../shared/logger.ts';
import { chooseDrop, type UnitHolder } from '../pressure.ts';
import type { DropCause, Unit, UnitClass } from '../unit.ts';
import { SpoolDisk } from './disk.ts';
import { KeyBacklog, type UnitDropped } from './key-backlog.ts';
import { SpooledUnit, type SpoolSegment } from './segment.ts';
import { type Recovery, recoverSegments } from './segment-files.ts';
import { frameBytes } from './segment-format.ts';

export interface SpoolOptions {
  /** Made if missing. One process and one producer at a time: what is found there is taken over. */
  readonly directory: string;
  /** Bound of all files together. */
  readonly maxBytes: number;
  /** Length of one file; the unit of reading back, per key one at a time. @default 256 KiB */
  readonly segmentBytes?: number;
  /**
   * Says in a record that it was read back from the disk of a process that died, so that whoever reads it knows what
   * became of the records right before. @default the record as it is
   */
  readonly markRecovered?: (record: Uint8Array) => Uint8Array;
  readonly logger?: Logger;
}

/** Memory of units that the disk is too slow for. */
const PENDING_BYTES = 16 * 1024 * 1024;

/**
 * Opens a spool and takes up what an earlier process left in it.
 *
 * @param needsAllFiles a file that the disk does not give back now, and may give back later, is an error. Read later by itself
 *   it would come behind newer files of its key, and readers would take its units for repeated ones
 * @throws ServiceError `kinesis/spool-corrupt` when the directory cannot be used; where it is for `needsAllFiles`, `detail` has
 *   the names of such files, `unreadFiles`
 */
export async function openSpool(options: SpoolOptions, needsAllFiles = false): Promise<Spool> {
  let recovery: Recovery;
  try {
    await mkdir(options.directory, { recursive: true });
    recovery = await recoverSegments(options.directory);
  } catch (cause) {
    throw new ServiceError('kinesis/spool-corrupt', 'the spool directory cannot be used', {
      cause,
    });
  }
  const { unreadFiles } = recovery;
  if (needsAllFiles && unreadFiles.length > 0) {
    throw new ServiceError('kinesis/spool-corrupt', 'files of the spool cannot be read now', {
      detail: { unreadFiles },
    });
  }
  return new Spool(options, recovery);
}

/**
 * Overflow of a producer's lanes on the disk, bounded: per partition key a queue of append-only files. A key that has
 * units here gets all its further units here, until the last one is read back (docs/adr/0007-spool.md).
 *
 * All calls return at once; the disk works behind them, one operation after another. When the bound is reached, the
 * oldest units of the cheapest class are dropped.
 */
export class Spool {
  readonly #maxBytes: number;
  readonly #disk: SpoolDisk;
  readonly #backlogs = new Map<string, KeyBacklog>();
  #dropped: UnitDropped = () => {};
  /** What an earlier process left stays on the disk. */
  #isFrozen = false;

  constructor(options: SpoolOptions, recovery: Recovery) {
    const { directory, maxBytes, segmentBytes = 256 * 1024, logger = SILENT_LOGGER } = options;
    const { files, nextOrdinal, damagedFiles, damagedBytes, foreignFiles } = recovery;
    this.#maxBytes = maxBytes;
    this.#disk = new SpoolDisk(directory, segmentBytes, nextOrdinal, logger, options.markRecovered);
    for (const { segment } of files) this.#backlog(segment.partitionKey).recover(segment);
    if (files.length > 0) {
      const fields = { event: 'spool_recovered', files: files.length, bytes: this.bytes };
      logger.info('an earlier process left units in the spool', fields);
    }
    if (damagedFiles + foreignFiles > 0) {
      const fields = { event: 'spool_damaged', damagedFiles, damagedBytes, foreignFiles };
      logger.warn('not everything in the spool directory can be read', fields);
    }
  }

  /** @param dropped told of every unit that is lost in here */
  attach(dropped: UnitDropped): void {
    this.#dropped = dropped;
  }

  /** Partition keys with units of an earlier process, and how many. */
  recovered(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { partitionKey, segments } of this.#backlogs.values()) {
      counts.set(
        partitionKey,
        segments.reduce((sum, segment) => sum + segment.units, 0),
      );
    }
    return counts;
  }

  /** On the disk or about to be. */
  get bytes(): number {
    return this.#disk.fileBytes + this.#disk.pendingBytes;
  }

  /** In memory, about to be written. */
  get pendingBytes(): number {
    return this.#disk.pendingBytes;
  }

  /** Of the oldest unit that is not back in memory; undefined when there is none. */
  get oldestCapturedAtMs(): number | undefined {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { oldestSpooledAtMs } of this.#backlogs.values()) {
      oldest = Math.min(oldest, oldestSpooledAtMs);
    }
    return Number.isFinite(oldest) ? oldest : undefined;
  }

  hasBacklog(partitionKey: string): boolean {
    // Asked for every unit: the size check spares the look-up while the spool is empty, which is nearly always.
    return this.#backlogs.size > 0 && this.#backlogs.get(partitionKey)?.isAhead === true;
  }

  /** Takes a unit behind all others of its key, or drops it. */
  append(unit: Unit, nowMs: number): void {
    const bytes = frameBytes(unit);
    if (!this.#makeRoom(unit.class, bytes)) {
      this.#dropped(unit, 'spool_full');
    } else if (!this.#makePendingRoom(unit.class, bytes)) {
      this.#dropped(unit, 'buffer_full');
    } else {
      this.#backlog(unit.partitionKey).push(unit, nowMs);
    }
  }

  /** Starts to write what has waited long enough; to be called every few milliseconds. */
  write(nowMs: number): void {
    const mayWrite = this.#disk.mayWrite(nowMs);
    for (const backlog of this.#backlogs.values()) {
      if (backlog.isEmpty) this.#backlogs.delete(backlog.partitionKey);
      else if (mayWrite) backlog.write(nowMs);
    }
  }

  /**
   * Reads the next units of a key, in order. `deliver` gets them in the same synchronous step in which they leave the
   * spool: a unit put between the two would overtake them. One load per key at a time; further ones are ignored.
   */
  load(partitionKey: string, deliver: (units: readonly Unit[]) => void): void {
    if (this.#isFrozen) return;
    this.#backlogs.get(partitionKey)?.load((units) => {
      if (!this.#isFrozen) deliver(units);
    });
  }

  /** A unit is written or dropped. Its file is removed when all its units are. */
  done(unit: Unit): void {
    if (!(unit instanceof SpooledUnit) || this.#isKept(unit.segment)) return;
    this.#backlogs.get(unit.partitionKey)?.done(unit.segment);
  }

  /** Drops all units of some keys. @param unitClass units of this class alone */
  drop(selects: (partitionKey: string) => boolean, cause: DropCause, unitClass?: UnitClass): void {
    for (const backlog of [...this.#backlogs.values()]) {
      if (!selects(backlog.partitionKey)) continue;
      backlog.drop(cause, (segment) => this.#isKept(segment), unitClass);
    }
  }

  /** Drops everything but what an earlier process left, which stays on the disk for the next process. */
  dropOwn(cause: DropCause): void {
    this.#isFrozen = true;
    this.drop(() => true, cause);
  }

  /** When the disk has done all it was asked for. */
  idle(): Promise<void> {
    return this.#disk.idle();
  }

  #isKept(segment: SpoolSegment): boolean {
    return this.#isFrozen && segment.isRecovered;
  }

  #backlog(partitionKey: string): KeyBacklog {
    const known = this.#backlogs.get(partitionKey);
    if (known) return known;
    const dropped: UnitDropped = (unit, cause) => this.#dropped(unit, cause);
    const backlog = new KeyBacklog(partitionKey, this.#disk, dropped);
    this.#backlogs.set(partitionKey, backlog);
    return backlog;
  }

  /** Drops units on the disk and in tails until `bytes` more fit. @returns false when all that is left is dearer */
  #makeRoom(incoming: UnitClass, bytes: number): boolean {
    if (bytes > this.#maxBytes) return false;
    while (this.bytes + bytes > this.#maxBytes) {
      const drop = chooseDrop(this.#holders(), incoming);
      if (!drop) return false;
      const { holder, unitClass } = drop;
      if (holder instanceof KeyBacklog) holder.dropTail('spool_full', unitClass);
      else {
        this.#backlog(holder.partitionKey).dropSegment(holder, 'spool_full', unitClass);
      }
    }
    return true;
  }

  /** Drops units in tails until memory has room for `bytes` more. @returns as `#makeRoom` */
  #makePendingRoom(incoming: UnitClass, bytes: number): boolean {
    while (this.pendingBytes > 0 && this.pendingBytes + bytes > PENDING_BYTES) {
      const drop = chooseDrop(this.#backlogs.values(), incoming);
      if (!drop) return false;
      drop.holder.dropTail('buffer_full', drop.unitClass);
    }
    return true;
  }

  *#holders(): Iterable<(SpoolSegment | KeyBacklog) & UnitHolder> {
    for (const backlog of this.#backlogs.values()) {
      yield* backlog.segments;
      yield backlog;
    }
  }
}
