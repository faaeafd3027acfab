import { layOut } from '../../shared/table.ts';
import type { Progress, ReportRow } from './reporter.ts';

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
      row.lagMs === undefined ? undefined : Math.round(row.lagMs),
    ]),
  );
}

export function ledgerTable(rows: readonly ReportRow[]): string[] {
  return layOut(
    ['media', 'source', 'received', 'written', 'lost'],
    rows.map((row) => [row.mediaType, row.source, row.received, row.written, row.lost]),
  );
}

const kibibytes = (bytes: number) => Math.round(bytes / 1024);
