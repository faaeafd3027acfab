import type { VideoFollow } from '../../../shared/video-follow.ts';

/** Something that may change whose camera is to be recorded. */
export type CameraInput =
  | {
      readonly name: 'joined';
      readonly participants: readonly { readonly userId?: number; readonly userName: string }[];
    }
  | { readonly name: 'left' | 'video_on' | 'video_off'; readonly userIds: readonly number[] }
  | { readonly name: 'speaks' | 'refused'; readonly userId: number };

export interface CameraChoice {
  /** Whose camera to record now; undefined: nobody's. */
  readonly userId: number | undefined;
  /** When to ask again although nothing happens, Unix ms; undefined: no need to. */
  readonly askAgainAtMs: number | undefined;
}

interface Participant {
  userName: string;
  camera: 'on' | 'off' | 'unknown';
  /** Zoom refused the selection: not asked for again before, Unix ms. */
  refusedUntilMs: number;
}

/** How long somebody must have spoken to be shown, so that a cough does not switch cameras. */
const SPEECH_MS = 1_000;
/** How long a camera is kept that is still on. */
const KEEP_MS = 3_000;
/** Before somebody whom Zoom refused is asked for again. */
const REFUSED_MS = 10_000;
/** Bounds memory; a meeting has fewer people. */
const MAX_PARTICIPANTS = 4_096;

/**
 * Decides whose camera to record, by what Zoom tells of the meeting. Pure: no clock, no socket.
 *
 * A camera counts as on when Zoom said so. As long as it has said nothing of any camera, everybody's may be on.
 * A camera that goes off, or whose owner leaves, gives way at once; one that is on is kept for a while.
 */
export class CameraChooser {
  readonly #follow: VideoFollow;
  /** In the order of joining. */
  readonly #participants = new Map<number, Participant>();
  #knowsCameras = false;
  #speaker: { userId: number; sinceMs: number } | undefined;
  #chosen: { userId: number; sinceMs: number } | undefined;

  constructor(follow: VideoFollow) {
    this.#follow = follow;
  }

  /** Is this camera known to be on? */
  isOn(userId: number): boolean {
    return this.#participants.get(userId)?.camera === 'on';
  }

  nameOf(userId: number): string {
    return this.#participants.get(userId)?.userName ?? '';
  }

  see(input: CameraInput, atMs: number): void {
    switch (input.name) {
      case 'joined':
        for (const { userId, userName } of input.participants) {
          if (userId !== undefined) this.#participant(userId).userName ||= userName;
        }
        return;
      case 'left':
        for (const userId of input.userIds) {
          this.#participants.delete(userId);
          if (this.#speaker?.userId === userId) this.#speaker = undefined;
        }
        return;
      case 'video_on':
      case 'video_off':
        this.#knowsCameras = true;
        for (const userId of input.userIds) {
          this.#participant(userId).camera = input.name === 'video_on' ? 'on' : 'off';
        }
        return;
      case 'speaks':
        this.#participant(input.userId);
        if (this.#speaker?.userId !== input.userId) {
          this.#speaker = { userId: input.userId, sinceMs: atMs };
        }
        return;
      case 'refused':
        this.#participant(input.userId).refusedUntilMs = atMs + REFUSED_MS;
        return;
    }
  }

  choose(nowMs: number): CameraChoice {
    const current = this.#chosen;
    const kept =
      current !== undefined && this.#canShow(current.userId, nowMs) ? current : undefined;
    const { userId, askAgainAtMs } = this.#next(kept, nowMs);
    if (userId !== current?.userId) {
      this.#chosen = userId === undefined ? undefined : { userId, sinceMs: nowMs };
      // What the policy says of the new choice: when to look again.
      return { userId, askAgainAtMs: this.#next(this.#chosen, nowMs).askAgainAtMs };
    }
    return { userId, askAgainAtMs };
  }

  #next(kept: { userId: number; sinceMs: number } | undefined, nowMs: number): CameraChoice {
    const follow = this.#follow;
    const candidates = [...this.#participants.keys()].filter((id) => this.#canShow(id, nowMs));
    const refusedUntilMs = this.#nextForgiven(nowMs);
    if (follow === 'active-speaker')
      return this.#speakerOr(kept, candidates, nowMs, refusedUntilMs);
    if ('pinned' in follow) {
      const userId = follow.pinned
        .map((who) => candidates.find((id) => this.#isPinned(id, who)))
        .find((id) => id !== undefined);
      return { userId, askAgainAtMs: refusedUntilMs };
    }
    if (kept === undefined)
      return { userId: this.#after(candidates), askAgainAtMs: refusedUntilMs };
    const dueMs = kept.sinceMs + follow['round-robin'] * 1_000;
    if (candidates.length < 2) return { userId: kept.userId, askAgainAtMs: refusedUntilMs };
    return nowMs >= dueMs
      ? { userId: this.#after(candidates), askAgainAtMs: undefined }
      : { userId: kept.userId, askAgainAtMs: dueMs };
  }

  #speakerOr(
    kept: { userId: number; sinceMs: number } | undefined,
    candidates: readonly number[],
    nowMs: number,
    refusedUntilMs: number | undefined,
  ): CameraChoice {
    const speaker = this.#speaker;
    const speaks =
      speaker !== undefined && candidates.includes(speaker.userId) ? speaker : undefined;
    if (kept === undefined) {
      return { userId: speaks?.userId ?? candidates[0], askAgainAtMs: refusedUntilMs };
    }
    if (speaks === undefined || speaks.userId === kept.userId) {
      return { userId: kept.userId, askAgainAtMs: refusedUntilMs };
    }
    const dueMs = Math.max(speaks.sinceMs + SPEECH_MS, kept.sinceMs + KEEP_MS);
    return nowMs >= dueMs
      ? { userId: speaks.userId, askAgainAtMs: undefined }
      : { userId: kept.userId, askAgainAtMs: dueMs };
  }

  /** The next in the order of joining after the one chosen last, who may have gone. */
  #after(candidates: readonly number[]): number | undefined {
    const last = this.#chosen?.userId;
    const order = [...this.#participants.keys()];
    const at = last === undefined ? -1 : order.indexOf(last);
    const later = order.slice(at + 1).find((id) => candidates.includes(id));
    return later ?? candidates[0];
  }

  #canShow(userId: number, nowMs: number): boolean {
    const participant = this.#participants.get(userId);
    if (participant === undefined || participant.refusedUntilMs > nowMs) return false;
    return participant.camera === 'on' || (participant.camera === 'unknown' && !this.#knowsCameras);
  }

  /** When the next refused participant may be asked for again. */
  #nextForgiven(nowMs: number): number | undefined {
    const times = [...this.#participants.values()]
      .map(({ refusedUntilMs }) => refusedUntilMs)
      .filter((untilMs) => untilMs > nowMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #isPinned(userId: number, who: string | number): boolean {
    if (typeof who === 'number') return userId === who;
    const name = this.#participants.get(userId)?.userName ?? '';
    return name.trim().toLowerCase() === who.trim().toLowerCase() || String(userId) === who.trim();
  }

  #participant(userId: number): Participant {
    const known = this.#participants.get(userId);
    if (known !== undefined) return known;
    const added: Participant = { userName: '', camera: 'unknown', refusedUntilMs: 0 };
    if (this.#participants.size < MAX_PARTICIPANTS) this.#participants.set(userId, added);
    return added;
  }
}
