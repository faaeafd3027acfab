/** A value as DynamoDB has it on the wire: one key, the type. */
export type Value = Readonly<Record<string, unknown>>;
export type Item = Record<string, Value>;

interface Names {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, Value>>;
}

type Operand = (item: Item | undefined, names: Names) => Value | undefined;
export type Test = (item: Item | undefined, names: Names) => boolean;
type Change = (item: Item, names: Names) => void;
/** @returns the item after the update; the one before is as it was */
export type Update = (before: Item, names: Names) => Item;

const TOKEN = /\s*(<=|>=|<>|[=<>(),+-]|[#:]?[A-Za-z_][\w]*(?:\.[#]?[A-Za-z_][\w]*)*)/y;
const tests = new Map<string, Test>();
const changes = new Map<string, Update>();

/** A ConditionExpression or FilterExpression, as far as our code uses the language. @throws Error for the rest of it */
export function conditionOf(text: string): Test {
  return kept(tests, text, () => new Parser(text).condition());
}

/** An UpdateExpression of SET, REMOVE, and ADD of numbers. */
export function updateOf(text: string): Update {
  return kept(changes, text, () => new Parser(text).update());
}

function kept<T>(known: Map<string, T>, text: string, make: () => T): T {
  let made = known.get(text);
  if (made === undefined) {
    made = make();
    known.set(text, made);
  }
  return made;
}

class Parser {
  readonly #text: string;
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    TOKEN.lastIndex = 0;
    for (let at = 0; at < text.trimEnd().length; at = TOKEN.lastIndex) {
      const token = TOKEN.exec(text)?.[1];
      if (token === undefined) throw new Error(`expression not understood at ${at}: ${text}`);
      this.#tokens.push(token);
    }
  }

  condition(): Test {
    const test = this.#or();
    if (this.#at < this.#tokens.length) throw new Error(`expression not understood: ${this.#text}`);
    return test;
  }

  update(): Update {
    const all: Change[] = [];
    while (this.#at < this.#tokens.length) {
      const section = this.#take();
      const part = { SET: this.#set, REMOVE: this.#remove, ADD: this.#add }[section];
      if (part === undefined) throw new Error(`${section}: ${this.#text}`);
      do all.push(part.call(this));
      while (this.#skip(','));
    }
    // What is set is computed from the item as it was before.
    return (before, names) => {
      const item = { ...before };
      const whole = { ...names, before };
      for (const change of all) change(item, whole);
      return item;
    };
  }

  #set(): Change {
    const path = this.#take();
    this.#expect('=');
    let value = this.#operand();
    const sign = this.#skip('+') ? 1 : this.#skip('-') ? -1 : 0;
    if (sign !== 0) {
      const [left, right] = [value, this.#operand()];
      value = (item, names) => ({
        N: String(Number(left(item, names)?.['N']) + sign * Number(right(item, names)?.['N'])),
      });
    }
    return (item, names) => {
      const { before } = names as Names & { before: Item };
      write(item, path, names, value(before, names));
    };
  }

  #add(): Change {
    const path = this.#take();
    const value = this.#operand();
    return (item, names) => {
      const sum = Number(read(item, path, names)?.['N'] ?? 0) + Number(value(item, names)?.['N']);
      write(item, path, names, { N: String(sum) });
    };
  }

  #remove(): Change {
    const path = this.#take();
    return (item, names) => write(item, path, names, undefined);
  }

  #or(): Test {
    let test = this.#and();
    while (this.#skip('OR')) {
      const [left, right] = [test, this.#and()];
      test = (item, names) => left(item, names) || right(item, names);
    }
    return test;
  }

  #and(): Test {
    let test = this.#not();
    while (this.#skip('AND')) {
      const [left, right] = [test, this.#not()];
      test = (item, names) => left(item, names) && right(item, names);
    }
    return test;
  }

  #not(): Test {
    if (this.#skip('NOT')) {
      const inner = this.#not();
      return (item, names) => !inner(item, names);
    }
    if (this.#skip('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    for (const [name, wanted] of [
      ['attribute_exists', true],
      ['attribute_not_exists', false],
    ] as const) {
      if (!this.#skip(name)) continue;
      this.#expect('(');
      const path = this.#take();
      this.#expect(')');
      return (item, names) => (read(item, path, names) !== undefined) === wanted;
    }
    const left = this.#operand();
    const comparison = this.#take();
    const right = this.#operand();
    return (item, names) => compare(left(item, names), comparison, right(item, names));
  }

  #operand(): Operand {
    const token = this.#take();
    if (token.startsWith(':')) return (_, { values }) => values[token];
    if (token !== 'if_not_exists') return (item, names) => read(item, token, names);
    this.#expect('(');
    const path = this.#take();
    this.#expect(',');
    const otherwise = this.#operand();
    this.#expect(')');
    return (item, names) => read(item, path, names) ?? otherwise(item, names);
  }

  #take(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error(`expression ends too early: ${this.#text}`);
    return token;
  }

  #skip(token: string): boolean {
    const isIt = this.#tokens[this.#at] === token;
    if (isIt) this.#at += 1;
    return isIt;
  }

  #expect(token: string): void {
    if (this.#take() !== token) throw new Error(`expected ${token}: ${this.#text}`);
  }
}

function partsOf(path: string, { names }: Names): string[] {
  return path.split('.').map((part) => (part.startsWith('#') ? (names[part] ?? part) : part));
}

function read(item: Item | undefined, path: string, names: Names): Value | undefined {
  let at: Value | undefined = { M: item ?? {} };
  for (const part of partsOf(path, names)) at = (at?.['M'] as Item | undefined)?.[part];
  return at;
}

function write(item: Item, path: string, names: Names, value: Value | undefined): void {
  const parts = partsOf(path, names);
  const last = parts.pop() as string;
  let at = item;
  for (const part of parts) {
    const inner = at[part]?.['M'] as Item | undefined;
    if (inner === undefined) throw new Error(`no document at ${path}`);
    // The item before shares its documents.
    const copy = { ...inner };
    at[part] = { M: copy };
    at = copy;
  }
  if (value === undefined) delete at[last];
  else at[last] = value;
}

/** Values of different types are never equal and never in order; neither is a missing one. */
function compare(left: Value | undefined, comparison: string, right: Value | undefined): boolean {
  if (left === undefined || right === undefined) return comparison === '<>' && left !== right;
  const [[type, a] = [], [otherType, b] = []] = [Object.entries(left)[0], Object.entries(right)[0]];
  const isSame = type === otherType && JSON.stringify(a) === JSON.stringify(b);
  if (comparison === '=')
    return isSame || (type === 'N' && otherType === 'N' && Number(a) === Number(b));
  if (comparison === '<>') return !isSame;
  if (type !== otherType) return false;
  const [x, y] = type === 'N' ? [Number(a), Number(b)] : [String(a), String(b)];
  switch (comparison) {
    case '<':
      return x < y;
    case '<=':
      return x <= y;
    case '>':
      return x > y;
    case '>=':
      return x >= y;
    default:
      throw new Error(`comparison ${comparison}`);
  }
}
