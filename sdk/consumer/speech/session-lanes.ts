import { ServiceError } from '../../../shared/errors.ts';
import type { OpusDecoders } from '../export/audio/opus-decoders.ts';
import { type Frame, sourceKey } from '../records/frame.ts';
import { frameMs } from '../records/frame-length.ts';
import type { LaneEnds } from './lane-ends.ts';
import { type LaneEnd, SpeakerLane } from './speaker-lane.ts';
import type { SpeechSettings } from './speech-options.ts';
import { VoiceDecoder } from './voice-decoder.ts';
import { VoiceTimeline } from './voice-timeline.ts';

/** Silent lanes are filled each time that the session's time has gone on by this much. */
const FILL_EVERY_MS = 100;

/** A capture time that is further off from the receipt is not believed. @see SampleClock */
const MAX_FIRST_LAG_MS = 600_000;

interface Voice {
  readonly lane: SpeakerLane;
  readonly decoder: VoiceDecoder;
  readonly timeline: VoiceTimeline;
  moved: number;
  /** How far the session's time was when the last frame came. */
  heardAtMs: number;
}

/** Who speaks in one session: one lane for each speaker, all on the time of the session's newest sound. */
export class SessionLanes {
  readonly #settings: SpeechSettings;
  readonly #opus: OpusDecoders;
  readonly #ends: LaneEnds;
  readonly #voices = new Map<string, Voice>();
  /** The moment behind the newest sound, Unix ms. */
  #newestMs = Number.NEGATIVE_INFINITY;
  #filledMs = Number.NEGATIVE_INFINITY;

  constructor(settings: SpeechSettings, opus: OpusDecoders, ends: LaneEnds) {
    this.#settings = settings;
    this.#opus = opus;
    this.#ends = ends;
  }

  get size(): number {
    return this.#voices.size;
  }

  /** Whether there is a lane that a frame belongs to. One whose speaker left before the frame was captured ends here. */
  has(frame: Frame): boolean {
    const key = sourceKey(frame);
    // A capture time behind the receipt is odd.
    const atMs = Math.min(frame.capturedAt.getTime(), frame.receivedAt.getTime());
    this.#endBy(key, atMs, atMs);
    return this.#voices.has(key);
  }

  /**
   * Begins a lane.
   *
   * @param resumeMs where an earlier run left it
   */
  join(first: Frame, resumeMs?: number): SpeakerLane {
    const startMs = believedMs(first);
    const lane = new SpeakerLane(first, resumeMs ?? startMs, this.#settings);
    this.#voices.set(sourceKey(first), {
      lane,
      decoder: new VoiceDecoder(this.#opus, this.#settings.rateHz),
      timeline: new VoiceTimeline(this.#settings.rateHz, startMs),
      moved: 0,
      heardAtMs: Math.max(this.#newestMs, startMs),
    });
    return lane;
  }

  /** Adds a frame to the lane of its speaker. @returns what to await before the next frame, where lanes wait for their consumers */
  async add(frame: Frame): Promise<void> {
    const voice = this.#voices.get(sourceKey(frame));
    if (voice === undefined) return;
    voice.heardAtMs = Math.max(this.#newestMs, voice.heardAtMs);
    if (voice.lane.ended !== undefined) return;
    const { lane, decoder, timeline } = voice;
    const preparing = decoder.prepare(frame);
    if (preparing !== undefined) await preparing;
    // An event may have ended it meanwhile.
    if (lane.ended !== undefined) return decoder.close();
    const atMs = frame.capturedAt.getTime();
    try {
      const { isNewFormat, ...sound } = decoder.decode(frame);
      if (isNewFormat) lane.notice({ kind: 'format', atMs, lostMs: 0, why: frame.codec });
      if (sound.samples.length === 0) lane.notice({ kind: 'empty', atMs, lostMs: 0 });
      else lane.add(timeline.add(frame, sound));
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      lane.notice({ kind: 'undecodable', atMs, lostMs: frameMs(frame), why: error.message });
    }
    if (timeline.moved > voice.moved) lane.notice({ kind: 'moved', atMs, lostMs: 0 });
    voice.moved = timeline.moved;
    this.#goOn(voice);
    if (this.#settings.whenFull === 'wait') await lane.room();
  }

  /** Ends all lanes. */
  finish(error?: unknown): void {
    for (const voice of this.#voices.values()) this.#end(voice, 'ended', error);
    this.#voices.clear();
  }

  /** Ends the lanes whose speakers have left, or whose session ended. @param readUntilMs up to where all sound is read, Unix ms */
  endUntil(readUntilMs: number): void {
    for (const key of this.#voices.keys()) this.#endBy(key, readUntilMs);
  }

  /** The consent was taken back. */
  revoke(): void {
    for (const { lane, decoder } of this.#voices.values()) {
      lane.revoke();
      decoder.close();
    }
    this.#voices.clear();
  }

  /** @param ownMs when the speaker's own next frame was captured, Unix ms */
  #endBy(key: string, readUntilMs: number, ownMs = Number.NEGATIVE_INFINITY): void {
    const voice = this.#voices.get(key);
    if (voice === undefined) return;
    const { rtmsStreamId, joinedAtMs } = voice.lane;
    const mark = this.#ends.endOf(rtmsStreamId, key, joinedAtMs);
    if (mark === undefined) return;
    // What was captured before it may come that late; a speaker who is back is done with what came before.
    const isBack = mark.backAtMs !== undefined && ownMs >= mark.backAtMs;
    if (!isBack && mark.atMs + this.#settings.latenessMs > readUntilMs) return;
    this.#end(voice, mark.end, undefined, mark.atMs);
    this.#voices.delete(key);
  }

  #goOn(voice: Voice): void {
    this.#newestMs = Math.max(this.#newestMs, voice.lane.endMs);
    voice.heardAtMs = this.#newestMs;
    if (this.#newestMs - this.#filledMs < FILL_EVERY_MS) return;
    this.#filledMs = this.#newestMs;
    // Before the silence, which has to end where they do.
    this.endUntil(this.#newestMs);
    const { latenessMs, leaveAfterMs } = this.#settings;
    for (const [key, each] of this.#voices) {
      if (this.#newestMs - each.heardAtMs < leaveAfterMs) {
        each.lane.fillTo(this.#newestMs - latenessMs);
        continue;
      }
      this.#end(each, 'left');
      this.#voices.delete(key);
    }
  }

  /** @param untilMs up to where there is silence at least, Unix ms */
  #end({ lane, decoder, timeline }: Voice, end: LaneEnd, error?: unknown, untilMs = 0): void {
    lane.add(timeline.finish());
    lane.fillTo(untilMs);
    lane.finish(end, error);
    decoder.close();
  }
}

/** @returns when a lane begins whose first frame this is, Unix ms */
function believedMs({ capturedAt, receivedAt }: Frame): number {
  const isOdd = Math.abs(receivedAt.getTime() - capturedAt.getTime()) > MAX_FIRST_LAG_MS;
  return (isOdd ? receivedAt : capturedAt).getTime();
}
