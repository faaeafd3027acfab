import { EpochFence } from '../../../sdk/consumer/records/epoch-fence.ts';
import type { FrameEvent, HistoryEvent, Problem, RecordEvent, WrittenUnit } from '../history.ts';
import { Explanations } from './explanations.ts';
import { frameSource } from './frame-source.ts';

/**
 * Every frame that Zoom sent is written once for readers, or explained. What was sent is taken from the simulated Zoom,
 * what was written from Kinesis, and what readers take is decided by the consumer's own fence.
 *
 * A frame that Zoom kept back for good needs no record. Audio has to have been kept for as long as Zoom keeps it.
 */
export function judgeFrames(history: readonly HistoryEvent[]): Problem[] {
  const written = writtenFrames(history);
  let explanations: Explanations | undefined;
  const problems: Problem[] = [];
  const tell = (step: number, words: string) => problems.push({ judge: 'frames', step, words });
  const sent = new FrameIndex<true>();
  for (const event of history) {
    if (event.kind !== 'frame') continue;
    if (event.notSent !== undefined) {
      const why = wronglyKept(event);
      if (why !== undefined) tell(event.step, `${nameOf(event)} ${why}`);
      continue;
    }
    const { rtmsStreamId, mediaType, source, capturedAtMs } = event;
    sent.of(rtmsStreamId, mediaType, source).set(capturedAtMs, true);
    if (written.of(rtmsStreamId, mediaType, source).has(capturedAtMs)) continue;
    explanations ??= new Explanations(history);
    if (explanations.of(event) === undefined) {
      tell(event.step, `${nameOf(event)} was sent, and is neither written nor named`);
    }
  }
  for (const frames of written.all()) {
    for (const [capturedAtMs, { record, unit, times }] of frames) {
      const { rtmsStreamId, type, source = '' } = unit;
      if (times > 1) tell(record.step, `${unitName(unit)} is ${times} times what readers take`);
      if (!sent.of(rtmsStreamId, type, source).has(capturedAtMs)) {
        tell(record.step, `${unitName(unit)} is written, and Zoom never sent it`);
      }
    }
  }
  return problems;
}

/** Something about each frame, by stream, media type, source and time. One text for all four would be made for every frame. */
class FrameIndex<T> {
  readonly #streams = new Map<string, Map<string, Map<string, Map<number, T>>>>();

  /** By the time at which they were captured, Unix ms. */
  of(rtmsStreamId: string, mediaType: string, source: string): Map<number, T> {
    return at(at(at(this.#streams, rtmsStreamId), mediaType), source);
  }

  *all(): Generator<Map<number, T>> {
    for (const types of this.#streams.values()) {
      for (const sources of types.values()) yield* sources.values();
    }
  }
}

function at<Key, Value>(maps: Map<string, Map<Key, Value>>, key: string): Map<Key, Value> {
  let found = maps.get(key);
  if (found === undefined) {
    found = new Map();
    maps.set(key, found);
  }
  return found;
}

interface Written {
  readonly record: RecordEvent;
  readonly unit: WrittenUnit;
  times: number;
}

const known = new WeakMap<readonly HistoryEvent[], FrameIndex<Written>>();

/** The frames that readers take, each with how often. Two judges ask for those of each history. */
export function writtenFrames(history: readonly HistoryEvent[]): FrameIndex<Written> {
  let written = known.get(history);
  if (written === undefined) {
    written = readFrames(history);
    known.set(history, written);
  }
  return written;
}

function readFrames(history: readonly HistoryEvent[]): FrameIndex<Written> {
  const fence = new EpochFence();
  const written = new FrameIndex<Written>();
  for (const record of history) {
    // Who reads one stream knows nothing of the other: a line of a newer epoch has the key of audio, and fences none.
    if (record.kind !== 'record' || record.stream !== 'media') continue;
    for (const unit of record.units) {
      const source = frameSource(unit);
      if (fence.check(record.partitionKey, unit, source) !== 'admitted') continue;
      // As for readers: a frame in chunks is there with its last one, and the fence knows it by its number alone.
      const { chunkIndex = 0, chunkCount = 1, capturedAtMs } = unit;
      if (chunkIndex < chunkCount - 1) continue;
      fence.delivered(record.partitionKey, unit, source);
      if (capturedAtMs === undefined || unit.source === undefined) continue;
      const frames = written.of(unit.rtmsStreamId, unit.type, unit.source);
      const known = frames.get(capturedAtMs);
      if (known === undefined) frames.set(capturedAtMs, { record, unit, times: 1 });
      else known.times += 1;
    }
  }
  return written;
}

/** Zoom keeps audio for 60 s, and for 30 s where a media connection alone is lost. */
const ZOOM_KEEPS_MS = 30_000;

/** @returns why Zoom should have sent a frame that it kept back */
function wronglyKept({ notSent, atMs, capturedAtMs }: FrameEvent): string | undefined {
  if (notSent !== 'buffer_full' || atMs - capturedAtMs >= ZOOM_KEEPS_MS) return undefined;
  return `left Zoom's buffer after ${atMs - capturedAtMs} ms`;
}

const nameOf = ({ rtmsStreamId, mediaType, source, capturedAtMs }: FrameEvent) =>
  `${rtmsStreamId} ${mediaType} of ${source} at ${capturedAtMs}`;

const unitName = ({ rtmsStreamId, type, source, capturedAtMs, epoch, sequence }: WrittenUnit) =>
  `${rtmsStreamId} ${type} of ${source} at ${capturedAtMs} (epoch ${epoch}, number ${sequence})`;
