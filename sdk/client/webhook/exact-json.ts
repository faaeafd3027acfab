import { ENTITY_ID_FIELD } from '../../../rtms/protocol/product.ts';

/**
 * The JSON of ECMAScript 2026, not yet in TypeScript's types: a reviver gets the text of a primitive, and `rawJSON`
 * writes such a text verbatim.
 */
type Reviver = (
  this: object,
  key: string,
  value: unknown,
  context: { readonly source?: string },
) => unknown;
const { parse, rawJSON, stringify } = JSON as unknown as {
  readonly parse: (text: string, reviver: Reviver) => unknown;
  readonly rawJSON: (text: string) => unknown;
  readonly stringify: (value: unknown) => string;
};

/** The values of one object or list that JSON.stringify would spell otherwise, with their text. */
type Spellings = Map<string, { readonly value: unknown; readonly source: string }>;
const spellingsOf = new WeakMap<object, Spellings>();

/**
 * Parses JSON so that `JSON.stringify` writes the same text again, as long as that had no spaces.
 *
 * Zoom signs the text of a delivery, and the check in its documentation hashes `JSON.stringify(payload)`. A number of
 * 19 digits, `1.0` or `\/` would be written differently, so that every delivery with one would fail that check. The
 * values are those of `JSON.parse`: a long number is the nearest double, and `exactText` has its digits.
 *
 * @throws SyntaxError for text that is not JSON
 */
export function parseExact(text: string): unknown {
  return parse(text, function (key, value, { source }) {
    if (source !== undefined && stringify(value) !== source) remember(this, key, value, source);
    return value;
  });
}

/** The text of a value that JSON.stringify would spell otherwise, such as all digits of a long number. */
export function exactText(holder: object, key: string): string | undefined {
  const spelling = spellingsOf.get(holder)?.get(key);
  return spelling !== undefined && Object.is(valueAt(holder, key), spelling.value)
    ? spelling.source
    : undefined;
}

function remember(holder: object, key: string, value: unknown, source: string): void {
  let spellings = spellingsOf.get(holder);
  if (spellings === undefined) {
    spellings = new Map();
    spellingsOf.set(holder, spellings);
    // Not enumerable, so that a program that copies, compares or clones the event does not see `toJSON`.
    if (!Object.hasOwn(holder, 'toJSON')) {
      Object.defineProperty(holder, 'toJSON', { value: () => spelled(holder), configurable: true });
    }
  }
  spellings.set(key, { value, source });
}

/** Copies a holder; values that were not changed since are replaced by their remembered text. */
function spelled(holder: object): object {
  const entries = Object.keys(holder).map((key): [string, unknown] => {
    const source = exactText(holder, key);
    return [key, source === undefined ? valueAt(holder, key) : rawJSON(source)];
  });
  return Array.isArray(holder) ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}

function valueAt(holder: object, key: string): unknown {
  return (holder as Readonly<Record<string, unknown>>)[key];
}

/** Bounds memory: more streams than a process can be on. The oldest is dropped first. */
const MAX_STREAMS = 1_000;
const digitsByStream = new Map<string, string>();

/**
 * Remembers the digits of an id that came as a number too long for a double (a Phone `call_id` has 19).
 *
 * The program gets the number, as from Zoom's SDK, and hands it to `join`, often in a copy of the payload. Zoom
 * refuses a signature over an id with a digit missing.
 */
export function rememberLongIds(payload: Readonly<Record<string, unknown>>): void {
  const { object } = payload;
  const places = typeof object === 'object' && object !== null ? [payload, object] : [payload];
  for (const place of places) {
    const streamId = (place as Readonly<Record<string, unknown>>)['rtms_stream_id'];
    if (typeof streamId !== 'string') continue;
    for (const field of Object.values(ENTITY_ID_FIELD)) {
      const digits = exactText(place, field);
      if (digits === undefined || !/^\d+$/.test(digits)) continue;
      digitsByStream.set(streamId, digits);
      const [oldest] = digitsByStream.keys();
      if (digitsByStream.size > MAX_STREAMS && oldest !== undefined) digitsByStream.delete(oldest);
    }
  }
}

/** All digits of an id that came as a number; undefined where they are not known. */
export function longId(rtmsStreamId: string, id: number): string | undefined {
  if (Number.isSafeInteger(id)) return String(id);
  const digits = digitsByStream.get(rtmsStreamId);
  return digits !== undefined && Number(digits) === id ? digits : undefined;
}
