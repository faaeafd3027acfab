import { streamKey } from '../../../shared/record/partition-key.ts';
import type { FenceMark } from '../records/epoch-fence.ts';
import { EventDecoder, type ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import { type DecodeOptions, FrameDecoder, type KinesisRecord } from '../records/records.ts';
import { ReorderWindow, type Timed } from '../records/reorder-window.ts';
import { Checkpoints, type Ticket } from './checkpoints.ts';
import { checkReader, requireOption } from './reader-options.ts';
import { type StreamReader, streamPages } from './stream-pages.ts';

/** What `events` reads, and how. */
export interface EventReader extends StreamReader, DecodeOptions {}

/** What `frames` reads, and how. */
export interface FrameReader extends StreamReader, DecodeOptions {
  /**
   * How long frames are held back, ms, to bring speakers and shards into order of capture. Frames of one partition key
   * are in order without it.
   *
   * @default 0, as they come
   */
  readonly reorderWindowMs?: number;
}

/** Whose frames or events are wanted. */
interface OneMeeting {
  readonly rtmsStreamId: string;
}

/**
 * Reads the `media` stream: whole frames, each once, from all shards, following resharding.
 *
 * A checkpoint is saved when all frames before it were taken and the next one was asked for (after each page, each
 * second, and at the end). A consumer that stops in the middle sees the record again at which it stopped.
 *
 * @throws ServiceError `config/invalid` for an option that is missing or misspelt, `record/*` for a bad record (see
 *   `onBadRecord`), `kinesis/*` when the stream cannot be read any more
 */
export function frames(reader: FrameReader): AsyncGenerator<Frame, void, undefined> {
  const windowMs = reader.reorderWindowMs ?? 0;
  return items(reader, new FrameDecoder(reader), windowMs, (frame) => frame, FrameDecoder.markOf);
}

/** Reads the `events` stream, as `frames` reads media. */
export function events(reader: EventReader): AsyncGenerator<ReceivedEvent, void, undefined> {
  return items(reader, new EventDecoder(reader), 0, () => UNTIMED, EventDecoder.markOf);
}

/**
 * Reads the frames of one meeting alone, as `frames` does. It reads all shards, because the cameras and shares of a
 * meeting are spread over them.
 */
export async function* meetingFrames({
  rtmsStreamId,
  ...reader
}: FrameReader & OneMeeting): AsyncGenerator<Frame, void, undefined> {
  requireOption('rtmsStreamId', rtmsStreamId || undefined);
  for await (const frame of frames(reader)) {
    if (frame.rtmsStreamId === rtmsStreamId) yield frame;
  }
}

/** Reads the events of one meeting alone, as `events` does, from the only shards that hold its partition key. */
export async function* meetingEvents({
  rtmsStreamId,
  ...reader
}: EventReader & OneMeeting): AsyncGenerator<ReceivedEvent, void, undefined> {
  requireOption('rtmsStreamId', rtmsStreamId || undefined);
  for await (const event of events({ ...reader, partitionKey: streamKey(rtmsStreamId) })) {
    if (event.rtmsStreamId === rtmsStreamId) yield event;
  }
}

const UNTIMED: Timed = { capturedAt: new Date(0), payload: new Uint8Array() };

interface Decoder<Item> {
  /** Has a frame begun whose last chunk has not come yet? */
  readonly waiting?: boolean;
  restore(seen: readonly FenceMark[]): void;
  decode(record: KinesisRecord): Iterable<Item>;
  finish?(): void;
}

async function* items<Item>(
  reader: StreamReader,
  decoder: Decoder<Item>,
  windowMs: number,
  timeOf: (item: Item) => Timed,
  markOf: (item: Item) => FenceMark,
): AsyncGenerator<Item, void, undefined> {
  checkReader(reader);
  const checkpoints = new Checkpoints(reader.checkpoints, windowMs > 0);
  const position = async (shardId: string) => {
    const saved = await checkpoints.load(shardId);
    decoder.restore(saved.seen);
    return saved.position;
  };
  const window = new ReorderWindow<{ item: Item; ticket: Ticket }>(windowMs);

  async function* leave(take: () => { item: Item; ticket: Ticket } | undefined) {
    for (let next = take(); next; next = take()) {
      yield next.item;
      const saving = checkpoints.done(next.ticket, markOf(next.item));
      if (saving !== undefined) await saving;
    }
  }
  const takeReady = () => window.take(performance.now());
  const takeAll = () => window.drain();

  try {
    for await (const page of streamPages(reader, position)) {
      for (const record of page.records) {
        const ticket = checkpoints.begin(page.shardId);
        const nowMs = performance.now();
        for (const item of decoder.decode(record)) {
          ticket.open += 1;
          window.push({ item, ticket }, timeOf(item), nowMs);
        }
        // The same as `leave`, written out: there every item would pass through one more generator.
        for (let next = window.take(nowMs); next; next = window.take(nowMs)) {
          yield next.item;
          const saving = checkpoints.done(next.ticket, markOf(next.item));
          if (saving !== undefined) await saving;
        }
        // After a restart, a frame that waits for chunks must be read again from its first chunk.
        if (!decoder.waiting) ticket.position = record.sequenceNumber;
        const saving = checkpoints.done(ticket);
        if (saving !== undefined) await saving;
      }
      const end = checkpoints.begin(page.shardId);
      if (!decoder.waiting) end.position = page.position;
      await checkpoints.done(end, undefined, true);
      yield* leave(takeReady);
    }
    yield* leave(takeAll);
    if (reader.stopAtTip) decoder.finish?.();
  } catch (error) {
    yield* leave(takeAll);
    throw error;
  } finally {
    // A consumer that stops in the middle resumes behind the last record it has finished.
    await checkpoints.flush();
  }
}
