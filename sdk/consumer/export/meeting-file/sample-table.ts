import { box, fullBox, u32, u64 } from './mp4-boxes.ts';

/** Numbers that are appended one by one, four bytes each: a meeting of three hours has 500,000 samples. */
class Numbers {
  length = 0;
  #values = new Uint32Array(1024);

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Uint32Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  /** Adds to the last number. */
  addToLast(value: number): void {
    this.#values[this.length - 1] = this.last + value;
  }

  get last(): number {
    return this.#values[this.length - 1] ?? 0;
  }

  get bytes(): Buffer {
    return Buffer.from(this.#values.buffer, 0, this.length * 4);
  }

  at(index: number): number {
    return this.#values[index] as number;
  }

  /** Big-endian, as files have them. */
  toBytes(): Buffer {
    return Buffer.from(this.bytes).swap32();
  }
}

/** One sample of a track: a picture, a packet of sound, a line of text. */
export interface Mp4Sample {
  readonly data: Uint8Array;
  /** In the units of the track. */
  readonly duration: number;
  /** Whether decoding can begin here. */
  readonly isKey: boolean;
  /** The sample entry box (`avc1`, `mp4a`, ...) that tells how to decode it. */
  readonly entry: Buffer;
}

/** The tables of one track: which sample is where, how long it lasts, and how it is decoded. */
export class SampleTable {
  /** The sum of all durations. */
  duration = 0;
  readonly #sizes = new Numbers();
  readonly #runLengths = new Numbers();
  readonly #runDurations = new Numbers();
  readonly #keys = new Numbers();
  readonly #chunkOffsets: number[] = [];
  readonly #chunkSizes = new Numbers();
  readonly #chunkEntries = new Numbers();
  readonly #entries: Buffer[] = [];
  #endsAt = -1;

  get length(): number {
    return this.#sizes.length;
  }

  /** @param offset where the sample's bytes begin in the file */
  add({ data, duration, isKey, entry }: Mp4Sample, offset: number): void {
    this.#sizes.push(data.length);
    if (this.#runLengths.length > 0 && this.#runDurations.last === duration) {
      this.#runLengths.addToLast(1);
    } else {
      this.#runLengths.push(1);
      this.#runDurations.push(duration);
    }
    this.duration += duration;
    if (isKey) this.#keys.push(this.#sizes.length);
    const index = this.#entryOf(entry);
    if (offset === this.#endsAt && this.#chunkEntries.last === index) this.#chunkSizes.addToLast(1);
    else {
      this.#chunkOffsets.push(offset);
      this.#chunkSizes.push(1);
      this.#chunkEntries.push(index);
    }
    this.#endsAt = offset + data.length;
  }

  /** @returns the `stbl` box */
  toBox(): Buffer {
    // Joined before they are handed on: a call cannot have the 100,000 arguments that three hours would make.
    const runs: Buffer[] = [];
    for (let i = 0; i < this.#runLengths.length; i++)
      runs.push(u32(this.#runLengths.at(i), this.#runDurations.at(i)));
    const offsets = this.#chunkOffsets.map(u64);
    const isAllKeys = this.#keys.length === this.#sizes.length;
    return box(
      'stbl',
      fullBox('stsd', 0, 0, u32(this.#entries.length), ...this.#entries),
      fullBox('stts', 0, 0, u32(runs.length), Buffer.concat(runs)),
      ...(isAllKeys ? [] : [fullBox('stss', 0, 0, u32(this.#keys.length), this.#keys.toBytes())]),
      this.#chunkRuns(),
      fullBox('stsz', 0, 0, u32(0, this.#sizes.length), this.#sizes.toBytes()),
      fullBox('co64', 0, 0, u32(offsets.length), Buffer.concat(offsets)),
    );
  }

  /** Chunks in a row that have the same number of samples and the same entry share one row. */
  #chunkRuns(): Buffer {
    const rows: Buffer[] = [];
    for (let i = 0; i < this.#chunkSizes.length; i++) {
      const [size, entry] = [this.#chunkSizes.at(i), this.#chunkEntries.at(i)];
      const isSame =
        i > 0 && size === this.#chunkSizes.at(i - 1) && entry === this.#chunkEntries.at(i - 1);
      if (!isSame) rows.push(u32(i + 1, size, entry));
    }
    return fullBox('stsc', 0, 0, u32(rows.length), Buffer.concat(rows));
  }

  /** @returns the number of an entry, from 1 */
  #entryOf(entry: Buffer): number {
    const known = this.#entries.findLastIndex((each) => each === entry || each.equals(entry));
    if (known !== -1) return known + 1;
    this.#entries.push(entry);
    return this.#entries.length;
  }
}
