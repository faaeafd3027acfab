import type { Sparkline } from '../views.ts';

const STEPS = 90;
export const STEP_MS = 10_000;
/** PutRecords is charged by chunks of this size, bytes. */
const UNIT_BYTES = 25_000;
/** The rates are of the last whole seconds of arrival. */
const RATE_MS = 10_000;

interface Bucket {
  step: number;
  bytes: number;
  records: number;
  units: number;
}

/**
 * Counts what arrived in one stream, by the time at which Kinesis took it in, so that a reader that is late or was idle
 * draws the same curve as one that was not.
 */
export class Traffic {
  readonly #buckets: Bucket[] = [];
  /** Arrival of the oldest and newest record, for the rates; by second. */
  readonly #seconds = new Map<number, Bucket>();
  #newestMs = 0;

  record(bytes: number, arrivedAtMs: number): void {
    this.#newestMs = Math.max(this.#newestMs, arrivedAtMs);
    add(this.#bucketOf(Math.floor(arrivedAtMs / STEP_MS)), bytes);
    const second = Math.floor(arrivedAtMs / 1_000);
    const own = this.#seconds.get(second) ?? { step: second, bytes: 0, records: 0, units: 0 };
    this.#seconds.set(second, own);
    add(own, bytes);
    for (const old of this.#seconds.keys()) {
      if (old < this.#newestMs / 1_000 - 60) this.#seconds.delete(old);
    }
  }

  /** A second, over the last ten seconds. */
  rates(nowMs: number): {
    bytesPerSecond: number;
    recordsPerSecond: number;
    unitsPerSecond: number;
  } {
    // The second that runs is not whole, and its records may not have been read.
    const to = Math.floor(nowMs / 1_000) - 1;
    const from = to - RATE_MS / 1_000;
    const sums = { bytes: 0, records: 0, units: 0 };
    for (const [second, { bytes, records, units }] of this.#seconds) {
      if (second <= from || second > to) continue;
      sums.bytes += bytes;
      sums.records += records;
      sums.units += units;
    }
    const each = 1_000 / RATE_MS;
    return {
      bytesPerSecond: sums.bytes * each,
      recordsPerSecond: sums.records * each,
      unitsPerSecond: sums.units * each,
    };
  }

  /** Bytes a second of the last 15 minutes. */
  sparkline(name: string, nowMs: number, sinceMs: number): Sparkline {
    const last = Math.floor(nowMs / STEP_MS) - 1;
    const byStep = new Map(this.#buckets.map((bucket) => [bucket.step, bucket.bytes]));
    const values = Array.from({ length: STEPS }, (_, index) => {
      const step = last - STEPS + 1 + index;
      if ((step + 1) * STEP_MS <= sinceMs) return null;
      return Math.round((byStep.get(step) ?? 0) / (STEP_MS / 1_000));
    });
    return { name, unit: 'B/s', values };
  }

  #bucketOf(step: number): Bucket {
    const known = this.#buckets.findLast((bucket) => bucket.step === step);
    if (known !== undefined) return known;
    const bucket = { step, bytes: 0, records: 0, units: 0 };
    this.#buckets.push(bucket);
    this.#buckets.sort((a, b) => a.step - b.step);
    if (this.#buckets.length > STEPS + 10) this.#buckets.shift();
    return bucket;
  }
}

function add(bucket: Bucket, bytes: number): void {
  bucket.bytes += bytes;
  bucket.records += 1;
  bucket.units += Math.ceil(bytes / UNIT_BYTES);
}

/** A value that is looked at again and again, kept for a sparkline: the last one of each step. */
export class Gauge {
  readonly #name: string;
  readonly #unit: string;
  readonly #values = new Map<number, number>();

  constructor(name: string, unit: string) {
    this.#name = name;
    this.#unit = unit;
  }

  set(value: number, nowMs: number): void {
    const step = Math.floor(nowMs / STEP_MS);
    this.#values.set(step, value);
    for (const old of this.#values.keys()) if (old <= step - STEPS) this.#values.delete(old);
  }

  sparkline(nowMs: number): Sparkline {
    const last = Math.floor(nowMs / STEP_MS);
    const values = Array.from(
      { length: STEPS },
      (_, index) => this.#values.get(last - STEPS + 1 + index) ?? null,
    );
    return { name: this.#name, unit: this.#unit, values };
  }
}
