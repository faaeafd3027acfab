/** A Markdown table. @param rows cells; the second row sets the alignment, as in `---:` */
export function markdownTable(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/**
 * Puts generated text between `<!-- name:start -->` and `<!-- name:end -->`.
 *
 * @throws Error when the document has no such section
 */
export function replaceSection(document: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const from = document.indexOf(start);
  const to = document.indexOf(end);
  if (from === -1 || to < from) throw new Error(`the document has no section "${name}"`);
  return `${document.slice(0, from + start.length)}\n\n${text}\n\n${document.slice(to)}`;
}
