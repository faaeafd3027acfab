import { OPUS_PRE_SKIP } from '../export/audio/opus.ts';
import { type Captured, SampleClock } from '../export/audio/sample-clock.ts';
import type { Frame } from '../records/frame.ts';
import { OPUS_RATE_HZ } from '../records/frame-length.ts';
import { RunResampler } from './run-resampler.ts';
import type { Sound } from './voice-decoder.ts';

/** The clock counts at one rate for the whole life of a lane, so that a change of the codec does not begin a new time. */
const CLOCK_RATE_HZ = 48_000;

/**
 * A frame whose capture time is off by less stands where the frame before it ends: so far may a sample be from its time. It is less
 * than the 20 ms of a frame. Otherwise one missing frame would bring everything behind it forward.
 */
const TOLERANCE_MS = 15;

/** Sound and its place: samples of the lane's rate since 1970. */
export interface Piece {
  readonly position: number;
  readonly samples: Int16Array;
}

interface Timed extends Captured {
  readonly sound: Sound;
  readonly isOpus: boolean;
  /** Its length by the clock. */
  readonly ticks: number;
}

interface Run {
  readonly resampler: RunResampler;
  readonly rateHz: number;
  /** Where its next sample stands. */
  position: number;
}

/**
 * Puts the sound of one speaker on the lane's time, at the lane's rate. The clock is that of the exported WAV files
 * (`SampleClock`): pauses, odd times and audio that Zoom sends again are its matter.
 */
export class VoiceTimeline {
  readonly #rateHz: number;
  readonly #origin: number;
  readonly #clock: SampleClock<Timed>;
  #run: Run | undefined;
  /** Where the clock stands behind the last frame. */
  #end = 0;
  /** The part of a tick by which the frames so far were longer. */
  #fraction = 0;

  /** @param startMs the lane's first moment, Unix ms */
  constructor(rateHz: number, startMs: number) {
    this.#rateHz = rateHz;
    this.#origin = Math.round((startMs * rateHz) / 1000);
    this.#clock = new SampleClock({ rateHz: CLOCK_RATE_HZ, startMs, toleranceMs: TOLERANCE_MS });
  }

  /** Frames that do not stand where their capture time says. */
  get moved(): number {
    return this.#clock.moved;
  }

  /** @returns the sound whose place is known now */
  add(frame: Frame, sound: Sound): Piece[] {
    const exact = (sound.samples.length * CLOCK_RATE_HZ) / sound.rateHz + this.#fraction;
    const ticks = Math.floor(exact);
    this.#fraction = exact - ticks;
    const { capturedAt, receivedAt, epoch, sequence, payload, codec } = frame;
    const isOpus = codec === 'OPUS';
    const item = { capturedAt, receivedAt, epoch, sequence, payload, sound, isOpus, ticks };
    return this.#clock.place(item, ticks).flatMap((placed) => this.#write(placed));
  }

  /** Ends the lane's sound. @returns what was held back */
  finish(): Piece[] {
    const last = this.#clock.finish().flatMap((placed) => this.#write(placed));
    return [...last, ...this.#endRun()];
  }

  #write({ item, at, skip }: { item: Timed; at: number; skip: number }): Piece[] {
    const { sound, isOpus, ticks } = item;
    const pieces: Piece[] = [];
    const isContinued = this.#run?.rateHz === sound.rateHz && at === this.#end && skip === 0;
    if (!isContinued) {
      pieces.push(...this.#endRun());
      const resampler = new RunResampler(sound.rateHz, this.#rateHz);
      // A decoder of Opus gives each sample later than the encoder got it.
      const early = isOpus ? OPUS_PRE_SKIP * (this.#rateHz / OPUS_RATE_HZ) : 0;
      const position = this.#origin + Math.round((at * this.#rateHz) / CLOCK_RATE_HZ - early);
      this.#run = { resampler, rateHz: sound.rateHz, position };
    }
    this.#end = at + ticks - skip;
    const skipped = Math.round((skip * sound.rateHz) / CLOCK_RATE_HZ);
    return [
      ...pieces,
      ...this.#piece((run) => run.resampler.push(sound.samples.subarray(skipped))),
    ];
  }

  #endRun(): Piece[] {
    const pieces = this.#piece((run) => run.resampler.flush());
    this.#run = undefined;
    return pieces;
  }

  #piece(take: (run: Run) => Int16Array): Piece[] {
    const run = this.#run;
    if (run === undefined) return [];
    const samples = take(run);
    if (samples.length === 0) return [];
    const { position } = run;
    run.position += samples.length;
    return [{ position, samples }];
  }
}
