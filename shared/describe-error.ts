import { ServiceError } from './errors.ts';

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
