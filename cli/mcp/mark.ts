import * as v from 'valibot';
import { ServiceError } from '../../shared/errors.ts';

/** The line that was given last, for each stream of a meeting that has given any. */
export type MarkPositions = ReadonlyMap<string, readonly [epoch: number, sequence: number]>;

const MAX_LENGTH = 8_192;
const COUNT = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const MARK = v.strictObject({
  meeting: v.pipe(v.string(), v.nonEmpty()),
  at: v.pipe(
    // The library takes an array for a record.
    v.custom<object>((value) => !Array.isArray(value)),
    v.record(v.string(), v.strictTuple([COUNT, COUNT])),
    v.maxEntries(100),
  ),
});

/**
 * A mark says how far a client has read a meeting. It names lines by their numbers in the records, so it outlives this
 * process. It gives no right: what a client may read is decided without it.
 */
export function writeMark(meetingId: string, positions: MarkPositions): string {
  const mark = { meeting: meetingId, at: Object.fromEntries(positions) };
  return Buffer.from(JSON.stringify(mark)).toString('base64url');
}

/** @throws ServiceError `mcp/bad-argument` for what is no mark, or one of another meeting */
export function readMark(text: string, meetingId: string): MarkPositions {
  const { success, output } = v.safeParse(MARK, parse(text));
  if (!success) {
    throw new ServiceError('mcp/bad-argument', 'that is no mark: give one that an answer named');
  }
  if (output.meeting !== meetingId) {
    throw new ServiceError('mcp/bad-argument', 'that mark is of another meeting');
  }
  return new Map(Object.entries(output.at));
}

function parse(text: string): unknown {
  if (text.length > MAX_LENGTH) return undefined;
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}
