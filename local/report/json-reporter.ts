import { toPlainJson } from '../../shared/plain-text.ts';
import type { Reporter } from './reporter.ts';

/** `--json`: one object a line on `out` and nothing else; every line but the first names its `kind`. */
export function jsonReporter(out: NodeJS.WritableStream): Reporter {
  const line = (value: object) => void out.write(`${toPlainJson(value)}\n`);
  return {
    ready: (info) => line({ ready: true, ...info }),
    happening: ({ kind, atMs, fields }) => line({ kind, atMs, ...fields }),
    transcript: (shown) => line({ kind: 'transcript', ...shown }),
    progress: (rows) => line({ kind: 'progress', media: rows }),
    summary: (summary) => line({ kind: 'summary', ...summary }),
  };
}
