import { appendFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PutUnit } from './put.ts';
import {
  encodeFileHeader,
  frameBytes,
  readSegment,
  type SpoolFrame,
  writeFrame,
} from './spool-frame.ts';
import { SpoolSegment } from './spool-segment.ts';

const SUFFIX = '.seg';

/** Names sort in the order the segments were begun. */
export function segmentPath(directory: string, ordinal: number): string {
  return join(directory, `${String(ordinal).padStart(12, '0')}${SUFFIX}`);
}

export interface RecoveredFile {
  readonly ordinal: number;
  readonly segment: SpoolSegment;
}

/**
 * Reads what an earlier process left in a directory, oldest first. A torn last frame was never complete and
 * is left out; files without a single whole unit are removed.
 *
 * @throws the file system's error
 */
export async function recoverSegments(directory: string): Promise<RecoveredFile[]> {
  const found: RecoveredFile[] = [];
  for (const name of (await readdir(directory)).sort()) {
    const path = join(directory, name);
    const content = name.endsWith(SUFFIX) ? readSegment(await readFile(path)) : undefined;
    if (!content || content.frames.length === 0) {
      await rm(path, { force: true });
      continue;
    }
    const { partitionKey, frames, intactBytes } = content;
    const segment = new SpoolSegment(partitionKey, path, headerBytes(partitionKey), true);
    segment.recover(frames, intactBytes);
    found.push({ ordinal: Number.parseInt(name, 10), segment });
  }
  return found;
}

export function headerBytes(partitionKey: string): number {
  return encodeFileHeader(partitionKey).length;
}

/**
 * Appends units to a segment's file in one write. No fsync: a process that dies loses nothing, a machine
 * that dies loses its disk here anyway.
 *
 * @throws the file system's error; then nothing is added, whatever the file holds past `fileBytes`
 */
export async function appendUnits(segment: SpoolSegment, units: readonly PutUnit[]): Promise<void> {
  const header = segment.fileBytes === 0 ? encodeFileHeader(segment.partitionKey) : Buffer.alloc(0);
  let bytes = header.length;
  for (const unit of units) bytes += frameBytes(unit);
  const out = Buffer.allocUnsafe(bytes);
  let end = header.copy(out);
  for (const unit of units) {
    end = writeFrame(out, end, unit, segment.receiptIndex(unit.receipt));
  }
  await appendFile(segment.path, out);
  segment.fileBytes += out.length;
  for (const unit of units) segment.add(unit);
}

/** @throws the file system's error */
export async function readFrames(segment: SpoolSegment): Promise<readonly SpoolFrame[]> {
  const file = await readFile(segment.path);
  return readSegment(file.subarray(0, segment.fileBytes))?.frames ?? [];
}

/**
 * Writes a segment's file again without the units that were dropped from it.
 *
 * @throws the file system's error; then the file is as it was
 */
export async function cutOutDropped(segment: SpoolSegment): Promise<void> {
  const parts = [encodeFileHeader(segment.partitionKey)];
  for (const frame of await readFrames(segment)) {
    if (!segment.keeps(frame)) continue;
    const { partitionKey } = segment;
    const unit = { ...frame, partitionKey, receipt: { written() {}, dropped() {} } };
    const part = Buffer.allocUnsafe(frameBytes(unit));
    writeFrame(part, 0, unit, frame.receiptIndex);
    parts.push(part);
  }
  const out = Buffer.concat(parts);
  const whole = `${segment.path}.tmp`;
  await writeFile(whole, out);
  await rename(whole, segment.path);
  segment.fileBytes = out.length;
}

/** Never fails: a file that stays is found at the next start. */
export async function removeSegment(segment: SpoolSegment): Promise<void> {
  await rm(segment.path, { force: true }).catch(() => {});
}
