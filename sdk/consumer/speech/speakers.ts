import { streamKey } from '../../../shared/record/partition-key.ts';
import type { SavedPosition } from '../reading/checkpoints.ts';
import { type EventReader, events, frames } from '../reading/reader.ts';
import type { StreamReader } from '../reading/stream-pages.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import type { SpeakerLane } from './speaker-lane.ts';
import { readSpeechOptions, type SpeakersOptions, type SpeechSettings } from './speech-options.ts';
import { SpeechReading } from './speech-reading.ts';

/** Records arrive after they were captured. The rest is for clocks that differ. */
const REREAD_MS = 60_000;

/**
 * Speech for recognisers: yields a lane for each speaker who joins, and each lane is that speaker's sound as continuous
 * 16-bit samples, decoded, resampled, and at its time. Read each lane in a task of its own, or close it.
 *
 * The reading begins with the first lane that is asked for, and goes on whether or not lanes are taken. When it fails, the lanes hand
 * out what they hold and then throw the same error as this loop. Leaving this loop ends the reading and all lanes.
 *
 * @throws ServiceError `config/invalid` for options that cannot be used, at once; what `frames` throws, from the loop
 */
export function speakers(options: SpeakersOptions): AsyncGenerator<SpeakerLane, void, undefined> {
  return lanes(options, readSpeechOptions(options));
}

async function* lanes(
  options: SpeakersOptions,
  settings: SpeechSettings,
): AsyncGenerator<SpeakerLane, void, undefined> {
  const stop = new AbortController();
  const joined: SpeakerLane[] = [];
  let wake: (() => void) | undefined;
  let isOver = false;
  const reading = read(options, settings, stop.signal, (lane) => {
    joined.push(lane);
    wake?.();
  });
  // Awaited below. Until then a failure must not end the process.
  reading
    .catch(() => undefined)
    .finally(() => {
      isOver = true;
      wake?.();
    });
  try {
    for (;;) {
      const lane = joined.shift();
      if (lane !== undefined) yield lane;
      else if (isOver) break;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    await reading;
  } finally {
    stop.abort();
  }
}

/** Reads all frames, and events, into lanes. */
async function read(
  options: SpeakersOptions,
  settings: SpeechSettings,
  stop: AbortSignal,
  onJoined: (lane: SpeakerLane) => void,
): Promise<void> {
  const reading = new SpeechReading(options, settings, onJoined);
  const over = new AbortController();
  let failure: unknown;
  const endAll = () => reading.finish(failure);
  // A lane that waits for room must not keep the reading from its end.
  stop.addEventListener('abort', endAll);
  try {
    const signal = AbortSignal.any([stop, over.signal]);
    const startAt = beginning(options);
    const events = eventSource(options, startAt, signal);
    for await (const event of events.before()) reading.event(event);
    await Promise.race([
      eachItem(events.after(), (event) => reading.event(event), signal).then(forever),
      eachItem(
        frameSource(options, startAt, signal, reading),
        (frame) => reading.frame(frame),
        signal,
      ),
    ]);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    over.abort();
    stop.removeEventListener('abort', endAll);
    endAll();
    reading.close();
  }
}

async function eachItem<Item>(
  items: AsyncIterable<Item>,
  take: (item: Item) => Promise<void> | void,
  stop: AbortSignal,
): Promise<void> {
  for await (const item of items) {
    if (stop.aborted) return;
    await take(item);
  }
}

/** Sound may come when there are no events any more. */
function forever(): Promise<never> {
  return new Promise(() => undefined);
}

/** Where the frames begin, and the events with them. */
function beginning({ reader, resume = [] }: SpeakersOptions): StreamReader['startAt'] {
  const startAt = Symbol.asyncIterator in reader ? undefined : reader.startAt;
  if (startAt !== undefined || resume.length === 0) return startAt;
  return new Date(Math.min(...resume.map(({ atMs }) => atMs)) - REREAD_MS);
}

function frameSource(
  { reader }: SpeakersOptions,
  startAt: StreamReader['startAt'],
  stop: AbortSignal,
  reading: SpeechReading,
): AsyncIterable<Frame> {
  if (Symbol.asyncIterator in reader) return reader;
  return frames({
    ...reader,
    ...(startAt !== undefined && { startAt }),
    signal: reader.signal ? AbortSignal.any([reader.signal, stop]) : stop,
    onProgress(page) {
      reader.onProgress?.(page);
      const { shardId, millisBehindLatest, isEnded } = page;
      const isKnown = isEnded !== true && millisBehindLatest !== undefined;
      reading.progress({
        shardId,
        ...(isKnown && { readUntilMs: Date.now() - millisBehindLatest }),
      });
    },
  });
}

interface EventSource {
  /** What was written before the reading began. */
  before(): AsyncIterable<ReceivedEvent>;
  after(): AsyncIterable<ReceivedEvent>;
}

function eventSource(
  { events: reader, rtmsStreamId }: SpeakersOptions,
  mediaStartAt: StreamReader['startAt'],
  stop: AbortSignal,
): EventSource {
  if (reader === undefined) return { before: none, after: none };
  if (Symbol.asyncIterator in reader) return { before: none, after: () => reader };
  const startAt = reader.startAt ?? mediaStartAt;
  const saved = new Map<string, SavedPosition>();
  const all: EventReader = {
    ...reader,
    // The tip itself would be another one for the second part.
    ...(startAt !== undefined && { startAt: startAt === 'LATEST' ? new Date() : startAt }),
    ...(rtmsStreamId !== undefined && { partitionKey: streamKey(rtmsStreamId) }),
    signal: reader.signal ? AbortSignal.any([reader.signal, stop]) : stop,
    checkpoints: {
      load: async (shardId) => saved.get(shardId),
      save: async (shardId, position, seen) => void saved.set(shardId, { position, seen }),
    },
  };
  return { before: () => events({ ...all, stopAtTip: true }), after: () => events(all) };
}

async function* none(): AsyncGenerator<never, void, undefined> {}
