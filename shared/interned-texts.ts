/** Ids and names, which repeat, are shorter. */
const MAX_BYTES = 128;
/** A power of two. With more speakers than this, some texts are decoded again. */
const SLOTS = 256;

interface KnownText {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * Texts that were decoded before, found again by their bytes. Ids and names repeat from record to record, and comparing
 * bytes is cheaper than decoding them. Holds at most 256 texts of 128 bytes.
 */
export class InternedTexts {
  readonly #slots: (KnownText | undefined)[] = new Array(SLOTS).fill(undefined);

  /** The UTF-8 text in `bytes[start, end)`. Invalid bytes become U+FFFD. */
  read(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return '';
    if (length > MAX_BYTES) return bytes.toString('utf8', start, end);
    const slot = slotOf(bytes, start, end);
    const known = this.#slots[slot];
    if (known !== undefined && isEqual(known.bytes, bytes, start, length)) return known.text;
    const text = bytes.toString('utf8', start, end);
    // A copy: a view would keep the whole Kinesis record in memory, which may be megabytes.
    this.#slots[slot] = { bytes: Uint8Array.from(bytes.subarray(start, end)), text };
    return text;
  }
}

/** By length and three bytes, which tells most names of one meeting apart. */
function slotOf(bytes: Buffer, start: number, end: number): number {
  const first = bytes[start] as number;
  const middle = bytes[(start + end) >>> 1] as number;
  const last = bytes[end - 1] as number;
  return (first + 7 * middle + 31 * last + 61 * (end - start)) & (SLOTS - 1);
}

function isEqual(known: Uint8Array, bytes: Buffer, start: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (known[index] !== bytes[start + index]) return false;
  }
  return true;
}
