import { roomOf } from './rooms.ts';
import { isProduct, type SourceFile } from './source-files.ts';

const MOST_LINES = 300;
const REASON = 'Over 300 lines because';

/** Files of more than 300 lines whose text does not say why. */
export function tooLong(files: readonly SourceFile[]): string[] {
  return files
    .filter(isProduct)
    .filter(({ lines, text }) => lines.length - 1 > MOST_LINES && !text.includes(REASON))
    .map(({ path, lines }) => `${path}: ${lines.length - 1} lines`);
}

/** One line a room: how many files, their median length, and how many are shorter than 40 lines. */
export function sizesByRoom(files: readonly SourceFile[]): string[] {
  const rooms = new Map<string, number[]>();
  for (const file of files.filter(isProduct)) {
    const room = roomOf(file.path);
    if (room !== undefined) rooms.set(room, [...(rooms.get(room) ?? []), file.lines.length - 1]);
  }
  return [...rooms].map(([room, lengths]) => {
    const sorted = lengths.sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    const short = sorted.filter((length) => length < 40).length;
    return `${room}: ${sorted.length} files, median ${median} lines, ${short} under 40`;
  });
}
