import { ServiceError } from '../../../shared/errors.ts';
import { canResample } from '../export/audio/resample.ts';
import type { EventReader, FrameReader } from '../reading/reader.ts';
import { requireOption } from '../reading/reader-options.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { Frame, FrameSource } from '../records/frame.ts';
import type { SpeechNotice } from './speech-notice.ts';

/** Up to where a consumer has finished a lane. Saved as JSON, it is all that a restart needs. */
export interface LanePosition extends FrameSource {
  readonly rtmsStreamId: string;
  /** `endMs` of the last block that was processed, Unix ms. */
  readonly atMs: number;
}

/** Options of `speakers`. */
export interface SpeakersOptions {
  /**
   * Reads the `media` stream, or frames from elsewhere, those of a speaker in order. A reader here has no `checkpoints`:
   * what a lane still held would be lost with the process. `resume` is for that.
   */
  readonly reader: FrameReader | AsyncIterable<Frame>;
  /**
   * Reads the `events` stream, or events from elsewhere: a lane ends when its speaker leaves or its session ends, and at once when the
   * consent is taken back (`session_revoked`). A reader of Kinesis is read to its end first, so that nothing that was revoked before
   * is handed out. Without `startAt` it begins where the frames do.
   *
   * @default none: lanes end by `leaveAfterMs` alone, and whoever calls has to heed revocations
   */
  readonly events?: EventReader | AsyncIterable<ReceivedEvent>;
  /** Only this session. @default all sessions */
  readonly rtmsStreamId?: string;
  /** Samples a second of all lanes, 8,000 to 48,000. @default 16,000 */
  readonly rateHz?: number;
  /** The longest block that a lane hands out, ms, 10 to 1,000. @default 100 */
  readonly blockMs?: number;
  /** How much sound a lane keeps for a consumer that is slow, ms, 1,000 to 600,000. @default 30,000 */
  readonly bufferMs?: number;
  /**
   * What happens when a lane keeps that much. `drop`: its oldest sound becomes silence, with a notice, and no other lane is
   * disturbed. `wait`: the reading waits, so that nothing is lost and every lane is as slow as the slowest; for recordings, and to catch
   * up. There a lane that nobody reads must be closed.
   *
   * @default 'drop'
   */
  readonly whenFull?: 'drop' | 'wait';
  /**
   * A lane without sound is filled with silence up to the newest sound of its session less this, ms, 0 to 60,000. What
   * comes later than that is dropped, with a notice.
   *
   * @default 2,000
   */
  readonly latenessMs?: number;
  /** A lane ends after this much time of its session without a frame, ms, 1,000 or more. @default 600,000 */
  readonly leaveAfterMs?: number;
  /** Lanes at a time. Frames of further speakers are left out, with a notice. @default 10,000 */
  readonly maxSpeakers?: number;
  /**
   * Where the lanes of an earlier run were left. Each begins exactly there. A reader without `startAt` begins a minute before
   * the earliest of them.
   */
  readonly resume?: readonly LanePosition[];
  /** Told of everything that a lane lacks or that stands where it was not said. */
  readonly onNotice?: (notice: SpeechNotice) => void;
}

/** The options with their defaults. */
export type SpeechSettings = Required<
  Omit<SpeakersOptions, 'reader' | 'events' | 'rtmsStreamId' | 'resume'>
>;

const KNOWN: Readonly<Record<keyof SpeakersOptions, (value: unknown) => boolean>> = {
  reader: (value) => typeof value === 'object' && value !== null,
  events: (value) => typeof value === 'object' && value !== null,
  rtmsStreamId: (value) => typeof value === 'string' && value !== '',
  rateHz: (value) => isWhole(value, 8_000, 48_000) && canResample(48_000, value as number),
  blockMs: (value) => isWhole(value, 10, 1_000),
  bufferMs: (value) => isWhole(value, 1_000, 600_000),
  whenFull: (value) => value === 'drop' || value === 'wait',
  latenessMs: (value) => isWhole(value, 0, 60_000),
  leaveAfterMs: (value) => isWhole(value, 1_000, Number.MAX_SAFE_INTEGER),
  maxSpeakers: (value) => isWhole(value, 1, 100_000),
  resume: (value) => Array.isArray(value) && value.every(isPosition),
  onNotice: (value) => typeof value === 'function',
};

/** @throws ServiceError `config/invalid` that names the option */
export function readSpeechOptions(options: SpeakersOptions): SpeechSettings {
  requireOption('reader', options.reader);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(KNOWN, name)) {
      const what = `no such option: ${name}; there are ${Object.keys(KNOWN).join(', ')}`;
      throw new ServiceError('config/invalid', what);
    }
    if (value !== undefined && !KNOWN[name as keyof SpeakersOptions](value))
      throw new ServiceError(
        'config/invalid',
        `the option ${name} has a value that cannot be used`,
      );
  }
  for (const reader of [options.reader, options.events ?? {}]) {
    if (!('checkpoints' in reader) || reader.checkpoints === undefined) continue;
    const what =
      'a reader of speech has no checkpoints: save the position of each lane, see resume';
    throw new ServiceError('config/invalid', what);
  }
  return {
    rateHz: options.rateHz ?? 16_000,
    blockMs: options.blockMs ?? 100,
    bufferMs: options.bufferMs ?? 30_000,
    whenFull: options.whenFull ?? 'drop',
    latenessMs: options.latenessMs ?? 2_000,
    leaveAfterMs: options.leaveAfterMs ?? 600_000,
    maxSpeakers: options.maxSpeakers ?? 10_000,
    onNotice: options.onNotice ?? (() => undefined),
  };
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

function isPosition(value: unknown): boolean {
  const { rtmsStreamId, atMs } = (value ?? {}) as Partial<LanePosition>;
  return typeof rtmsStreamId === 'string' && rtmsStreamId !== '' && Number.isFinite(atMs);
}
