import { cutText, INPUT_LIMITS, isId } from '../../shared/input-limits.ts';
import { isObject, type JsonObject, parseNested } from './parse-message.ts';

/*
 * How much of a message is read is decided here, by one rule:
 *
 *     A bad id never costs a payload. A field that cannot be read is left out, and `raw` keeps the message. A message
 *     that cannot be read at all becomes `other` with `raw`, or a gap. No message disappears.
 *
 * So a reader of a field never throws. It returns undefined, and `Fields.isPartial` tells that something was there that
 * could not be read.
 */

/** An object, the only object of a list, or an object written as JSON text. */
export function readObject(value: unknown): JsonObject | undefined {
  const inner = typeof value === 'string' ? parseNested(value) : value;
  if (isObject(inner)) return inner;
  if (!Array.isArray(inner) || inner.length !== 1) return undefined;
  return isObject(inner[0]) ? inner[0] : undefined;
}

/** A whole number, or its digits as text. */
export function readInteger(
  value: unknown,
  max: number = INPUT_LIMITS.integerMax,
  min = 0,
): number | undefined {
  const number = typeof value === 'string' ? numberFromText(value) : value;
  if (!Number.isInteger(number)) return undefined;
  return (number as number) >= min && (number as number) <= max ? (number as number) : undefined;
}

/** The number of a text that is a number and nothing else. `Number` alone accepts '', ' ' and '0x10' too. */
function numberFromText(text: string): number | undefined {
  return text.length <= 40 && /^\s*[+-]?\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

/** A text or number that is a valid id, as text. */
export function readId(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  return isId(text) ? text : undefined;
}

const FIRST_TIME_MS = Date.UTC(2000);
const TIMES_END_MS = Date.UTC(2200);

/**
 * Whole Unix milliseconds from a time in seconds, milliseconds, microseconds or nanoseconds. The magnitude tells the
 * unit: Zoom's documents have milliseconds, its live transcripts microseconds, one of its examples seconds.
 *
 * @returns undefined for a time outside the years 2000 to 2199, and so for 0, which means "not set"
 */
export function toUnixMs(value: number): number | undefined {
  let ms = value * 1_000;
  if (value >= 1e17) ms = value / 1_000_000;
  else if (value >= 1e14) ms = value / 1_000;
  else if (value >= 1e11) ms = value;
  return ms >= FIRST_TIME_MS && ms < TIMES_END_MS ? Math.trunc(ms) : undefined;
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT[\d:.]{5,20}(?:Z|[+-]\d\d:?\d\d)$/;

/** A time as number, digits or ISO text. */
export function readTimeMs(value: unknown): number | undefined {
  if (typeof value === 'number') return toUnixMs(value);
  if (typeof value !== 'string') return undefined;
  const number = numberFromText(value);
  if (number !== undefined) return toUnixMs(number);
  if (!ISO_TIME.test(value)) return undefined;
  const ms = Date.parse(value);
  return ms >= FIRST_TIME_MS && ms < TIMES_END_MS ? ms : undefined;
}

/** A time as the number that Zoom wrote, in Zoom's unit; for an ISO text its Unix ms. */
export function readSentTime(value: unknown): number | undefined {
  const ms = readTimeMs(value);
  if (ms === undefined) return undefined;
  return typeof value === 'string' ? (numberFromText(value) ?? ms) : (value as number);
}

/** A text as it is, a number as its digits. */
export function readText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : undefined;
}

/**
 * The fields of one JSON object and, after them, those of the objects around it: Zoom's documents and samples disagree
 * about the place of a field. Names are Zoom's, in snake_case; the same name in camelCase is found too.
 */
export class Fields {
  readonly #layers: readonly JsonObject[];
  readonly #notes: { isPartial: boolean };

  /** @param layers the innermost object first */
  constructor(layers: readonly JsonObject[], notes = { isPartial: false }) {
    this.#layers = layers;
    this.#notes = notes;
  }

  /** Whether a field was there that could not be read, in these objects or in a child. */
  get isPartial(): boolean {
    return this.#notes.isPartial;
  }

  noteUnread(): void {
    this.#notes.isPartial = true;
  }

  has(...names: readonly string[]): boolean {
    return this.#layers.some((layer) => names.some((name) => valueAt(layer, name) != null));
  }

  /** The first of these fields that `reader` can read. Fields that are absent or null are skipped. */
  read<Value>(
    names: readonly string[],
    reader: (value: unknown) => Value | undefined,
  ): Value | undefined {
    let isUnread = false;
    let read: Value | undefined;
    for (const layer of this.#layers) {
      for (const name of names) {
        const value = valueAt(layer, name);
        if (value === undefined || value === null) continue;
        read = reader(value);
        if (read !== undefined) break;
        isUnread = true;
      }
      if (read !== undefined) break;
    }
    if (isUnread) this.noteUnread();
    return read;
  }

  integer(...names: readonly string[]): number | undefined {
    return this.read(names, readPlainInteger);
  }

  /** A number of a table, written as number, digits or name. Unknown numbers are read, unknown names are not. */
  named(table: Readonly<Record<string, number>>, ...names: readonly string[]): number | undefined {
    return this.read(names, (value) => readInteger(value) ?? numberOf(table, value));
  }

  /** A participant's id; undefined for '' and for -1, which Zoom's SDK uses for the mix. */
  userId(...names: readonly string[]): number | undefined {
    const id = this.read(names, (value) =>
      value === '' ? -1 : readInteger(value, INPUT_LIMITS.userIdMax, -1),
    );
    return id === -1 ? undefined : id;
  }

  /** An opaque id; undefined for the empty text. */
  id(...names: readonly string[]): string | undefined {
    const id = this.read(names, (value) => (value === '' ? '' : readId(value)));
    return id === '' ? undefined : id;
  }

  /** A name, cut to the limit; undefined for the empty text. */
  name(...names: readonly string[]): string | undefined {
    return this.#cut(names, INPUT_LIMITS.nameBytes) || undefined;
  }

  /** A reason as text, cut to the limit. */
  reason(...names: readonly string[]): string {
    return this.#cut(names, INPUT_LIMITS.reasonBytes) ?? '';
  }

  #cut(names: readonly string[], maxBytes: number): string | undefined {
    return this.read(names, (value) => {
      const text = readText(value);
      if (text === undefined) return undefined;
      const cut = cutText(text, maxBytes);
      if (cut.length < text.length) this.noteUnread();
      return cut.toWellFormed();
    });
  }

  /** Text of any length: the message as a whole is bounded. */
  text(...names: readonly string[]): string | undefined {
    return this.read(names, readText);
  }

  /** A time in Unix ms. 0, '0' and '' mean "not set" and do not count as unread. */
  timeMs(...names: readonly string[]): number | undefined {
    const isUnset = (value: unknown) => value === 0 || value === '' || value === '0';
    return this.read(names, (value) => (isUnset(value) ? 0 : readTimeMs(value))) || undefined;
  }

  /** true, 1 or their text. */
  flag(...names: readonly string[]): boolean {
    return this.read(names, readFlag) ?? false;
  }

  /** An inner object. */
  child(...names: readonly string[]): Fields | undefined {
    const object = this.read(names, readObject);
    return object && new Fields([object], this.#notes);
  }

  /** A list. Another value is a list of one; null is an empty list, and counts as unread. */
  list(...names: readonly string[]): readonly unknown[] | undefined {
    for (const layer of this.#layers) {
      for (const name of names) {
        const value = valueAt(layer, name);
        if (value === undefined) continue;
        if (Array.isArray(value)) return value;
        if (value !== null) return [value];
        this.noteUnread();
        return [];
      }
    }
    return undefined;
  }

  /** The elements of a list that `reader` can read. */
  items<Item>(
    names: readonly string[],
    reader: (value: unknown) => Item | undefined,
  ): Item[] | undefined {
    return this.list(...names)?.flatMap((value) => {
      const item = reader(value);
      if (item === undefined) this.noteUnread();
      return item === undefined ? [] : [item];
    });
  }

  /** The fields of another object; what cannot be read there makes these fields partial too. */
  of(...layers: readonly JsonObject[]): Fields {
    return new Fields(layers, this.#notes);
  }
}

function readPlainInteger(value: unknown): number | undefined {
  return readInteger(value);
}

/** true or false, 1 or 0, or their text. */
export function readFlag(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 1 || value === '1' || value === 'true') return true;
  return value === 0 || value === '0' || value === 'false' ? false : undefined;
}

/** snake_case to camelCase, for the few names that readers ask for: the cache is shared and never grows beyond them. */
const camelCases = new Map<string, string>();

/** A field of the object itself, not of its prototype. */
function valueAt(object: JsonObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  let camel = camelCases.get(name);
  if (camel === undefined) {
    camel = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    camelCases.set(name, camel);
  }
  return Object.hasOwn(object, camel) ? object[camel] : undefined;
}

/** Words that Zoom's documents and mock servers put in front of a name: `STOP_BC_USER_LEFT`, `STATUS_OK`. */
const GROUP_WORDS = new Set(
  'RTMS STREAM SESSION STATE STATUS STOP BC REASON CODE EVENT TYPE LANGUAGE ID CHAT OPERATION MEDIA AUDIO'.split(
    ' ',
  ),
);
/** Twice as long as the longest name of any table. */
const MAX_NAME_LENGTH = 80;

/** The number of a name of one table, in upper, lower or camel case, with or without the prefix of its group. */
export function numberOf(
  table: Readonly<Record<string, number>>,
  name: unknown,
): number | undefined {
  if (typeof name !== 'string' || name.length > MAX_NAME_LENGTH) return undefined;
  const words = name
    .trim()
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toUpperCase()
    .split(/[\s_-]+/);
  do {
    const candidate = words.join('_');
    if (Object.hasOwn(table, candidate)) return table[candidate];
  } while (GROUP_WORDS.has(words.shift() ?? ''));
  return undefined;
}
