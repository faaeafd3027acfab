import { deepStrictEqual } from 'node:assert/strict';
import type { SentComparison } from './sent-payloads.ts';
import type { SeenRecord, WrittenRecord } from './written-records.ts';

/** The longest time for which a source of a killed runner may lack frames that Zoom had sent to it, as in test/sessions. */
const LOST_MS = 520;
const FRAME_MS: Readonly<Record<string, number>> = { audio: 20, video: 40 };
const LARGEST_FRAME_BYTES: Readonly<Record<string, number>> = { audio: 640, video: 60_000 };

export const identityOf = (record: SeenRecord): string =>
  [record.partitionKey, record.sequenceNumber, record.subSequenceNumber].join('/');

/**
 * Expects that others read exactly what we read: every user record, each field, each payload by its SHA-256.
 *
 * @returns how many they read more than once
 */
export function expectSame(seen: readonly SeenRecord[], written: readonly WrittenRecord[]): number {
  const wanted = new Map(written.map((record) => [identityOf(record.seen), record.seen]));
  const left = new Set(wanted.keys());
  let repeats = 0;
  for (const record of seen) {
    const identity = identityOf(record);
    deepStrictEqual(record, wanted.get(identity));
    if (!left.delete(identity)) repeats += 1;
  }
  if (left.size > 0) throw new Error(`${left.size} records were not read, ${[...left][0]} first`);
  return repeats;
}

/** Expects that one reader read each shard in order. */
export function expectInOrder(seen: readonly SeenRecord[]): void {
  const last = new Map<string, SeenRecord>();
  for (const record of seen) {
    const before = last.get(record.shardId);
    last.set(record.shardId, record);
    if (before === undefined) continue;
    const [a, b] = [BigInt(before.sequenceNumber), BigInt(record.sequenceNumber)];
    const isBehind = a < b || (a === b && before.subSequenceNumber < record.subSequenceNumber);
    if (!isBehind) throw new Error(`${record.shardId}: ${identityOf(record)} is out of order`);
  }
}

/** Expects everything that Zoom sent, but for what may lack of each source when a runner is killed: one gap of half a second. */
export function expectSent(comparisons: readonly SentComparison[]): void {
  if (comparisons.length === 0) throw new Error('nothing to compare');
  for (const { source, lacks } of comparisons) {
    const kind = source.split('-')[0] ?? '';
    const mostBytes = (LOST_MS / (FRAME_MS[kind] ?? 0)) * (LARGEST_FRAME_BYTES[kind] ?? 0);
    if (lacks.length > 1 || (lacks[0] ?? 0) > mostBytes) {
      throw new Error(`${source} lacks ${lacks.join(' B, ')} B of what was sent`);
    }
  }
}
