import { randomUUID } from 'node:crypto';
import type { AwsCall, AwsOperation } from './router.ts';

/** An event as PutEvents brought it. */
export interface PutEvent {
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The least that EventBridge refuses, and as much as anything here puts: text, type and JSON have to be there. */
const MOST_ENTRIES = 10;
const MOST_BYTES = 1024 * 1024;

/**
 * The part of EventBridge that an archive calls: PutEvents on the default bus. There are no rules and no targets; what was put
 * can be read here.
 */
export class LocalEventBridge {
  readonly #events: PutEvent[] = [];
  /** Called with each event. */
  onEvent: ((event: PutEvent) => void) | undefined;

  get events(): readonly PutEvent[] {
    return this.#events;
  }

  operations(): ReadonlyMap<string, AwsOperation> {
    return new Map<string, AwsOperation>([['AWSEvents.PutEvents', (call) => this.#put(call)]]);
  }

  #put(call: AwsCall) {
    const entries = Array.isArray(call['Entries']) ? call['Entries'].slice(0, MOST_ENTRIES) : [];
    const Entries = entries.map((entry: Readonly<Record<string, unknown>>) => {
      const event = readEvent(entry);
      if (event === undefined)
        return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
      this.#events.push(event);
      this.onEvent?.(event);
      return { EventId: randomUUID() };
    });
    return { Entries, FailedEntryCount: Entries.filter((entry) => 'ErrorCode' in entry).length };
  }
}

function readEvent(entry: Readonly<Record<string, unknown>>): PutEvent | undefined {
  const { Source: source, DetailType: detailType, Detail: text } = entry;
  if (typeof source !== 'string' || typeof detailType !== 'string' || typeof text !== 'string')
    return undefined;
  if (Buffer.byteLength(text) > MOST_BYTES) return undefined;
  try {
    const detail: unknown = JSON.parse(text);
    return typeof detail === 'object' && detail !== null && !Array.isArray(detail)
      ? { source, detailType, detail: { ...detail } }
      : undefined;
  } catch {
    return undefined;
  }
}
