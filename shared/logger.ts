import { ServiceError } from './errors.ts';

/** Fields a log line may carry: ids, counts, codes. Never media, text, names of people, secrets or payloads. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What the pure and protocol parts need of a logger; pino and Powertools both fit behind it. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

/** Says nothing: the default where no logger was given. */
export const SILENT_LOGGER: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => SILENT_LOGGER,
};

/** Most characters of one field: ids, reasons and addresses are far from it. */
const MAX_FIELD_CHARACTERS = 4_000;

/** Cuts what is too long, so that no log line is: CloudWatch takes 256 KiB of one, and charges for each byte. */
export function boundFields(fields: Record<string, unknown>): Record<string, unknown> {
  const bound: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) bound[name] = boundField(value);
  return bound;
}

function boundField(value: unknown): unknown {
  if (typeof value === 'string') {
    const { length } = value;
    if (length <= MAX_FIELD_CHARACTERS) return value;
    return `${value.slice(0, MAX_FIELD_CHARACTERS).toWellFormed()}… (${length} characters)`;
  }
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  // What no JSON can show would end the line; without it the line still says the rest.
  try {
    const text = JSON.stringify(value) ?? '';
    return text.length <= MAX_FIELD_CHARACTERS ? value : { cut: text.length };
  } catch {
    return { cut: true };
  }
}

/** Enough to find the line; the rest of a deep stack is libraries. */
const MAX_FRAMES = 8;

/** A line of a V8 stack that names a place in code, and nothing else. */
const FRAME = /^ {4}at (?:[\w$.#<>[\] ]+ )?\(?(?:file:|node:|\/|<anonymous>|[A-Z]:\\)[^()\s]*\)?$/;

/** What V8 writes before the message. */
const HEAD = /^(?:[\w$.]+(?: \[\w+\])?(?:: )?)?$/;

/**
 * An error as it may be logged. Of ours: code, message and detail. Of others: name, code and the stack's frames,
 * never the message, because a foreign message may quote what it choked on.
 */
export function describeError(error: unknown): unknown {
  if (error instanceof ServiceError) {
    const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
    return { code: error.code, message: error.message, ...error.detail, ...cause };
  }
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, code } = error as Error & { code?: unknown };
  const stack = framesOf(error);
  return {
    name,
    ...(typeof code === 'string' && { code }),
    ...(stack.length > 0 && { stack }),
  };
}

/** The stack without the message, which may have any number of lines, some of them made to look like frames. */
function framesOf({ stack = '', message }: Error): string[] {
  const start = stack.indexOf(message);
  if (start < 0 || !HEAD.test(stack.slice(0, start))) return [];
  return stack
    .slice(start + message.length)
    .split('\n')
    .filter((line) => FRAME.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => line.trim());
}
