/**
 * A reviver for `JSON.parse` that keeps an integer which a double cannot hold as its digits: the 19 digits of a
 * Phone `call_id` or a channel's id would come out as another id.
 */
export function keepLongIntegers(
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? source : value;
}
