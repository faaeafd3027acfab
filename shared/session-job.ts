/** The doorbell: an SQS body that says "look at this stream's row". It carries no state of its own. */
export interface SessionJob {
  readonly version: 1;
  readonly rtmsStreamId: string;
}

export function encodeSessionJob(rtmsStreamId: string): string {
  return JSON.stringify({ version: 1, rtmsStreamId } satisfies SessionJob);
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
  if (version !== 1 || typeof rtmsStreamId !== 'string' || rtmsStreamId === '') return undefined;
  return { version, rtmsStreamId };
}
