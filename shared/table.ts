type Cell = string | number | undefined;

const BETWEEN = '  ';
/** A cut column keeps at least this much, or nobody could tell its rows apart. */
const MIN_CUT_WIDTH = 8;

/**
 * Columns padded to their widest cell, numbers to the right, `-` where there is nothing. Plain text lines.
 *
 * @param maxWidth columns of the screen: wider tables lose the ends of their widest text cells (`…`), never numbers;
 *   a table that cannot be made that narrow is cut at the right
 */
export function layOut(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  maxWidth = Number.POSITIVE_INFINITY,
): string[] {
  const cells = [header, ...rows.map((row) => row.map((cell) => String(cell ?? '-')))];
  const isNumber = header.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof (row[column] ?? 0) === 'number'),
  );
  const natural = header.map((_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? '').length)),
  );
  const widths = narrowed(natural, isNumber, maxWidth);
  return cells.map((row) => {
    const line = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return isNumber[column] ? cell.padStart(width) : cutTo(cell, width).padEnd(width);
    });
    return cutTo(line.join(BETWEEN).trimEnd(), maxWidth);
  });
}

/** Takes from the widest text column, a character at a time, until the table fits or nothing is left to take. */
function narrowed(
  natural: readonly number[],
  isNumber: readonly boolean[],
  maxWidth: number,
): number[] {
  const widths = [...natural];
  const total = () =>
    widths.reduce((sum, width) => sum + width, 0) + BETWEEN.length * (widths.length - 1);
  while (total() > maxWidth) {
    const textWidths = widths.map((width, column) => (isNumber[column] ? 0 : width));
    const widest = Math.max(...textWidths);
    if (widest <= MIN_CUT_WIDTH) break;
    widths[textWidths.indexOf(widest)] = widest - 1;
  }
  return widths;
}

function cutTo(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(width - 1, 0))}…`;
}
