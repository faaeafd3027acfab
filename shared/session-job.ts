import { randomUUID } from 'node:crypto';
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
  const { version, rtmsStreamId } = fieldsOf<SessionJob>(body);
  // A longer id is no key of the table: asked for it, DynamoDB would refuse the read again and again.
  if (version !== 1 || !isStreamId(rtmsStreamId)) return undefined;
  return { version, rtmsStreamId };
}

/**
 * The catcher is the Lambda function that claims a start when no task has. It is an owner as every task is, with a row
 * and a heartbeat. Only its id tells it apart: the id of a task in ECS is hexadecimal.
 */
const CATCHER_ID = 'catcher-';

/** Seconds from the webhook, or from a hand-over, until the catcher looks at the row. A task with room claims sooner. */
export const LOOK_AFTER_SECONDS = 2;

/** @returns the id of one execution of the catcher, as owner of its streams */
export function newCatcherId(): string {
  return `${CATCHER_ID}${randomUUID()}`;
}

/** Is this owner an execution of the catcher, and no task? */
export function isCatcher(taskId: string): boolean {
  return taskId.startsWith(CATCHER_ID);
}

/**
 * An SQS message that says "this execution of the catcher is dead if its heartbeat still is what it was". Where no task
 * runs, nobody else would notice that it was killed. An execution sends one after each renewal, invisible for
 * `CATCHER_LOOK_SECONDS`, so the last one is seen no later than another task's own watch would see the silence.
 */
export interface CatcherLook {
  readonly version: 1;
  readonly catcherId: string;
  /** As it was written or read before the message was sent. */
  readonly heartbeat: number | string;
  /**
   * Whoever finds the execution alive sends the next one. There is one such chain for each execution, in case it is killed
   * between a renewal and the message about it.
   */
  readonly isChain?: true;
}

/** As long as others wait before they call a silent task dead (`EXPIRE_AFTER_MS`). */
export const CATCHER_LOOK_SECONDS = 10;

/** The body of the message: JSON. */
export function encodeCatcherLook(look: Omit<CatcherLook, 'version'>): string {
  return JSON.stringify({ version: 1, ...look } satisfies CatcherLook);
}

/** @returns undefined for a body that is none */
export function decodeCatcherLook(body: string): CatcherLook | undefined {
  const { version, catcherId, heartbeat, isChain } = fieldsOf<CatcherLook>(body);
  if (version !== 1 || typeof catcherId !== 'string' || !isCatcher(catcherId)) return undefined;
  if (typeof heartbeat !== 'number' && typeof heartbeat !== 'string') return undefined;
  return { version, catcherId, heartbeat, ...(isChain === true && { isChain }) };
}

/** The fields of a message of ours, none of them checked. None of a body that is no JSON object. */
function fieldsOf<Message>(body: string): { readonly [Name in keyof Message]?: unknown } {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
