import type * as v from 'valibot';

type Schema = v.GenericSchema & {
  readonly wrapped?: Schema;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly options?: readonly Schema[];
  readonly key?: string;
  readonly literal?: unknown;
};

export interface ConfigKey {
  readonly path: readonly string[];
  /** What else must stand beside the key for it to be looked at: the discriminators on its way. */
  readonly beside: Readonly<Record<string, unknown>>;
}

/**
 * Every key of a configuration that holds no object of keys itself, by walking the schema: tests that go by this list
 * know a new key without a new row. What is below `zoom.media` and `zoom.protocol` is checked by parsers of its own.
 */
export function configKeys(
  schema: v.GenericSchema,
  path: readonly string[] = [],
  beside: ConfigKey['beside'] = {},
): ConfigKey[] {
  const { type, wrapped, entries, options, key = '' } = schema as Schema;
  if (type === 'optional' && wrapped !== undefined) return configKeys(wrapped, path, beside);
  if (type === 'variant') {
    return (options ?? []).flatMap((option) =>
      configKeys(option, path, {
        ...beside,
        [[...path, key].join('.')]: option.entries?.[key]?.literal,
      }),
    );
  }
  if (entries !== undefined && path.join('.') !== 'zoom.media') {
    return Object.entries(entries)
      .filter(([, below]) => below.type !== 'literal')
      .flatMap(([name, below]) => configKeys(below, [...path, name], beside));
  }
  return [{ path, beside }];
}
