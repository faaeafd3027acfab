/**
 * Data of an event as JSON texts that each fit into a record: one text when it fits, else the list in it is
 * spread over several, in order, everything beside the list repeated in each.
 *
 * @param list name of the list that may be spread
 * @param maxBytes of one text, UTF-8
 * @returns the texts; undefined stands for an entry, or data without a list, that no record can hold
 */
export function pagesOf(
  data: Readonly<Record<string, unknown>>,
  list: string,
  maxBytes: number,
): (string | undefined)[] {
  const text = JSON.stringify(data);
  // Most lines are far from any limit: counting their bytes is not worth it.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return [text];
  const entries = data[list];
  if (!Array.isArray(entries) || entries.length < 2) return [undefined];
  const middle = entries.length >>> 1;
  return [entries.slice(0, middle), entries.slice(middle)].flatMap((half) =>
    pagesOf({ ...data, [list]: half }, list, maxBytes),
  );
}
