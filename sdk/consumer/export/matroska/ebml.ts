/**
 * Builders of EBML elements: bytes in, bytes out.
 *
 * @see RFC 8794 (EBML), RFC 9559 (Matroska)
 */

/** An element: its id, its size, its body. @param id with its length marker, as the specifications print it */
export function ebml(id: number, ...parts: readonly Uint8Array[]): Buffer {
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([elementHead(id, bytes), ...parts]);
}

/** What stands before the body of an element. @param bytes of its body */
export function elementHead(id: number, bytes: number): Buffer {
  return Buffer.concat([wholeBytes(id), variable(bytes)]);
}

export function uint(id: number, value: number): Buffer {
  return ebml(id, wholeBytes(value));
}

export function float(id: number, value: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeDoubleBE(value);
  return ebml(id, body);
}

export function utf8(id: number, value: string): Buffer {
  return ebml(id, Buffer.from(value));
}

/** Nanoseconds between 2001, where the dates of EBML begin, and a Unix time, ms. */
export function date(id: number, unixMs: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeBigInt64BE((BigInt(Math.round(unixMs)) - 978_307_200_000n) * 1_000_000n);
  return ebml(id, body);
}

/** An element of an exact size, without meaning. @param bytes of all of it, 2 or more */
export function nothing(bytes: number): Buffer {
  const size = bytes < 9 ? variable(bytes - 2) : variable8(bytes - 9);
  return Buffer.concat([Buffer.from([0xec]), size, Buffer.alloc(bytes - 1 - size.length)]);
}

/** A number whose first byte says how long it is, in as few bytes as it takes. */
export function variable(value: number): Buffer {
  let length = 1;
  // The largest number of each length means "unknown".
  while (value >= 2 ** (7 * length) - 1) length += 1;
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value) | (1n << BigInt(7 * length)));
  return out.subarray(8 - length);
}

/** A number of eight bytes, which can be written over another one. */
export function variable8(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value) | (1n << 56n));
  return out;
}

function wholeBytes(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(Math.round(value)));
  const first = out.findIndex((byte) => byte !== 0);
  return out.subarray(first === -1 ? 7 : first);
}
