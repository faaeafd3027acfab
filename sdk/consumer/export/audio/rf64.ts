import { type FileHandle, open, rename } from 'node:fs/promises';
import { partialPath } from '../exporter.ts';

/** The most bytes of samples that RIFF can hold: the whole file less eight bytes must fit into 32 bits. */
export const MAX_RIFF_BYTES = 0xffffffff - 36;

const RIFF_HEADER_BYTES = 12;
const DS64_BYTES = 36;
const COPY_BYTES = 4 * 1024 * 1024;

/**
 * Rewrites a finished WAV file, whose sizes do not fit into 32 bits, as RF64. A chunk `ds64` with sizes of 64 bits comes
 * first, so everything moves by its length. Silence that takes no space on the disk takes none in the copy either.
 *
 * @param dataBytes of all samples
 * @see EBU Tech 3306, RF64
 */
export async function toRf64(path: string, dataBytes: number): Promise<void> {
  const source = await open(path, 'r');
  try {
    const target = await open(partialPath(path), 'w');
    try {
      await copyBehind(source, target, dataBytes);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  await rename(partialPath(path), path);
}

async function copyBehind(source: FileHandle, target: FileHandle, dataBytes: number) {
  const { size } = await source.stat();
  const head = Buffer.alloc(44);
  await source.read(head, 0, head.length, 0);
  const channels = head.readUInt16LE(22);
  const ds64 = Buffer.alloc(DS64_BYTES);
  ds64.write('ds64', 0, 'latin1');
  ds64.writeUInt32LE(DS64_BYTES - 8, 4);
  ds64.writeBigUInt64LE(BigInt(size + DS64_BYTES - 8), 8);
  ds64.writeBigUInt64LE(BigInt(dataBytes), 16);
  ds64.writeBigUInt64LE(BigInt(Math.floor(dataBytes / (2 * channels))), 24);
  head.write('RF64', 0, 'latin1');
  head.writeUInt32LE(0xffffffff, 4);
  head.writeUInt32LE(0xffffffff, 40);
  const front = Buffer.concat([
    head.subarray(0, RIFF_HEADER_BYTES),
    ds64,
    head.subarray(RIFF_HEADER_BYTES),
  ]);
  await target.write(front, 0, front.length, 0);
  const chunk = Buffer.alloc(COPY_BYTES);
  const zeros = Buffer.alloc(COPY_BYTES);
  for (let at = head.length; at < size; ) {
    const { bytesRead } = await source.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) break;
    const read = chunk.subarray(0, bytesRead);
    const isLast = at + bytesRead >= size;
    if (isLast || !read.equals(zeros.subarray(0, bytesRead)))
      await target.write(read, 0, bytesRead, at + DS64_BYTES);
    at += bytesRead;
  }
}
