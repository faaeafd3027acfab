/** CBOR as it stands in the bodies of PutRecords calls and their answers (RFC 8949). Bodies are read and written apart from the runner's own code. */
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const ANY_LENGTH = 31;
const END = 0xff;

/** Reads the items that a PutRecords call has: maps, arrays, texts, bytes, and nothing else. */
class BodyReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** @throws Error for anything else */
  item(): unknown {
    const { type, length } = this.#head();
    switch (type) {
      case BYTES:
        return this.#take(length);
      case TEXT:
        return this.#take(length).toString();
      case ARRAY: {
        const items: unknown[] = [];
        while (this.#hasMore(items.length, length)) items.push(this.item());
        return items;
      }
      case MAP: {
        const members: Record<string, unknown> = {};
        for (let count = 0; this.#hasMore(count, length); count++) {
          const name = this.item();
          if (typeof name !== 'string') throw new Error('a member whose name is no text');
          members[name] = this.item();
        }
        return members;
      }
      default:
        throw new Error(`CBOR of type ${type} in a call`);
    }
  }

  #head(): { type: number; length: number } {
    const first = this.#bytes[this.#at++];
    if (first === undefined) throw new Error('CBOR that breaks off');
    const [type, short] = [first >> 5, first & 31];
    if (short < 24) return { type, length: short };
    if (short === ANY_LENGTH && (type === ARRAY || type === MAP)) return { type, length: -1 };
    const size = 2 ** (short - 24);
    if (size > 4) throw new Error('a length that no body has');
    const length = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return { type, length };
  }

  /** @param length -1: up to the end mark */
  #hasMore(count: number, length: number): boolean {
    if (length >= 0) return count < length;
    if (this.#bytes[this.#at] !== END) return true;
    this.#at += 1;
    return false;
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new Error('CBOR that breaks off');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

/**
 * The members of a call in CBOR. Bytes lie in the memory of the body.
 *
 * @throws Error when it is none
 */
export function readCborBody(body: Buffer): Record<string, unknown> {
  const reader = new BodyReader(body);
  const value = reader.item();
  if (typeof value !== 'object' || value === null || !reader.isAtEnd) {
    throw new Error('the body of a call is one map');
  }
  return value as Record<string, unknown>;
}

const MAX_HEAD_BYTES = 5;

/** An answer in CBOR: maps, arrays, texts and whole numbers. Members that are undefined are left out. */
export function writeCborAnswer(answer: object): Buffer {
  const out = Buffer.allocUnsafe(mostBytes(answer));
  return out.subarray(0, write(out, 0, answer));
}

function mostBytes(value: unknown): number {
  if (typeof value === 'string') return MAX_HEAD_BYTES + 3 * value.length;
  if (typeof value !== 'object' || value === null) return MAX_HEAD_BYTES;
  let sum = MAX_HEAD_BYTES;
  if (Array.isArray(value)) for (const one of value) sum += mostBytes(one);
  else {
    for (const name in value) {
      sum += mostBytes(name) + mostBytes((value as Record<string, unknown>)[name]);
    }
  }
  return sum;
}

function write(out: Buffer, start: number, value: unknown): number {
  if (typeof value === 'number') return head(out, start, 0, value);
  if (typeof value === 'string') {
    const at = head(out, start, TEXT, Buffer.byteLength(value));
    return at + out.write(value, at);
  }
  if (Array.isArray(value)) {
    let at = head(out, start, ARRAY, value.length);
    for (const one of value) at = write(out, at, one);
    return at;
  }
  if (typeof value !== 'object' || value === null) throw new Error(`${value} in an answer`);
  const members = value as Record<string, unknown>;
  let count = 0;
  for (const name in members) if (members[name] !== undefined) count += 1;
  let at = head(out, start, MAP, count);
  for (const name in members) {
    const member = members[name];
    if (member === undefined) continue;
    at = write(out, at, name);
    at = write(out, at, member);
  }
  return at;
}

function head(out: Buffer, at: number, type: number, length: number): number {
  if (length < 24) {
    out[at] = (type << 5) | length;
    return at + 1;
  }
  if (length < 0x100) {
    out[at] = (type << 5) | 24;
    out[at + 1] = length;
    return at + 2;
  }
  if (length < 0x10000) {
    out[at] = (type << 5) | 25;
    return out.writeUInt16BE(length, at + 1);
  }
  out[at] = (type << 5) | 26;
  return out.writeUInt32BE(length, at + 1);
}
