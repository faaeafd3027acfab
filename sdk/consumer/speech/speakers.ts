import { mediaSource } from '../../../rtms/protocol/media-type.ts';
import { OpusDecoders } from '../export/audio/opus-decoders.ts';
import { type FrameReader, frames } from '../reading/reader.ts';
import type { Frame } from '../records/frame.ts';
import { SessionLanes } from './session-lanes.ts';
import { laneKey, type SpeakerLane } from './speaker-lane.ts';
import { readSpeechOptions, type SpeakersOptions, type SpeechSettings } from './speech-options.ts';

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

/** Reads all frames into lanes. */
async function read(
  options: SpeakersOptions,
  settings: SpeechSettings,
  stop: AbortSignal,
  onJoined: (lane: SpeakerLane) => void,
): Promise<void> {
  const opus = new OpusDecoders();
  const sessions = new Map<string, SessionLanes>();
  const resume = resumeMap(options);
  const idle = new IdleSessions(settings.leaveAfterMs);
  let failure: unknown;
  const endAll = () => {
    for (const session of sessions.values()) session.finish(failure);
  };
  // A lane that waits for room must not keep the reading from its end.
  stop.addEventListener('abort', endAll);
  try {
    for await (const frame of source(options, stop)) {
      if (stop.aborted) break;
      if (frame.mediaType !== 'audio') continue;
      if (frame.rtmsStreamId !== (options.rtmsStreamId ?? frame.rtmsStreamId)) continue;
      const session = sessions.get(frame.rtmsStreamId) ?? new SessionLanes(settings, opus);
      sessions.set(frame.rtmsStreamId, session);
      if (!session.has(frame)) {
        if (countOf(sessions) >= settings.maxSpeakers) {
          settings.onNotice({ kind: 'too_many', ...identityOf(frame) });
          continue;
        }
        const key = laneKey(frame);
        onJoined(session.join(frame, resume.get(key)));
        resume.delete(key);
      }
      await session.add(frame);
      idle.sweep(frame, sessions);
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    stop.removeEventListener('abort', endAll);
    endAll();
    opus.close();
  }
}

/** Ends the lanes of sessions that send nothing while others do. Time is that of the runners' receipts. */
class IdleSessions {
  readonly #leaveAfterMs: number;
  readonly #lastMs = new Map<string, number>();
  #newestMs = Number.NEGATIVE_INFINITY;
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(leaveAfterMs: number) {
    this.#leaveAfterMs = leaveAfterMs;
  }

  sweep({ rtmsStreamId, receivedAt }: Frame, sessions: Map<string, SessionLanes>): void {
    this.#newestMs = Math.max(this.#newestMs, receivedAt.getTime());
    this.#lastMs.set(rtmsStreamId, this.#newestMs);
    if (this.#newestMs - this.#sweptMs < 1_000) return;
    this.#sweptMs = this.#newestMs;
    for (const [id, lastMs] of this.#lastMs) {
      if (this.#newestMs - lastMs < this.#leaveAfterMs) continue;
      sessions.get(id)?.finish();
      sessions.delete(id);
      this.#lastMs.delete(id);
    }
  }
}

function source({ reader, resume = [] }: SpeakersOptions, stop: AbortSignal): AsyncIterable<Frame> {
  if (Symbol.asyncIterator in reader) return reader;
  const signal = reader.signal ? AbortSignal.any([reader.signal, stop]) : stop;
  const first = Math.min(...resume.map(({ atMs }) => atMs));
  const startAt = reader.startAt ?? (resume.length > 0 ? new Date(first - REREAD_MS) : undefined);
  return frames({ ...(reader as FrameReader), signal, ...(startAt !== undefined && { startAt }) });
}

function resumeMap({ resume = [] }: SpeakersOptions): Map<string, number> {
  return new Map(resume.map((each) => [laneKey(each), each.atMs]));
}

function countOf(sessions: ReadonlyMap<string, SessionLanes>): number {
  let count = 0;
  for (const { size } of sessions.values()) count += size;
  return count;
}

function identityOf(frame: Frame) {
  const { rtmsStreamId, capturedAt } = frame;
  return { rtmsStreamId, ...mediaSource(frame), atMs: capturedAt.getTime(), lostMs: 0 };
}
