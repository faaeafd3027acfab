import { ServiceError } from '../../../shared/errors.ts';
import { encodeEventText } from '../../../shared/record/event.ts';
import type { EventName } from '../../../shared/record/event-data.ts';
import { markRecoveredLine } from '../../../shared/record/media-record.ts';
import { EventDecoder, type ReceivedEvent } from '../records/event-record.ts';

/** An object of events: CloudEvents as in the `events` stream, one a line, by epoch and sequence, no `id` twice. */

/** The bytes of one event as the runner wrote them. */
export function archivedLine(event: ReceivedEvent): Uint8Array {
  const { recovered, sequence, time } = event;
  // The version in `type` is all that an event of a later version has beside the others.
  const name = (event.name === 'newer' ? 'other' : event.name) satisfies EventName;
  const text = encodeEventText(event, name, sequence, time.getTime(), JSON.stringify(event.data));
  const line = event.name === 'newer' ? withType(text, event.type) : text;
  return recovered ? markRecoveredLine(line) : line;
}

function withType(line: Buffer, type: string): Buffer {
  const document: object = JSON.parse(line.toString());
  return Buffer.from(`${JSON.stringify({ ...document, type })}\n`);
}

/** The events of one minute while they are gathered. */
export class EventSlice {
  readonly #lines: Uint8Array[] = [];
  #heldBytes = 0;

  get heldBytes(): number {
    return this.#heldBytes;
  }

  add(event: ReceivedEvent): void {
    const line = archivedLine(event);
    this.#lines.push(line);
    this.#heldBytes += line.length + LINE_OVERHEAD_BYTES;
  }

  /** The bytes of the object. */
  bytes(): Buffer {
    return sortedEvents([Buffer.concat(this.#lines)]);
  }
}

/** What V8 takes for each line beside its bytes, about. */
const LINE_OVERHEAD_BYTES = 200;

/** @throws ServiceError `record/malformed` */
export function eventsOfObject(bytes: Buffer): ReceivedEvent[] {
  if (bytes.length === 0) return [];
  if (bytes.at(-1) !== 0x0a) {
    throw new ServiceError('record/malformed', 'object of events that ends inside a line');
  }
  const decoder = new EventDecoder({ repeats: 'keep' });
  return [...decoder.decode({ data: bytes, partitionKey: '', sequenceNumber: '' })];
}

/** The union of objects of one minute, each event once, as `sortedMedia`. */
export function sortedEvents(objects: readonly Buffer[]): Buffer {
  const byId = new Map<string, ReceivedEvent>();
  for (const event of objects.flatMap(eventsOfObject))
    if (!byId.has(event.id)) byId.set(event.id, event);
  const all = [...byId.values()].sort((a, b) => a.epoch - b.epoch || a.sequence - b.sequence);
  return Buffer.concat(all.map(archivedLine));
}
