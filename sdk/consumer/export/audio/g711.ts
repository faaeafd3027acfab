/** A-law: bits are sent inverted at every other place; 3 bits of exponent, 4 of mantissa. @see ITU-T G.711, table 1a */
function expand(code: number): number {
  const bits = code ^ 0x55;
  const mantissa = (bits & 0x0f) << 4;
  const exponent = (bits & 0x70) >> 4;
  const magnitude = exponent === 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

const ALAW = Int16Array.from({ length: 256 }, (_, code) => expand(code));

/** Decodes G.711 A-law, which Zoom calls G711, to 16-bit little-endian samples. */
export function decodeAlaw(payload: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(payload.length * 2);
  for (let i = 0; i < payload.length; i++) {
    out.writeInt16LE(ALAW[payload[i] as number] as number, i * 2);
  }
  return out;
}
