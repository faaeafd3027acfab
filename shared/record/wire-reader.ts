import { malformedRecord, WIRE_TYPE } from './protobuf.ts';

const MAX_VARINT_BYTES = 10;
const MAX_GROUP_DEPTH = 32;

/** Reads one message from `bytes[offset, end)`. Everything throws `record/malformed` rather than read past `end`. */
export class WireReader {
  readonly bytes: Buffer;
  offset: number;
  readonly end: number;

  constructor(bytes: Buffer, offset = 0, end = bytes.length) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  get done(): boolean {
    return this.offset >= this.end;
  }

  /** A field's key: `number << 3 | wire type`. */
  key(): number {
    const key = this.varint();
    if (key < 8 || key > 0xffffffff) throw malformedRecord('field number out of range');
    return key;
  }

  /** Inexact above 2^53, which callers refuse anyway. Non-minimal forms of up to ten bytes are legal. */
  varint(): number {
    const first = this.#byte();
    return first < 0x80 ? first : this.#rest(first);
  }

  /** Apart from `varint`, which stays small enough for V8 to inline it everywhere. */
  #rest(first: number): number {
    // Four bytes fill 28 bits: up to there integers do, beyond them numbers of a million years still fit.
    let low = first & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low;
    }
    let high = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      high |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low + high * 2 ** 28;
    }
    let value = low + high * 2 ** 28;
    for (let scale = 2 ** 56, size = 9; size <= MAX_VARINT_BYTES; scale *= 0x80, size++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw malformedRecord('varint longer than ten bytes');
  }

  #byte(): number {
    if (this.offset >= this.end) throw malformedRecord('message ends inside a varint');
    return this.bytes[this.offset++] as number;
  }

  /** Steps over a length-delimited field and returns where its content starts; it ends at `this.offset`. */
  skipBytes(): number {
    const length = this.varint();
    const start = this.offset;
    if (length > this.end - start) throw malformedRecord('field longer than its message');
    this.offset = start + length;
    return start;
  }

  /** Invalid UTF-8 becomes U+FFFD, as in proto2 readers. */
  text(): string {
    const start = this.skipBytes();
    return this.bytes.toString('utf8', start, this.offset);
  }

  fixed32(): number {
    if (this.end - this.offset < 4) throw malformedRecord('message ends inside a fixed32');
    this.offset += 4;
    return this.bytes.readUInt32LE(this.offset - 4);
  }

  /** Steps over a field that this version does not know. */
  skip(key: number, depth = 0): void {
    switch (key & 7) {
      case WIRE_TYPE.VARINT:
        this.varint();
        return;
      case WIRE_TYPE.FIXED64:
        this.fixed32();
        this.fixed32();
        return;
      case WIRE_TYPE.BYTES:
        this.skipBytes();
        return;
      case WIRE_TYPE.FIXED32:
        this.fixed32();
        return;
      case WIRE_TYPE.GROUP:
        this.#skipGroup(key, depth);
        return;
      default:
        throw malformedRecord('wire type out of place');
    }
  }

  #skipGroup(key: number, depth: number): void {
    if (depth >= MAX_GROUP_DEPTH) throw malformedRecord('groups nested too deep');
    const endKey = key + (WIRE_TYPE.GROUP_END - WIRE_TYPE.GROUP);
    for (let next = this.key(); next !== endKey; next = this.key()) this.skip(next, depth + 1);
  }
}
