import { appendFile, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Unit } from '../unit.ts';
import { SpoolSegment } from './segment.ts';
import {
  encodeFileHeader,
  frameBytes,
  isTornHeader,
  readSegment,
  type SpoolFrame,
  writeFrame,
} from './segment-format.ts';

const SUFFIX = '.seg';
const ASIDE = '.damaged';
/** How many of the files that were set aside are kept: the newest ones. */
const MAX_ASIDE = 16;
/** Segments end at a quarter of a megabyte, or with one large unit. A file far larger is not ours, and is not read. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** A file with a header and at most this much of a frame was being written when its process died: no damage. */
const TORN_BYTES = 64;
/**
 * Ours begin at 0: a higher number is somebody else's. Counting on from 14 nines would give names of 15 digits, which the next
 * process would take for foreign and never read back.
 */
const MAX_ORDINAL = 9e13;

/** Names sort in the order the segments were begun. */
export function segmentPath(directory: string, ordinal: number): string {
  return join(directory, `${String(ordinal).padStart(12, '0')}${SUFFIX}`);
}

/** A segment of an earlier process, and the number in its file's name. */
export interface RecoveredFile {
  readonly ordinal: number;
  readonly segment: SpoolSegment;
}

/** What an earlier process left, and what stood there besides. */
export interface Recovery {
  /** Oldest first. */
  readonly files: readonly RecoveredFile[];
  /** Above every number that a file there has, ours or not. */
  readonly nextOrdinal: number;
  /** Files of ours that are damaged in whole or in part, and what of them cannot be read. */
  readonly damagedFiles: number;
  readonly damagedBytes: number;
  /** Files and folders that no runner has written. They are left alone. */
  readonly foreignFiles: number;
  /** Those of the damaged files that the disk does not give back now, and may give back later. */
  readonly unreadFiles: readonly string[];
}

/**
 * Reads what an earlier process left in a directory. Nothing found there stops a start: a torn last frame was never
 * complete and is ignored, a file without a whole frame is renamed to `*.damaged`, and a file that no runner has written
 * is left as it is.
 *
 * @throws the file system's error when the directory cannot be listed
 */
export async function recoverSegments(directory: string): Promise<Recovery> {
  const files: RecoveredFile[] = [];
  const unreadFiles: string[] = [];
  let [nextOrdinal, damagedFiles, damagedBytes, foreignFiles] = [0, 0, 0, 0];
  const aside: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const { ordinal, kind } = parseName(entry.name);
    if (ordinal !== undefined) nextOrdinal = Math.max(nextOrdinal, ordinal + 1);
    if (kind === 'aside') aside.push(path);
    else if (!entry.isFile() || kind === 'foreign' || ordinal === undefined) foreignFiles += 1;
    else if (kind === 'rewrite') await rm(path, { force: true }).catch(() => {});
    else {
      const found = await recoverFile(path);
      if (found.verdict === 'unreadable' && found.mayPass) unreadFiles.push(entry.name);
      damagedBytes += found.damagedBytes;
      if (found.damagedBytes > 0 && found.verdict !== 'foreign') damagedFiles += 1;
      if (found.verdict === 'foreign') foreignFiles += 1;
      if (found.verdict === 'aside') aside.push(found.path);
      if (found.verdict === 'ours') files.push({ ordinal, segment: found.segment });
    }
  }
  files.sort((a, b) => a.ordinal - b.ordinal);
  // Damaged files are kept for somebody to look at, but would fill the disk if all were.
  for (const path of aside.sort().slice(0, -MAX_ASIDE))
    await rm(path, { force: true }).catch(() => {});
  return { files, nextOrdinal, damagedFiles, damagedBytes, foreignFiles, unreadFiles };
}

type FoundFile =
  | { readonly verdict: 'ours'; readonly segment: SpoolSegment; readonly damagedBytes: number }
  | { readonly verdict: 'aside'; readonly path: string; readonly damagedBytes: number }
  | { readonly verdict: 'unreadable'; readonly damagedBytes: number; readonly mayPass: boolean }
  | { readonly verdict: 'empty' | 'foreign'; readonly damagedBytes: number };

async function recoverFile(path: string): Promise<FoundFile> {
  let file: Buffer;
  let sizeBytes = 0;
  try {
    sizeBytes = (await stat(path)).size;
    if (sizeBytes > MAX_FILE_BYTES)
      return { verdict: 'unreadable', damagedBytes: sizeBytes, mayPass: false };
    file = await readFile(path);
  } catch (error) {
    const damagedBytes = Math.max(sizeBytes, 1);
    return { verdict: 'unreadable', damagedBytes, mayPass: mayPass(error) };
  }
  const content = readSegment(file);
  if (!content && !isTornHeader(file)) return { verdict: 'foreign', damagedBytes: 0 };
  const { partitionKey = '', frames = [], intactBytes = 0, damagedBytes = 0 } = content ?? {};
  if (frames.length === 0) {
    if (damagedBytes <= TORN_BYTES) {
      await rm(path, { force: true }).catch(() => {});
      return { verdict: 'empty', damagedBytes: 0 };
    }
    const moved = `${path}${ASIDE}`;
    await rename(path, moved).catch(() => {});
    return { verdict: 'aside', path: moved, damagedBytes };
  }
  const segment = new SpoolSegment(partitionKey, path, headerBytes(partitionKey), true);
  segment.recover(frames, intactBytes);
  return { verdict: 'ours', segment, damagedBytes };
}

/** Errors that come of the file itself. They would come again. */
const LASTING: ReadonlySet<unknown> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EACCES',
  'EPERM',
  'ELOOP',
]);

/** Whether a file that could not be read may be read later: the disk has failed, and not the file. */
export function mayPass(error: unknown): boolean {
  return error instanceof Error && 'code' in error && !LASTING.has(error.code);
}

interface FileName {
  readonly kind: 'segment' | 'rewrite' | 'aside' | 'foreign';
  readonly ordinal?: number;
}

function parseName(name: string): FileName {
  const match = /^(\d{12,14})\.seg(\.tmp|\.damaged)?$/.exec(name);
  if (!match) return { kind: 'foreign' };
  if (Number(match[1]) > MAX_ORDINAL) return { kind: 'foreign' };
  const kind = match[2] === '.tmp' ? 'rewrite' : match[2] === ASIDE ? 'aside' : 'segment';
  return { kind, ordinal: Number(match[1]) };
}

/** Bytes of the header of a segment file. */
export function headerBytes(partitionKey: string): number {
  return encodeFileHeader(partitionKey).length;
}

/**
 * Appends units to a segment's file in one write. No fsync: what is written outlives the process, and when the machine
 * dies, its disk (Fargate's ephemeral storage) is gone anyway.
 *
 * @throws the file system's error; then nothing is added, whatever the file holds past `fileBytes`
 */
export async function appendUnits(segment: SpoolSegment, units: readonly Unit[]): Promise<void> {
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
 * Writes a segment's file again, without the units that were dropped from it.
 *
 * @throws the file system's error; then the file is as it was
 */
export async function rewriteSegment(segment: SpoolSegment): Promise<void> {
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

/** @returns whether the file is gone */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await rm(path, { force: true });
    return true;
  } catch {
    return false;
  }
}
