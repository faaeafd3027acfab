import { ClassBytes, type DropCause, type Unit, type UnitClass } from '../unit.ts';
import type { SpoolDisk } from './disk.ts';
import type { SpoolSegment } from './segment.ts';
import { appendUnits, mayPass, readFrames, rewriteSegment } from './segment-files.ts';
import { frameBytes, type SpoolFrame } from './segment-format.ts';

/** A tail is written when it is this long or this old. Larger and fewer writes cost less; a crash loses the tail. */
const WRITE_BYTES = 64 * 1024;
const WRITE_AFTER_MS = 250;

export type UnitDropped = (unit: Unit, cause: DropCause) => void;

/**
 * What one partition key has outside its lane, in order: loaded segments, segments on the disk, and a tail
 * of units that wait to be written there.
 */
export class KeyBacklog {
  readonly partitionKey: string;
  readonly #disk: SpoolDisk;
  readonly #dropped: UnitDropped;
  readonly #segments: SpoolSegment[];
  #tail: Unit[] = [];
  readonly #tailBytes = new ClassBytes();
  #tailSinceMs = 0;
  /** A write of the tail is under way or queued. */
  #isWriting = false;
  /** A read of the next segment is under way or queued. */
  #isLoading = false;
  /** Set when the units that the disk is busy with were dropped meanwhile. */
  #droppedFor: DropCause | undefined;

  constructor(partitionKey: string, disk: SpoolDisk, dropped: UnitDropped) {
    this.partitionKey = partitionKey;
    this.#disk = disk;
    this.#dropped = dropped;
    this.#segments = [];
  }

  get segments(): readonly SpoolSegment[] {
    return this.#segments;
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0 && this.#tail.length === 0;
  }

  /** Is anything here that has to go back to the lane before a new unit may? */
  get isAhead(): boolean {
    return this.#tail.length > 0 || this.#nextToLoad !== undefined;
  }

  /** When the oldest unit of the tail was captured, by Zoom's clock, Unix ms; Infinity when the tail is empty. */
  get oldestAtMs(): number {
    return this.#tail[0]?.capturedAtMs ?? Number.POSITIVE_INFINITY;
  }

  /** The same of everything that is not in memory again, segments included. */
  get oldestSpooledAtMs(): number {
    return (this.#nextToLoad ?? this).oldestAtMs;
  }

  get #nextToLoad(): SpoolSegment | undefined {
    const isNext = ({ state, isRecovered }: SpoolSegment) =>
      state !== 'loaded' && !(isRecovered && this.#disk.passesOver);
    return this.#segments.find(isNext);
  }

  /** Bytes of one class in the tail. */
  droppableBytes(unitClass: UnitClass): number {
    return this.#tailBytes.of(unitClass);
  }

  recover(segment: SpoolSegment): void {
    this.#segments.push(segment);
    this.#disk.addFileBytes(segment.bytes);
  }

  push(unit: Unit, nowMs: number): void {
    if (this.#tail.length === 0) this.#tailSinceMs = nowMs;
    this.#tail.push(unit);
    this.#tailBytes.add(unit.class, frameBytes(unit));
    this.#disk.addPendingBytes(frameBytes(unit));
  }

  /** Starts to write the tail if it has waited long enough. */
  write(nowMs: number): void {
    if (this.#isWriting || this.#tail.length === 0) return;
    if (this.#tailBytes.total < WRITE_BYTES && nowMs - this.#tailSinceMs < WRITE_AFTER_MS) return;
    this.#isWriting = true;
    this.#disk.enqueue(() => this.#writeTail());
  }

  /** Reads the next units; ignored while a read is under way. See `Spool.load`. */
  load(deliver: (units: readonly Unit[]) => void): void {
    if (this.#isLoading || (this.#nextToLoad && !this.#disk.mayRead())) return;
    this.#isLoading = true;
    this.#disk.enqueue(() => this.#loadNext(deliver));
  }

  /** One unit of a loaded segment is written or dropped. */
  done(segment: SpoolSegment): void {
    segment.countDone();
    if (segment.units === 0) this.#remove(segment);
  }

  /**
   * Drops all that is not back in memory.
   *
   * @param isKept segments that stay
   * @param unitClass units of this class alone, save those the disk is busy with
   */
  drop(cause: DropCause, isKept: (segment: SpoolSegment) => boolean, unitClass?: UnitClass): void {
    for (const segment of [...this.#segments]) {
      if (segment.state === 'loaded' || isKept(segment)) continue;
      if (segment.state !== 'busy') this.dropSegment(segment, cause, unitClass);
      else if (unitClass === undefined) this.#droppedFor = cause;
    }
    this.dropTail(cause, unitClass);
  }

  /** Drops the units of one class, or all, without reading them. */
  dropSegment(segment: SpoolSegment, cause: DropCause, unitClass?: UnitClass): void {
    const bytesBefore = segment.bytes;
    const units = segment.drop(unitClass);
    this.#disk.addFileBytes(segment.bytes - bytesBefore);
    if (segment.units === 0) this.#remove(segment);
    else this.#disk.enqueue(() => this.#rewrite(segment));
    for (const unit of units) this.#dropped(unit, cause);
  }

  dropTail(cause: DropCause, unitClass?: UnitClass): void {
    const units = this.#removeFromTail(unitClass);
    for (const unit of units) this.#dropped(unit, cause);
  }

  async #writeTail(): Promise<void> {
    while (this.#tail.length > 0) {
      const segment = this.#openSegment();
      const batch = this.#nextBatch(this.#disk.segmentBytes - segment.bytes);
      const bytesBefore = segment.bytes;
      segment.state = 'busy';
      try {
        await appendUnits(segment, batch);
      } catch (error) {
        this.#disk.failed('append', error);
        this.#appendFailed(segment, batch);
        break;
      }
      this.#disk.addFileBytes(segment.bytes - bytesBefore);
      this.#disk.addPendingBytes(bytesBefore - segment.bytes);
      const isGone = this.#leave(segment);
      if (!isGone && segment.bytes < this.#disk.segmentBytes) segment.state = 'open';
    }
    this.#isWriting = false;
  }

  /** Appends nothing more to a file that may end in half a frame now: whatever followed could not be read. */
  #appendFailed(segment: SpoolSegment, batch: readonly Unit[]): void {
    const cause = this.#droppedFor;
    this.#leave(segment);
    if (cause === undefined) {
      this.#tail = [...batch, ...this.#tail];
      for (const unit of batch) this.#tailBytes.add(unit.class, frameBytes(unit));
      return;
    }
    for (const unit of batch) this.#disk.addPendingBytes(-frameBytes(unit));
    for (const unit of batch) this.#dropped(unit, cause);
  }

  async #loadNext(deliver: (units: readonly Unit[]) => void): Promise<void> {
    const segment = this.#nextToLoad;
    if (!segment) {
      // Only the tail is left, which need not go through the disk any more.
      this.#isLoading = false;
      deliver(this.#removeFromTail());
      return;
    }
    segment.state = 'busy';
    let frames: readonly SpoolFrame[] = [];
    let failure: unknown;
    try {
      frames = await readFrames(segment);
      this.#disk.hasRead();
    } catch (error) {
      this.#disk.failed('read', error);
      failure = error;
    }
    this.#isLoading = false;
    if (this.#leave(segment)) return;
    if (failure !== undefined && this.#disk.readsAgain(segment, failure)) return;
    const { units, missing } = segment.load(frames, this.#disk.markRecovered);
    segment.state = 'loaded';
    if (units.length === 0) this.#removeUnread(segment, failure);
    deliver(units);
    if (missing.length > 0) this.#disk.lost(missing.length);
    for (const unit of missing) this.#dropped(unit, 'write_failed');
  }

  /** Frees the disk space of dropped units. */
  async #rewrite(segment: SpoolSegment): Promise<void> {
    if (segment.state !== 'closed' || segment.fileBytes === segment.bytes) return;
    segment.state = 'busy';
    await rewriteSegment(segment).catch((error) => this.#disk.failed('rewrite', error));
    this.#leave(segment);
  }

  /** The disk has finished with a segment, and what was dropped meanwhile is dropped now. @returns whether it is gone */
  #leave(segment: SpoolSegment): boolean {
    segment.state = 'closed';
    const cause = this.#droppedFor;
    this.#droppedFor = undefined;
    if (cause) this.dropSegment(segment, cause);
    else if (segment.units === 0) this.#remove(segment);
    return segment.state !== 'closed';
  }

  #openSegment(): SpoolSegment {
    const last = this.#segments.at(-1);
    if (last?.state === 'open') return last;
    const segment = this.#disk.create(this.partitionKey);
    this.#segments.push(segment);
    return segment;
  }

  /**
   * Nothing of a segment could be read. A file of an earlier process that the disk refuses stays for the next one: nobody is
   * told of its units, so nobody would miss them.
   */
  #removeUnread(segment: SpoolSegment, failure: unknown): void {
    if (!segment.isRecovered || !mayPass(failure)) {
      this.#remove(segment);
      return;
    }
    this.#segments.splice(this.#segments.indexOf(segment), 1);
    this.#disk.leave(segment);
  }

  #remove(segment: SpoolSegment): void {
    this.#segments.splice(this.#segments.indexOf(segment), 1);
    this.#disk.remove(segment);
  }

  /** Takes units from the front of the tail: at least one, and as many as fit into `bytes` of a file. */
  #nextBatch(bytes: number): Unit[] {
    let count = 0;
    let size = 0;
    for (const unit of this.#tail) {
      const grown = size + frameBytes(unit);
      if (count > 0 && grown > bytes) break;
      size = grown;
      count += 1;
    }
    const batch = this.#tail.splice(0, count);
    for (const unit of batch) this.#tailBytes.add(unit.class, -frameBytes(unit));
    return batch;
  }

  /** Takes all units of one class, or all, out of the tail. */
  #removeFromTail(unitClass?: UnitClass): Unit[] {
    const removed: Unit[] = [];
    const left: Unit[] = [];
    for (const unit of this.#tail) {
      const isRemoved = unitClass === undefined || unit.class === unitClass;
      (isRemoved ? removed : left).push(unit);
    }
    this.#tail = left;
    for (const unit of removed) {
      this.#tailBytes.add(unit.class, -frameBytes(unit));
      this.#disk.addPendingBytes(-frameBytes(unit));
    }
    return removed;
  }
}
