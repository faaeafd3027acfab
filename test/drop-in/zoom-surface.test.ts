import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import rtms, * as named from '../../sdk/client/index.ts';

/** Names, kinds and values of Zoom's SDK, release 1.1.0: facts, and nothing else of it. */
interface ZoomSurface {
  readonly client: {
    readonly methods: readonly string[];
    readonly static: readonly string[];
  };
  readonly functions: readonly string[];
  /** null: the number stands in a header that Zoom does not publish. */
  readonly numbers: Readonly<Record<string, number | null>>;
  readonly tables: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly namesOfTypesOnly: Readonly<Record<string, readonly string[]>>;
  readonly logLevel: Readonly<Record<string, number>>;
  readonly logFormat: Readonly<Record<string, string>>;
}

const zoom = JSON.parse(
  readFileSync(new URL('./zoom-surface.json', import.meta.url), 'utf8'),
) as ZoomSurface;
const exported: Readonly<Record<string, unknown>> = { ...named };
const byDefault: Readonly<Record<string, unknown>> = { ...rtms };

test('a client has every method of Zooms', () => {
  const client = new rtms.Client() as unknown as Record<string, unknown>;
  const missing = zoom.client.methods.filter((name) => typeof client[name] !== 'function');
  expect(missing).toEqual([]);
  for (const name of zoom.client.static) {
    expect((rtms.Client as unknown as Record<string, unknown>)[name]).toBeTypeOf('function');
  }
});

test('every function is there by name and in the default export', () => {
  for (const name of zoom.functions) {
    expect(exported[name]).toBeTypeOf('function');
    expect(byDefault[name]).toBe(exported[name]);
  }
});

test.for(Object.entries(zoom.numbers))('%s has the number that Zoom gives it', ([name, value]) => {
  expect(exported[name]).toBe(value ?? exported[name]);
  expect(exported[name]).toBeTypeOf('number');
  expect(byDefault[name]).toBe(exported[name]);
});

test.for(Object.entries(zoom.tables))('%s has Zooms names, numbers and order', ([name, table]) => {
  const ours = exported[name] as Readonly<Record<string, number>>;
  expect(ours).toMatchObject(table);
  expect(byDefault[name]).toBe(ours);
  // Programs look for the first name of a number.
  const firstName = (of: Readonly<Record<string, number>>, value: number) =>
    Object.keys(of).find((key) => of[key] === value);
  for (const value of Object.values(table)) {
    expect(firstName(ours, value)).toBe(firstName(table, value));
  }
});

test('names that only Zooms types have mean what their number means', () => {
  for (const [table, names] of Object.entries(zoom.namesOfTypesOnly)) {
    const ours = exported[table] as Readonly<Record<string, number>>;
    for (const name of names) expect(ours[name], `${table}.${name}`).toBeTypeOf('number');
  }
});

test('levels and formats of the log are Zooms', () => {
  expect(rtms.LogLevel).toEqual(zoom.logLevel);
  expect(rtms.LogFormat).toEqual(zoom.logFormat);
});
