import { decodeAggregate, EventDecoder } from '../../../sdk/consumer/index.ts';

/** A Kinesis record as a pipe hands it to its enrichment; the other fields are not needed. */
export interface PipeRecord {
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  /** Base64. */
  readonly data: string;
}

/** A line of the `events` stream as it stands there (docs/records.md). */
export type Line = Readonly<Record<string, unknown>>;

/** What becomes the `detail` of one event on the bus: the wanted lines of one Kinesis record. */
export interface Envelope {
  readonly events: readonly Line[];
  /** Lines that are none of ours, or damaged. They are in the Kinesis stream alone. */
  readonly unreadable: number;
  readonly partitionKey: string;
  readonly sequenceNumber: string;
}

/** Events of sessions and their losses. Of a transcript, or a webinar's participants, there are thousands, and the bus costs by the event. */
const NAMES =
  /^(session_(started|ended|missed|restart|revoked|taken_over|handed_over)|gap|start_failed|request_status|concurrency_limited)$/;

/** All entries of one PutEvents call have 256 KB together. The rest is for the attributes around them. */
const MAX_BATCH_BYTES = 200_000;

/**
 * The enrichment of the pipe. One envelope for each record that holds something wanted, so that there are never more than records came:
 * of an array that is longer than a batch of the target the pipe sends nothing.
 *
 * @returns an empty array when there is nothing to send
 */
export const handler = async (records: readonly PipeRecord[]): Promise<Envelope[]> =>
  withinLimit(records.map(envelopeOf).filter(isWanted));

function envelopeOf({ data, partitionKey, sequenceNumber }: PipeRecord): Envelope {
  const lines = decodeAggregate(Buffer.from(data, 'base64'), partitionKey)
    .flatMap((part) => part.data.toString().split('\n'))
    .filter((line) => line.trim() !== '');
  const read = lines.map((line) => readLine(line, partitionKey, sequenceNumber));
  return {
    events: read.filter((line) => line !== undefined).filter((line) => NAMES.test(nameOf(line))),
    unreadable: read.filter((line) => line === undefined).length,
    partitionKey,
    sequenceNumber,
  };
}

const isWanted = ({ events, unreadable }: Envelope) => events.length > 0 || unreadable > 0;
const nameOf = (line: Line) => String(line['type']).split('.')[1] ?? '';
const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/** @returns the line as it is, checked by the kit; undefined of one that is none of ours */
function readLine(line: string, partitionKey: string, sequenceNumber: string): Line | undefined {
  // Of its own for each line: a pipe repeats batches, and a decoder that knows the line would drop it.
  const decoder = new EventDecoder({ onBadRecord: () => undefined });
  const [event] = decoder.decode({ data: Buffer.from(line), partitionKey, sequenceNumber });
  return event && JSON.parse(line);
}

/** Leaves out the `data` of the largest lines until the rest fits: a ledger may fill a whole Kinesis record. */
function withinLimit(envelopes: readonly Envelope[]): Envelope[] {
  const largestFirst = envelopes
    .flatMap(({ events }) => events)
    .sort((a, b) => sizeOf(b) - sizeOf(a));
  let size = sizeOf(envelopes);
  const leftOut = new Set<Line>();
  for (const line of largestFirst) {
    if (size <= MAX_BATCH_BYTES) break;
    leftOut.add(line);
    size -= sizeOf(line['data']);
  }
  const short = (line: Line) =>
    leftOut.has(line) ? { ...line, data: {}, dataLeftOut: true } : line;
  return envelopes.map((envelope) => ({ ...envelope, events: envelope.events.map(short) }));
}
