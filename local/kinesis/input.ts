import { ApiError } from './api-error.ts';

/** The parsed body of one call, AWS JSON 1.1. Each operation checks the members that it reads. */
export type Input = Readonly<Record<string, unknown>>;

/** What the API reference allows for a text: its length in characters, its form, or its values. */
export interface TextRule {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
  readonly oneOf?: readonly string[];
}

/** @throws ApiError SerializationException unless the body is a JSON object */
export function parseInput(body: string): Input {
  let value: unknown;
  try {
    value = JSON.parse(body === '' ? '{}' : body);
  } catch {
    throw new ApiError('SerializationException', 'The request body is not JSON.');
  }
  return asObject(value);
}

/** The value as an object. @throws ApiError SerializationException */
export function asObject(value: unknown): Input {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Input;
  throw new ApiError(
    'SerializationException',
    'Start of structure or map found where not expected.',
  );
}

/** A member that is an object; undefined when it is absent or null. @throws ApiError SerializationException */
export function optionalObject(input: Input, member: string): Input | undefined {
  const value = input[member];
  return value === undefined || value === null ? undefined : asObject(value);
}

/** @throws ApiError ValidationException, SerializationException */
export function optionalText(
  input: Input,
  member: string,
  rule: TextRule = {},
): string | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrongType(member, 'a string');
  if (rule.min !== undefined && value.length < rule.min) {
    throw invalid(member, value, `have length greater than or equal to ${rule.min}`);
  }
  if (rule.max !== undefined && value.length > rule.max) {
    throw invalid(member, value, `have length less than or equal to ${rule.max}`);
  }
  if (rule.pattern !== undefined && !rule.pattern.test(value)) {
    throw invalid(member, value, `satisfy regular expression pattern: ${rule.pattern.source}`);
  }
  if (rule.oneOf !== undefined && !rule.oneOf.includes(value)) {
    throw invalid(member, value, `satisfy enum value set: [${rule.oneOf.join(', ')}]`);
  }
  return value;
}

/** A text that has to be there. @throws ApiError ValidationException, SerializationException */
export function text(input: Input, member: string, rule: TextRule = {}): string {
  return required(member, optionalText(input, member, rule));
}

/**
 * A whole number from `min` to `max`; undefined when it is absent or null. @throws ApiError ValidationException,
 * SerializationException
 */
export function optionalInteger(
  input: Input,
  member: string,
  min: number,
  max: number,
): number | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (!Number.isSafeInteger(value)) throw wrongType(member, 'an integer');
  const number = value as number;
  if (number < min) throw invalid(member, value, `have value greater than or equal to ${min}`);
  if (number > max) throw invalid(member, value, `have value less than or equal to ${max}`);
  return number;
}

/** A whole number that has to be there. @throws ApiError ValidationException, SerializationException */
export function integer(input: Input, member: string, min: number, max: number): number {
  return required(member, optionalInteger(input, member, min, max));
}

/** AWS JSON has times as seconds since 1970 with a fraction. @returns Unix ms */
export function optionalTimestampMs(input: Input, member: string): number | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw wrongType(member, 'a timestamp');
  return Math.round(value * 1000);
}

/**
 * A list of `min` to `max` elements, which are not checked. @throws ApiError ValidationException,
 * SerializationException
 */
export function list(input: Input, member: string, min: number, max: number): readonly unknown[] {
  const value = required(member, input[member] ?? undefined);
  if (!Array.isArray(value)) throw wrongType(member, 'a list');
  if (value.length < min) {
    throw invalid(member, '[...]', `have length greater than or equal to ${min}`);
  }
  if (value.length > max) {
    throw invalid(member, '[...]', `have length less than or equal to ${max}`);
  }
  return value;
}

/** @param member path in the wire's spelling, e.g. `Records.3.PartitionKey` */
export function invalid(member: string, value: unknown, rule: string): ApiError {
  const path = member.charAt(0).toLowerCase() + member.slice(1);
  return new ApiError(
    'ValidationException',
    `1 validation error detected: Value '${String(value)}' at '${path}' failed to satisfy constraint: ` +
      `Member must ${rule}`,
  );
}

function required<T>(member: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw invalid(member, 'null', 'not be null');
}

/** The error for a member of the wrong JSON type. */
export function wrongType(member: string, expected: string): ApiError {
  return new ApiError('SerializationException', `${member} is not ${expected}.`);
}
