import type { FenceMark } from '../records/epoch-fence.ts';

/** Sources remembered per shard. Beyond them, the one unused for longest is dropped. */
const MAX_MARKS = 1_000;

/** The newest of each source that was processed: what a decoder needs to drop repeats after a restart. */
export type Marks = Map<string, FenceMark>;

const keyOf = ([partitionKey, rtmsStreamId, source]: FenceMark) =>
  `${partitionKey}\n${rtmsStreamId}\n${source}`;

/** Notes a mark, unless a newer one of its source is known. */
export function remember(marks: Marks, mark: FenceMark): void {
  const key = keyOf(mark);
  const [, , , epoch, sequence] = mark;
  const known = marks.get(key);
  // A consumer that keeps repeats finishes older frames again. They must not move the mark back.
  const isOlder = known && (known[3] > epoch || (known[3] === epoch && known[4] >= sequence));
  marks.delete(key);
  marks.set(key, isOlder ? known : mark);
  if (marks.size > MAX_MARKS) marks.delete(marks.keys().next().value as string);
}

export function writeMarks(marks: Marks): string {
  return JSON.stringify([...marks.values()]);
}

/** Reads what `writeMarks` wrote. Text that cannot be read counts as nothing seen: repeats are then handed out again. */
export function readMarks(text: string): FenceMark[] {
  try {
    const marks: unknown = JSON.parse(text);
    return Array.isArray(marks) ? marks.filter(isMark) : [];
  } catch {
    return [];
  }
}

function isMark(value: unknown): value is FenceMark {
  if (!Array.isArray(value) || value.length !== 5) return false;
  const [partitionKey, rtmsStreamId, source, epoch, sequence] = value;
  return (
    typeof partitionKey === 'string' &&
    typeof rtmsStreamId === 'string' &&
    (typeof source === 'string' || typeof source === 'number') &&
    Number.isSafeInteger(epoch) &&
    Number.isSafeInteger(sequence)
  );
}
