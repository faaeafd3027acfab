import { LINE_KINDS, type LineKind } from './line.ts';

/** The schema of one argument, draft 2020-12, as the protocol wants it. It has a description and its bounds. */
export type ArgumentSchema =
  | {
      readonly type: 'integer';
      readonly minimum: number;
      readonly maximum: number;
      readonly default?: number;
      readonly description: string;
    }
  | {
      readonly type: 'string';
      readonly enum: readonly string[];
      readonly default: string;
      readonly description: string;
    }
  | {
      readonly type: 'string';
      readonly minLength?: number;
      readonly maxLength: number;
      readonly format?: 'date-time';
      readonly description: string;
    }
  | {
      readonly type: 'array';
      readonly items: { readonly type: 'string'; readonly enum: readonly string[] };
      readonly minItems: number;
      readonly maxItems: number;
      readonly default: readonly string[];
      readonly description: string;
    };

/** What a client may give for an argument of this schema. */
export type ValueOf<Schema extends ArgumentSchema> = Schema extends { readonly type: 'integer' }
  ? number
  : Schema extends { readonly enum: readonly (infer Word)[] }
    ? Word
    : Schema extends { readonly items: { readonly enum: readonly (infer Word)[] } }
      ? readonly Word[]
      : string;

/** The schema of all arguments of a tool. */
export interface ArgumentsSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, ArgumentSchema>>;
  readonly required?: readonly string[];
  /** A client that misspells an argument is told so. */
  readonly additionalProperties: false;
}

export function schemaOf(
  required: Readonly<Record<string, ArgumentSchema>>,
  optional: Readonly<Record<string, ArgumentSchema>>,
): ArgumentsSchema {
  const names = Object.keys(required);
  return {
    type: 'object',
    properties: { ...required, ...optional },
    ...(names.length > 0 && { required: names }),
    additionalProperties: false,
  };
}

export const MEETING = {
  type: 'string',
  minLength: 1,
  maxLength: 512,
  description:
    'which meeting: an id that list_meetings gives, a meeting number or UUID, a part of its topic, or a time ("yesterday 10:00")',
} as const;

export const MARK = {
  type: 'string',
  minLength: 1,
  maxLength: 8192,
  description: 'the mark of an earlier answer about the same meeting: go on behind it',
} as const;

/** What people say, which is what a client gets that asks for no kinds. */
export const SPOKEN: readonly LineKind[] = ['said', 'chat'];

export const KINDS = {
  type: 'array',
  items: { type: 'string', enum: LINE_KINDS },
  minItems: 1,
  maxItems: LINE_KINDS.length,
  default: SPOKEN,
  description: 'which kinds of lines',
} as const;

/** How many of something, 1 at least. @param description for example `lines at most` */
export function atMost(maximum: number, fallback: number, description: string) {
  return { type: 'integer', minimum: 1, maximum, default: fallback, description } as const;
}

/** How many of something are left out, so that a client can go on where an answer ended. */
export function skipOf(maximum: number, what: string) {
  const description = `how many ${what} are left out, to go on`;
  return { type: 'integer', minimum: 0, maximum, default: 0, description } as const;
}

/** A text to look for. */
export function textArgument(description: string) {
  return { type: 'string', minLength: 1, maxLength: 200, description } as const;
}

/** A moment. @param what for example `leave out what was captured before` */
export function momentArgument(what: string) {
  return {
    type: 'string',
    format: 'date-time',
    maxLength: 40,
    description: `${what}, RFC 3339`,
  } as const;
}
