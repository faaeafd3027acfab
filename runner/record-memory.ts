const MIN_BYTES = 256;
const MAX_BYTES = 16 * 1024;
/** Memory of one size that is kept for the next records. */
const MAX_SPARE_BYTES = 8 * 1024 * 1024;

/** Spare memory by size, powers of two. */
const spare = new Map<number, Uint8Array[]>();

/**
 * Memory for one record, to be given back with `releaseRecord`.
 *
 * Records live a fifth of a second, just long enough for V8 to take them for old: what they leave behind would
 * be collected every few seconds, tens of megabytes at a time (`docs/performance.md`).
 */
export function allocateRecord(sizeBytes: number): Buffer {
  if (sizeBytes > MAX_BYTES) return Buffer.allocUnsafeSlow(sizeBytes);
  const memoryBytes = memoryFor(sizeBytes);
  const memory = spare.get(memoryBytes)?.pop();
  return memory === undefined
    ? Buffer.allocUnsafeSlow(memoryBytes).subarray(0, sizeBytes)
    : Buffer.from(memory.buffer as ArrayBuffer, 0, sizeBytes);
}

/** Gives a record's memory back; whoever calls holds the only reference, and `allocateRecord` made it. */
export function releaseRecord(record: Uint8Array): void {
  if (record.length > MAX_BYTES) return;
  const memoryBytes = record.buffer.byteLength;
  let kept = spare.get(memoryBytes);
  if (kept === undefined) {
    kept = [];
    spare.set(memoryBytes, kept);
  }
  if (kept.length * memoryBytes < MAX_SPARE_BYTES) kept.push(record);
}

function memoryFor(sizeBytes: number): number {
  return sizeBytes <= MIN_BYTES ? MIN_BYTES : 2 ** (32 - Math.clz32(sizeBytes - 1));
}
