import { mediaSource } from '../../../rtms/protocol/media-type.ts';
import { OpusDecoders } from '../export/audio/opus-decoders.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import { LaneEnds } from './lane-ends.ts';
import { SessionLanes } from './session-lanes.ts';
import { laneKey, type SpeakerLane } from './speaker-lane.ts';
import type { SpeakersOptions, SpeechSettings } from './speech-options.ts';

/** How often lanes are looked through that have nothing to hand out any more, frames. */
const PRUNE_EVERY = 1_000;

/** How far a shard is read. */
interface PageRead {
  readonly shardId: string;
  /** Unix ms; absent when the shard has ended. */
  readonly readUntilMs?: number;
}

/** Makes lanes of the frames and events of all sessions. Frames come one after another; an event may come between. */
export class SpeechReading {
  readonly #options: SpeakersOptions;
  readonly #settings: SpeechSettings;
  readonly #onJoined: (lane: SpeakerLane) => void;
  readonly #opus = new OpusDecoders();
  readonly #ends = new LaneEnds();
  readonly #sessions = new Map<string, SessionLanes>();
  /** Lanes that may still hand something out, also when they have ended, by session. */
  readonly #lanes = new Map<string, Set<SpeakerLane>>();
  readonly #resume: Map<string, number>;
  readonly #idle: IdleSessions;
  /** Up to where each shard of the frames is read, Unix ms. */
  readonly #readUntil = new Map<string, number>();
  /** The page that was told last. Its frames come after the telling, and before the next one. */
  #told: PageRead | undefined;
  #frames = 0;

  constructor(
    options: SpeakersOptions,
    settings: SpeechSettings,
    onJoined: (lane: SpeakerLane) => void,
  ) {
    this.#options = options;
    this.#settings = settings;
    this.#onJoined = onJoined;
    this.#resume = new Map((options.resume ?? []).map((each) => [laneKey(each), each.atMs]));
    this.#idle = new IdleSessions(settings.leaveAfterMs);
  }

  /** Resolves when the next frame may come. */
  async frame(frame: Frame): Promise<void> {
    const { rtmsStreamId } = frame;
    if (frame.mediaType !== 'audio' || !this.#isWanted(rtmsStreamId)) return;
    if (this.#ends.isRevoked(rtmsStreamId)) return;
    const session =
      this.#sessions.get(rtmsStreamId) ?? new SessionLanes(this.#settings, this.#opus, this.#ends);
    this.#sessions.set(rtmsStreamId, session);
    if (!session.has(frame) && !this.#join(session, frame)) return;
    await session.add(frame);
    this.#idle.sweep(frame, this.#sessions);
    this.#frames += 1;
    if (this.#frames % PRUNE_EVERY === 0) this.#prune();
  }

  event(event: ReceivedEvent): void {
    if (!this.#isWanted(event.rtmsStreamId)) return;
    const { rtmsStreamId } = event;
    if (this.#ends.event(event)) {
      this.#sessions.get(rtmsStreamId)?.revoke();
      this.#sessions.delete(rtmsStreamId);
      // Those that have ended hold sound that nobody has taken yet.
      for (const lane of this.#lanes.get(rtmsStreamId) ?? []) if (!lane.isDone) lane.revoke();
      this.#lanes.delete(rtmsStreamId);
    } else this.#endLanes();
  }

  /** A page of frames was read, which come now. */
  progress(page: PageRead): void {
    const { shardId, readUntilMs } = this.#told ?? {};
    this.#told = page;
    if (shardId === undefined) return;
    if (readUntilMs === undefined) this.#readUntil.delete(shardId);
    else this.#readUntil.set(shardId, readUntilMs);
    this.#endLanes();
  }

  /** Ends all lanes. */
  finish(error?: unknown): void {
    for (const session of this.#sessions.values()) session.finish(error);
  }

  close(): void {
    this.#opus.close();
  }

  #join(session: SessionLanes, frame: Frame): boolean {
    let count = 0;
    for (const { size } of this.#sessions.values()) count += size;
    if (count >= this.#settings.maxSpeakers) {
      const { rtmsStreamId, capturedAt } = frame;
      const at = { atMs: capturedAt.getTime(), lostMs: 0 };
      this.#settings.onNotice({ kind: 'too_many', rtmsStreamId, ...mediaSource(frame), ...at });
      return false;
    }
    const key = laneKey(frame);
    const lane = session.join(frame, this.#resume.get(key));
    this.#resume.delete(key);
    const lanes = this.#lanes.get(frame.rtmsStreamId) ?? new Set();
    this.#lanes.set(frame.rtmsStreamId, lanes.add(lane));
    this.#onJoined(lane);
    return true;
  }

  /** Where nobody says anything, the time goes on with what is read. */
  #endLanes(): void {
    if (this.#readUntil.size === 0) return;
    const readUntilMs = Math.min(...this.#readUntil.values());
    for (const session of this.#sessions.values()) session.endUntil(readUntilMs);
  }

  #prune(): void {
    for (const [id, lanes] of this.#lanes) {
      for (const lane of lanes) if (lane.isDone) lanes.delete(lane);
      if (lanes.size === 0) this.#lanes.delete(id);
    }
  }

  #isWanted(rtmsStreamId: string): boolean {
    return rtmsStreamId === (this.#options.rtmsStreamId ?? rtmsStreamId);
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
