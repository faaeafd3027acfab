import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WrittenRecord } from './written-records.ts';

/** How the payloads of one source stand against what the simulator sent of it. */
export interface SentComparison {
  /** As the simulator names its file: media type and user id. */
  readonly source: string;
  readonly frames: number;
  readonly bytes: number;
  /** What was sent and is not in the data stream: bytes of each place where something lacks. */
  readonly lacks: readonly number[];
}

/**
 * Finds all payloads, in order, in what the simulator wrote to its files as it sent them.
 *
 * @throws Error for a payload that was not sent, or not in this order
 */
export async function compareWithSent(
  folder: string,
  written: readonly WrittenRecord[],
): Promise<SentComparison[]> {
  const sources = Map.groupBy(
    written,
    ({ seen }) => `${FILE_OF[seen.mediaType] ?? ''}-${seen.userId ?? 0}`,
  );
  const comparisons: SentComparison[] = [];
  for (const [source, records] of sources) {
    const sent = await readFile(join(folder, `${source}.bin`));
    records.sort((a, b) => a.seen.epoch - b.seen.epoch || a.seen.sequence - b.seen.sequence);
    comparisons.push({ source, ...compareOne(source, sent, records) });
  }
  return comparisons;
}

const FILE_OF: Readonly<Record<number, string>> = { 1: 'audio', 2: 'video', 4: 'deskshare' };

function compareOne(source: string, sent: Buffer, records: readonly WrittenRecord[]) {
  const lacks: number[] = [];
  let [frames, bytes, at] = [0, 0, 0];
  let last = '';
  for (const { seen, payload } of records) {
    const identity = `${seen.epoch}/${seen.sequence}`;
    // A repeat of a PutRecords call whose answer was lost.
    if (identity === last) continue;
    last = identity;
    const found = sent.indexOf(payload, at);
    if (found < 0) throw new Error(`${source} ${identity} is not what the simulator sent`);
    if (found > at) lacks.push(found - at);
    at = found + payload.length;
    frames += 1;
    bytes += payload.length;
  }
  if (at < sent.length) lacks.push(sent.length - at);
  return { frames, bytes, lacks };
}
