import type { MeetingLine } from './line.ts';
import type { MarkPositions } from './mark.ts';

export interface PageLimits {
  readonly lines: number;
  /** Characters of all texts and names together. One line is given whatever its length. */
  readonly characters: number;
}

export interface LinePage {
  readonly lines: readonly MeetingLine[];
  /** Up to where the client has read now. Lines that it does not want count as read. */
  readonly positions: MarkPositions;
  readonly hasMore: boolean;
}

/** The lines of one stream, in the order of their numbers. */
type StreamLines = readonly MeetingLine[];

/**
 * Takes the next lines of a meeting, in the order of their times; those of one stream stay in the order of their numbers.
 *
 * @param streams the lines of each stream of the meeting
 * @param after up to where the client has read
 */
export function nextPage(
  streams: readonly StreamLines[],
  after: MarkPositions,
  isWanted: (line: MeetingLine) => boolean,
  limits: PageLimits,
): LinePage {
  const heads = streams.map((lines) => ({ lines, next: firstAfter(lines, after) }));
  const positions = new Map(after);
  const page: MeetingLine[] = [];
  let characters = 0;
  for (;;) {
    const head = earliest(heads);
    const line = head?.lines[head.next];
    if (head === undefined || line === undefined) return { lines: page, positions, hasMore: false };
    if (isWanted(line)) {
      const size = line.text.length + (line.who?.length ?? 0);
      const isFull = page.length >= limits.lines || characters + size > limits.characters;
      if (isFull && page.length > 0) return { lines: page, positions, hasMore: true };
      characters += size;
      page.push(line);
    }
    positions.set(line.rtmsStreamId, [line.epoch, line.sequence]);
    head.next += 1;
  }
}

/** Up to where a client has read that wants the newest lines alone. @param count of lines that it wants */
export function positionsBeforeLast(
  streams: readonly StreamLines[],
  isWanted: (line: MeetingLine) => boolean,
  count: number,
): MarkPositions {
  const newest = streams
    .flatMap((lines) => lines.filter(isWanted).slice(-count))
    .sort((a, b) => a.atMs - b.atMs)
    .slice(-count);
  const positions = new Map<string, readonly [number, number]>();
  for (const lines of streams) {
    const own = newest.filter(({ rtmsStreamId }) => rtmsStreamId === lines[0]?.rtmsStreamId);
    const [first] = own.sort(byNumber);
    const before = lines[first === undefined ? lines.length - 1 : lines.indexOf(first) - 1];
    if (before !== undefined) positions.set(before.rtmsStreamId, [before.epoch, before.sequence]);
  }
  return positions;
}

/** Whether a line comes behind a position of its stream. */
export function isAfter(
  { epoch, sequence }: Pick<MeetingLine, 'epoch' | 'sequence'>,
  position: readonly [epoch: number, sequence: number] | undefined,
): boolean {
  if (position === undefined) return true;
  return epoch > position[0] || (epoch === position[0] && sequence > position[1]);
}

const byNumber = (a: MeetingLine, b: MeetingLine) => a.epoch - b.epoch || a.sequence - b.sequence;

function firstAfter(lines: StreamLines, after: MarkPositions): number {
  const position = after.get(lines[0]?.rtmsStreamId ?? '');
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAfter(lines[middle] as MeetingLine, position)) high = middle;
    else low = middle + 1;
  }
  return low;
}

interface Head {
  readonly lines: StreamLines;
  next: number;
}

function earliest(heads: readonly Head[]): Head | undefined {
  let found: Head | undefined;
  for (const head of heads) {
    const line = head.lines[head.next];
    const best = found?.lines[found.next];
    if (line !== undefined && (best === undefined || line.atMs < best.atMs)) found = head;
  }
  return found;
}
