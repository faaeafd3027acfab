import type { Peer, ProofLine } from './peer.ts';

/** What one peer said in one run, or that it said nothing because it did not run. */
export interface PeerResult {
  readonly peer: Pick<Peer, 'name' | 'defects'>;
  readonly lines: readonly ProofLine[];
}

const TABLES = [
  { mark: 'proven', isProven: true, heads: ['what was proven', 'figures'] },
  { mark: 'not-proven', isProven: false, heads: ['what could not be', 'why'] },
] as const;

/**
 * Rewrites the tables of docs/proof.md. The rows of a peer that ran are replaced; those of the others stay as they are, with their date.
 *
 * @param names the peers of the registry, in order; rows of others are dropped
 * @param day the date of the run, `YYYY-MM-DD`
 */
export function rewriteProof(
  page: string,
  names: readonly string[],
  results: readonly PeerResult[],
  day: string,
): string {
  const tables = TABLES.reduce((text, { mark, isProven, heads }) => {
    const rows = mergedRows(rowsOf(between(text, mark)), names, results, ({ lines }) =>
      lines
        .filter((line) => (line.isProven ?? true) === isProven)
        .map(({ software, version, what, figures }) => [software, version, what, figures, day]),
    );
    return replaced(text, mark, table(['peer', 'software', 'version', ...heads, 'date'], rows));
  }, page);
  const defects = mergedRows(rowsOf(between(tables, 'defects')), names, results, ({ peer }) =>
    (peer.defects ?? []).map((text) => [text]),
  );
  return replaced(tables, 'defects', table(['found by', 'defect, and how it was mended'], defects));
}

function mergedRows(
  earlier: readonly (readonly string[])[],
  names: readonly string[],
  results: readonly PeerResult[],
  cellsOf: (result: PeerResult) => readonly (readonly string[])[],
): string[][] {
  return names.flatMap((name) => {
    const result = results.find(({ peer }) => peer.name === name);
    if (result === undefined) return earlier.filter(([first]) => first === name).map((r) => [...r]);
    return cellsOf(result).map((cells) => [name, ...cells.map(escaped)]);
  });
}

/** A bar would end the cell. */
const escaped = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

function rowsOf(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => line.slice(2, -2).split(/(?<!\\) \| /));
}

const begin = (mark: string) => `<!-- ${mark}:begin -->`;
const end = (mark: string) => `<!-- ${mark}:end -->`;

function bounds(page: string, mark: string): [number, number] {
  const from = page.indexOf(begin(mark));
  const to = page.indexOf(end(mark));
  if (from < 0 || to < from) throw new Error(`docs/proof.md has no marks for ${mark}`);
  return [from + begin(mark).length, to];
}

function between(page: string, mark: string): string {
  return page.slice(...bounds(page, mark));
}

function replaced(page: string, mark: string, text: string): string {
  const [from, to] = bounds(page, mark);
  return `${page.slice(0, from)}\n\n${text}\n\n${page.slice(to)}`;
}
