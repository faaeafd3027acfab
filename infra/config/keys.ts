import type * as v from 'valibot';

type Schema = v.GenericSchema & {
  readonly wrapped?: Schema;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly options?: readonly Schema[];
  readonly key?: string;
  readonly literal?: unknown;
};

/** One key of the configuration that holds a value. */
export interface ConfigKey {
  readonly path: readonly string[];
  /** Other keys that must be set for this one to be checked: the discriminators of the variants on its path. */
  readonly beside: Readonly<Record<string, unknown>>;
}

/**
 * Every key of a configuration that holds a value and no further keys, found by walking the schema. Tests use this list,
 * so that they cover a new key by themselves. Keys below `zoom.media` and `zoom.protocol` are left out: parsers of
 * `rtms/protocol/` check those.
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
