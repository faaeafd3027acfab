import * as v from 'valibot';

type Schema = v.GenericSchema;
type Key = string | number;

/** A valibot schema from inside, as far as this file reads it: what `v.optional`, `v.pipe` and others keep. */
interface Node {
  readonly type: string;
  readonly wrapped?: Schema;
  readonly pipe?: readonly { readonly type: string; readonly requirement?: unknown }[];
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly item?: Schema;
  readonly value?: Schema;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly key?: string;
}

/** Begins the message about an unknown key inside `zoom`, whose own parsers check it; the known keys follow. */
export const NO_SUCH_KEY = 'no such key';

const nodeOf = (schema: Schema) => schema as unknown as Node;

/**
 * One sentence for one mistake in a configuration: which key, what its value was, what is allowed.
 *
 * @param schema of the whole configuration
 * @param input the whole configuration
 */
export function describeFault(schema: Schema, input: unknown, issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map(({ key }) => key as Key);
  const name = path.length === 0 ? 'config' : path.join('.');
  const parentPath = path.slice(0, -1);
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const keys = keysOf(schemaAt(schema, input, parentPath));
    return noSuchKey(name, parentPath, keys.join(', '));
  }
  if (issue.message.startsWith(NO_SUCH_KEY)) {
    return noSuchKey(name, parentPath, issue.message.slice(NO_SUCH_KEY.length + 1));
  }
  const value = path.reduce<unknown>(
    (at, key) => (at as Record<Key, unknown> | undefined)?.[key],
    input,
  );
  const allowed = WITH_OWN_MESSAGE.has(issue.type)
    ? issue.message
    : `allowed is ${allowedBy(schemaAt(schema, input, path))}`;
  return value === undefined
    ? `${name}: missing; ${allowed}`
    : `${name}: ${show(value)}; ${allowed}`;
}

function noSuchKey(name: string, parentPath: readonly Key[], known: string): string {
  return `${name}: ${NO_SUCH_KEY}; ${parentPath.join('.') || 'config'} has ${known}`;
}

/** Types of issues whose message already says what is allowed. */
const WITH_OWN_MESSAGE: ReadonlySet<string> = new Set([
  'partial_check',
  'check',
  'raw_transform',
  'raw_check',
]);

/** In words, what a key may hold. */
function allowedBy(schema: Schema): string {
  const described = v.getDescription(schema as v.GenericSchema);
  if (described !== undefined) return described;
  const node = nodeOf(schema);
  switch (node.type) {
    case 'optional':
      return allowedBy(node.wrapped as Schema);
    case 'number':
      return numberAllowedBy(node);
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'text of at least one character';
    case 'literal':
      return show(node.literal);
    case 'picklist':
      return (node.options ?? []).map(show).join(', ');
    case 'union':
      return (node.options ?? []).map((option) => allowedBy(option as Schema)).join(' or ');
    case 'array':
      return `a list of ${allowedBy(node.item as Schema)}${leastOf(node)}`;
    case 'record':
      return `an object of ${allowedBy(node.value as Schema)}`;
    case 'variant':
      return `an object with ${node.key} ${(node.options ?? [])
        .map((option) => allowedBy(nodeOf(option as Schema).entries?.[node.key ?? ''] as Schema))
        .join(' or ')}`;
    case 'strict_object':
      return `an object of ${keysOf(schema).join(', ')}`;
    default:
      return node.type;
  }
}

function numberAllowedBy(node: Node): string {
  const actions = actionsOf(node);
  // The last one counts: `v.pipe(count, v.minValue(30))` also holds the least value 1 of `count`.
  const requirement = (type: string) =>
    actions.findLast((action) => action.type === type)?.requirement;
  const [least, most] = [requirement('min_value'), requirement('max_value')];
  const what = actions.some(({ type }) => type === 'integer') ? 'a whole number' : 'a number';
  if (least === undefined) return what;
  return most === undefined ? `${what} of at least ${least}` : `${what} from ${least} to ${most}`;
}

type Action = NonNullable<Node['pipe']>[number];

/** The actions of a pipe, including those of the pipes inside it. */
function actionsOf({ pipe = [] }: Node): Action[] {
  return pipe.flatMap((action) =>
    'pipe' in action ? actionsOf(action as unknown as Node) : [action],
  );
}

function leastOf({ pipe = [] }: Node): string {
  const least = pipe.find(({ type }) => type === 'min_length')?.requirement;
  return least === undefined ? '' : `, at least ${least}`;
}

function keysOf(schema: Schema): string[] {
  const node = nodeOf(schema);
  if (node.type === 'optional') return keysOf(node.wrapped as Schema);
  return Object.keys(node.entries ?? {});
}

/** The schema at a path of the configuration. In a variant it follows the option that the input chose. */
function schemaAt(schema: Schema, input: unknown, path: readonly Key[]): Schema {
  const node = nodeOf(schema);
  if (node.type === 'optional') return schemaAt(node.wrapped as Schema, input, path);
  const [key, ...rest] = path;
  if (node.type === 'variant') {
    const chosen = chosenOption(node, input);
    return chosen === undefined ? schema : schemaAt(chosen, input, path);
  }
  if (key === undefined) return schema;
  const below = node.entries?.[key] ?? node.item ?? node.value;
  if (below === undefined) return schema;
  return schemaAt(below, (input as Record<Key, unknown> | undefined)?.[key], rest);
}

function chosenOption({ options = [], key = '' }: Node, input: unknown): Schema | undefined {
  const chosen = (input as Record<string, unknown> | undefined)?.[key];
  return options.find(
    (option) => nodeOf(nodeOf(option as Schema).entries?.[key] as Schema).literal === chosen,
  ) as Schema | undefined;
}

/**
 * Mistakes that valibot does not see: lists in the place of objects. It takes a list for an object without keys, and
 * everything in it would be ignored without a message.
 */
export function misplacedLists(
  schema: Schema,
  input: unknown,
  path: readonly Key[] = [],
): readonly string[] {
  const node = nodeOf(schema);
  if (node.type === 'optional') return misplacedLists(node.wrapped as Schema, input, path);
  if (typeof input !== 'object' || input === null) return [];
  if (Array.isArray(input)) {
    if (!['strict_object', 'record', 'variant'].includes(node.type)) return [];
    return [`${path.join('.') || 'config'}: ${show(input)}; allowed is ${allowedBy(schema)}`];
  }
  const { entries = {} } = nodeOf(
    node.type === 'variant' ? (chosenOption(node, input) ?? schema) : schema,
  );
  return Object.entries(input).flatMap(([key, below]) => {
    const own = entries[key];
    return own === undefined ? [] : misplacedLists(own, below, [...path, key]);
  });
}

/** A value as JSON, cut to 80 characters. Showing it is safe: a configuration holds no secrets. */
function show(value: unknown): string {
  // JSON.stringify would show NaN and Infinity as null.
  const text = (typeof value === 'number' ? undefined : JSON.stringify(value)) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}
