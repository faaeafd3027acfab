import type { Producer } from '../../runner/kinesis/producer.ts';
import type { Receipt, Unit, UnitClass } from '../../runner/kinesis/unit.ts';
import { putUnits } from '../../shared/kinesis-rules.ts';

/** What one source sends, at Zoom's own pace and size. */
interface SourceShape {
  readonly partitionKey: string;
  readonly class: UnitClass;
  readonly intervalMs: number;
  /** Bytes of the source's record number n, from 1. */
  readonly sizeOf: (sequence: number) => number;
}

/** Mixed L16 audio, 16 kHz, 20 ms a frame, with its record header. */
export const audio = (partitionKey: string): SourceShape => ({
  partitionKey,
  class: 'audio',
  intervalMs: 20,
  sizeOf: () => 740,
});

/** 720p H.264, 25 frames a second, 1.25 Mb/s, a key frame every two seconds. */
export const video = (partitionKey: string): SourceShape => ({
  partitionKey,
  class: 'video',
  intervalMs: 40,
  sizeOf: (sequence) => (sequence % 50 === 1 ? 60_000 : 5_200),
});

/** One transcript line or event a second. */
export const lines = (partitionKey: string): SourceShape => ({
  partitionKey,
  class: 'event',
  intervalMs: 1_000,
  sizeOf: () => 400,
});

/** One source, what it has sent, and what became of it: the ledger of a run. */
export class Source implements Receipt {
  readonly shape: SourceShape;
  sent = 0;
  sentBytes = 0;
  /** PUT payload units that one record per frame would have cost. */
  frameUnits = 0;
  writtenUnits = 0;
  writtenBytes = 0;
  readonly droppedSequences = new Set<number>();
  /** From put to receipt, ms, since this was last emptied. */
  latencies: number[] = [];
  readonly #producer: Producer;
  readonly #startedAtMs: number;

  constructor(shape: SourceShape, producer: Producer, startedAtMs: number) {
    this.shape = shape;
    this.#producer = producer;
    this.#startedAtMs = startedAtMs;
  }

  get unacknowledged(): number {
    return this.sent - this.writtenUnits - this.droppedSequences.size;
  }

  /** Media bytes a second while all is well. */
  get liveBytesPerSecond(): number {
    return this.sentBytes / (this.sent * this.shape.intervalMs * 0.001);
  }

  /** Puts every frame that is due. */
  run(nowMs: number): void {
    const { partitionKey, intervalMs, sizeOf } = this.shape;
    while (this.#startedAtMs + this.sent * intervalMs <= nowMs) {
      this.sent += 1;
      const record = Buffer.alloc(sizeOf(this.sent));
      record.write(`${this.sent};`);
      // Lines share a Kinesis record, told apart by their newlines; a frame has no other byte than zero.
      record.write('\n', record.length - 1);
      this.sentBytes += record.length;
      this.frameUnits += putUnits(record.length + Buffer.byteLength(partitionKey));
      this.#producer.put({
        partitionKey,
        class: this.shape.class,
        records: [record],
        sequence: this.sent,
        capturedAtMs: Date.now(),
        payloadBytes: record.length,
        receipt: this,
      });
    }
  }

  written(unit: Unit): void {
    this.writtenUnits += 1;
    this.writtenBytes += unit.payloadBytes;
    this.latencies.push(Date.now() - unit.capturedAtMs);
  }

  dropped(unit: Unit): void {
    this.droppedSequences.add(unit.sequence);
  }
}
