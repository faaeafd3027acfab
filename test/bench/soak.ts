import { json } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { getHeapSnapshot, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FramePath } from './frame-path.ts';

const HOURS = 12;
const FRAMES_AN_HOUR = 50 * 3_600;
const SESSIONS = 2;
/**
 * Frames between two flushes. A lane sends a record every 20 ms of our own time, so this takes 20 minutes in all;
 * with more at once the lanes would count as behind, and be held to the rate of a shard.
 */
const FRAMES_A_FLUSH = 300;
/** More than that many objects more after nine hours would be a leak. */
const MAX_MORE_OBJECTS = 1_000;
const SHOWN = 8;

/** As far as it is read here: https://v8.dev, `HeapSnapshotJSONSerializer`. */
interface Snapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: readonly string[] } };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** Twelve hours of audio in fast forward: what the heap holds after each, and what has become more. */
export async function benchSoak(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const path = new FramePath('audio', SESSIONS);
  let first = new Map<string, number>();
  for (let hour = 1; hour <= HOURS; hour++) {
    for (let frame = 0; frame < FRAMES_AN_HOUR; frame++) {
      path.send();
      if (frame % FRAMES_A_FLUSH === 0) await path.flush();
      if (frame % 500 === 0) await turn();
    }
    await path.flush();
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const kilobytes = `${Math.round(heapUsed / 1024)} kB heap, ${Math.round(arrayBuffers / 1024)} kB buffers`;
    process.stdout.write(`after ${hour} h of ${SESSIONS} sessions: ${kilobytes}\n`);
    // Twice, for what the first look itself leaves behind.
    if (hour === 2 || hour === 3) first = await objectsByName();
  }
  const last = await objectsByName();
  await path.close();
  const grown = [...last]
    .map(([name, count]) => ({ name, more: count - (first.get(name) ?? 0) }))
    .filter(({ more }) => more > 0)
    .toSorted((a, b) => b.more - a.more);
  process.stdout.write(`objects, hour ${HOURS} against hour 3, what grew most:\n`);
  for (const { name, more } of grown.slice(0, SHOWN)) {
    process.stdout.write(`  +${more} ${name.slice(0, 60)}\n`);
  }
  const more = grown.reduce((sum, each) => sum + each.more, 0);
  const isLeak = more > MAX_MORE_OBJECTS;
  process.stdout.write(`${more} objects more in all: ${isLeak ? 'A LEAK' : 'no growth'}\n`);
  if (isLeak) process.exitCode = 1;
}

/** How many objects of each constructor the heap holds. */
async function objectsByName(): Promise<Map<string, number>> {
  const { snapshot, nodes, strings } = (await json(getHeapSnapshot())) as Snapshot;
  const { node_fields: fields } = snapshot.meta;
  const nameAt = fields.indexOf('name');
  const counts = new Map<string, number>();
  for (let at = 0; at < nodes.length; at += fields.length) {
    const name = strings[nodes[at + nameAt] as number] ?? '';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
