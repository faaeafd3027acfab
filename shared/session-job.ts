import { isStreamId } from './input-limits.ts';

/** The body of an SQS message that says "look at this stream's row". It carries no state: the row does. */
export interface SessionJob {
  readonly version: 1;
  readonly rtmsStreamId: string;
}

/** @returns JSON in ASCII: SQS refuses a body with certain characters, which an opaque id may hold */
export function encodeSessionJob(rtmsStreamId: string): string {
  const json = JSON.stringify({ version: 1, rtmsStreamId } satisfies SessionJob);
  return json.replace(/[^\x20-\x7e]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** @returns undefined for a body that is not ours: the poller leaves it to the dead-letter queue */
export function decodeSessionJob(body: string): SessionJob | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { version, rtmsStreamId } = value as Partial<SessionJob>;
  // A longer id is no key of the table: asked for it, DynamoDB would refuse the read again and again.
  if (version !== 1 || !isStreamId(rtmsStreamId)) return undefined;
  return { version, rtmsStreamId };
}
