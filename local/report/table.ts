import type { LedgerRow, Progress } from './reporter.ts';

/** Columns padded to their widest cell, numbers to the right. Pure: lines of plain text. */
export function layOut(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string[] {
  const cells = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? '').length)),
  );
  const isNumber = header.map((_, column) =>
    rows.every((row) => typeof row[column] === 'number' || row[column] === '-'),
  );
  return cells.map((row) =>
    row
      .map((cell, column) =>
        isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

export function progressTable(rows: readonly Progress[]): string[] {
  const showsSent = rows.some((row) => row.sent !== undefined);
  const header = ['media', ...(showsSent ? ['sent', 'KiB'] : []), 'read', 'KiB', 'lag ms'];
  return layOut(
    header,
    rows.map((row) => [
      row.mediaType,
      ...(showsSent ? [row.sent?.frames ?? 0, kibibytes(row.sent?.bytes ?? 0)] : []),
      row.read.frames,
      kibibytes(row.read.bytes),
      row.lagMs === undefined ? '-' : Math.round(row.lagMs),
    ]),
  );
}

export function ledgerTable(rows: readonly LedgerRow[]): string[] {
  return layOut(
    ['media', 'source', 'received', 'written', 'lost'],
    rows.map((row) => [row.mediaType, row.source, row.received, row.written, row.lost]),
  );
}

const kibibytes = (bytes: number) => Math.round(bytes / 1024);
