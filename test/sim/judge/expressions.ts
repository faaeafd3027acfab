/**
 * Conditions and updates of DynamoDB, as far as the session table uses them: read from their text and applied to plain
 * items. It is written apart from every table that the simulation runs on, so that each is a check of the other.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
 */

export type Item = Readonly<Record<string, unknown>>;

/** The values that an expression is read with. */
export interface ExpressionValues {
  readonly names?: Readonly<Record<string, string>> | undefined;
  readonly values?: Readonly<Record<string, unknown>> | undefined;
}

type Test = (item: Item, given: ExpressionValues) => boolean;

const tests = new Map<string, Test>();

/** Does an item meet a condition? None is always met. @param item undefined: there is no such row */
export function meets(
  item: Item | undefined,
  condition: string | undefined,
  given: ExpressionValues,
): boolean {
  if (condition === undefined) return true;
  let test = tests.get(condition);
  if (test === undefined) {
    test = parseCondition(condition);
    tests.set(condition, test);
  }
  return test(item ?? {}, given);
}

/** @returns the item after an update. @param item with its key at least */
export function updated(item: Item, update: string, given: ExpressionValues): Item {
  const next: Record<string, unknown> = { ...item };
  for (const [, verb = '', list = ''] of update.matchAll(
    /\b(SET|REMOVE|ADD) (.*?)(?= (?:SET|REMOVE|ADD) |$)/g,
  )) {
    for (const part of splitList(list)) {
      if (verb === 'REMOVE') delete next[nameOf(part, given)];
      else if (verb === 'ADD') add(next, part, given);
      else set(next, item, part, given);
    }
  }
  return next;
}

/** One text for equal values, whatever the order of their fields; fields that are undefined count as absent. */
export function textOf(value: unknown): string {
  const text: string | undefined = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
  return text ?? 'nothing';
}

function set(next: Record<string, unknown>, item: Item, part: string, given: ExpressionValues) {
  const [target = '', source = ''] = part.split(' = ');
  const ifAbsent = /^if_not_exists\(([#\w]+), (:\w+)\)$/.exec(source);
  const name = nameOf(target, given);
  if (ifAbsent === null) next[name] = givenValue(source, given);
  else {
    const [, old = '', other = ''] = ifAbsent;
    next[name] = item[nameOf(old, given)] ?? givenValue(other, given);
  }
}

function add(next: Record<string, unknown>, part: string, given: ExpressionValues) {
  const [target = '', source = ''] = part.split(' ');
  const name = nameOf(target, given);
  next[name] = Number(next[name] ?? 0) + Number(givenValue(source, given));
}

/** Splits at the commas that stand in no brackets. */
const splitList = (list: string) => list.split(/,\s*(?![^(]*\))/).map((part) => part.trim());

const nameOf = (part: string, { names = {} }: ExpressionValues) => {
  const name = part.startsWith('#') ? names[part] : part;
  if (name === undefined) throw new Error(`an expression has a name that is not given: ${part}`);
  return name;
};

const givenValue = (part: string, { values = {} }: ExpressionValues) => {
  if (!(part in values)) throw new Error(`an expression has a value that is not given: ${part}`);
  return values[part];
};

function parseCondition(text: string): Test {
  const tokens = text.match(/[()]|<>|<=|>=|=|<|>|[#:\w.]+/g) ?? [];
  let at = 0;
  const next = () => tokens[at++] ?? '';
  const either = (): Test =>
    joined(
      'OR',
      both,
      (a, b) =>
        (...of) =>
          a(...of) || b(...of),
    );
  const both = (): Test =>
    joined(
      'AND',
      single,
      (a, b) =>
        (...of) =>
          a(...of) && b(...of),
    );
  const joined = (word: string, part: () => Test, join: (a: Test, b: Test) => Test): Test => {
    let test = part();
    while (tokens[at] === word) {
      at += 1;
      test = join(test, part());
    }
    return test;
  };
  const single = (): Test => {
    const token = next();
    if (token === '(') {
      const inner = either();
      next();
      return inner;
    }
    if (token === 'attribute_exists' || token === 'attribute_not_exists') {
      next();
      const path = next();
      next();
      const wanted = token === 'attribute_exists';
      return (item, given) => (read(item, path, given) !== undefined) === wanted;
    }
    return comparison(token, next(), next());
  };
  const test = either();
  if (at !== tokens.length) throw new Error(`a condition that cannot be read: ${text}`);
  return test;
}

function comparison(left: string, operator: string, right: string): Test {
  return (item, given) => {
    const [a, b] = [left, right].map((part) =>
      part.startsWith(':') ? givenValue(part, given) : read(item, part, given),
    );
    if (operator === '<>') return textOf(a) !== textOf(b);
    if (a === undefined || b === undefined) return false;
    if (operator === '=') return a === b || textOf(a) === textOf(b);
    // Values of two types are never in order.
    if (typeof a !== typeof b) return false;
    const order = (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
    return (
      { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[operator] ?? false
    );
  };
}

function read(item: Item, path: string, given: ExpressionValues): unknown {
  let value: unknown = item;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Item)[nameOf(part, given)];
  }
  return value;
}
