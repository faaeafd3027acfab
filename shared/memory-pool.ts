const MIN_BYTES = 256;
/** Kept for the next ones; a thousand sessions need a third of it. */
const MAX_SPARE_BYTES = 32 * 1024 * 1024;

/** Spare memory, by `sizeClass`. */
let spare: Uint8Array[][] = [];
let spareBytes = 0;

/**
 * Memory of exactly that size, not cleared, to be given back with `giveMemory`.
 *
 * What lives a fifth of a second lives just long enough for V8 to take it for old: thrown away, it would be
 * collected every few seconds, tens of megabytes at a time. And of memory outside of its heap V8 looks through
 * all of the heap for every 64 MB (`docs/performance.md`).
 */
export function takeMemory(sizeBytes: number): Buffer {
  const memory = spare[sizeClass(sizeBytes)]?.pop();
  if (memory === undefined) {
    // All that is kept is of other sizes: of yesterday's load, maybe.
    if (spareBytes >= MAX_SPARE_BYTES) forgetSpareMemory();
    return Buffer.allocUnsafeSlow(classBytes(sizeBytes)).subarray(0, sizeBytes);
  }
  spareBytes -= classBytes(sizeBytes);
  if (memory.length === sizeBytes) return memory as Buffer;
  return Buffer.from(memory.buffer as ArrayBuffer, 0, sizeBytes);
}

/** Gives memory back; whoever calls holds the only reference, and `takeMemory` made it as it is. */
export function giveMemory(memory: Uint8Array): void {
  if (spareBytes >= MAX_SPARE_BYTES) return;
  const { length } = memory;
  const kept = spare[sizeClass(length)];
  if (kept === undefined) spare[sizeClass(length)] = [memory];
  else kept.push(memory);
  spareBytes += classBytes(length);
}

function forgetSpareMemory(): void {
  spare = [];
  spareBytes = 0;
}

/** Four classes for each power of two, so that a fifth is wasted at most. */
function sizeClass(sizeBytes: number): number {
  const last = Math.max(sizeBytes, MIN_BYTES) - 1;
  const exponent = 31 - Math.clz32(last);
  return 4 * exponent + ((last >>> (exponent - 2)) & 3);
}

/** The largest size of a size's class. */
function classBytes(sizeBytes: number): number {
  const last = Math.max(sizeBytes, MIN_BYTES) - 1;
  const step = 29 - Math.clz32(last);
  return ((last >>> step) + 1) << step;
}
