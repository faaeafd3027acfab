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
  /** Whose cameras to record now, at most as many as the chooser was made for. */
  readonly userIds: readonly number[];
  /** When to ask again although nothing happens, Unix ms; undefined: no need to. */
  readonly askAgainAtMs: number | undefined;
}

interface Participant {
  userName: string;
  camera: 'on' | 'off' | 'unknown';
  /** Zoom refused the selection: not asked for again before, Unix ms. */
  refusedUntilMs: number;
  /** When they are last known to have spoken, Unix ms; 0 for never. */
  spokeAtMs: number;
}

/** A camera that is recorded, and since when, Unix ms. */
interface Shown {
  readonly userId: number;
  readonly sinceMs: number;
}

/** How long somebody must have spoken to be shown, so that a cough does not switch cameras. */
const SPEECH_MS = 1_000;
/** How long a camera is kept that is still on. */
const KEEP_MS = 3_000;
/** How long somebody whom Zoom refused is not asked for again. */
const REFUSED_MS = 10_000;
/** Bounds memory; a meeting has fewer people. */
const MAX_PARTICIPANTS = 4_096;

/**
 * Decides whose camera to record, or with V2 whose cameras, by what Zoom tells of the meeting. Pure: no clock, no socket.
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
  readonly #cameras: number;
  #shown: readonly Shown[] = [];
  /** Round-robin: who was taken last, who may have gone since. */
  #last: number | undefined;
  #roundSinceMs = 0;

  /** @param cameras how many at once */
  constructor(follow: VideoFollow, cameras = 1) {
    this.#follow = follow;
    this.#cameras = cameras;
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
        if (this.#speaker?.userId !== input.userId) {
          if (this.#speaker !== undefined) this.#participant(this.#speaker.userId).spokeAtMs = atMs;
          this.#speaker = { userId: input.userId, sinceMs: atMs };
        }
        this.#participant(input.userId).spokeAtMs = atMs;
        return;
      case 'refused':
        this.#participant(input.userId).refusedUntilMs = atMs + REFUSED_MS;
        return;
    }
  }

  choose(nowMs: number): CameraChoice {
    const candidates = [...this.#participants.keys()].filter((id) => this.#canShow(id, nowMs));
    const kept = this.#shown.filter(({ userId }) => candidates.includes(userId));
    const { userIds, dueMs } = this.#next(kept, candidates, nowMs);
    const since = new Map(kept.map(({ userId, sinceMs }) => [userId, sinceMs]));
    this.#shown = userIds.map((userId) => ({ userId, sinceMs: since.get(userId) ?? nowMs }));
    // What the policy says of a new choice: when to look again.
    const hasChanged = this.#shown.some(({ userId }) => !since.has(userId));
    const askAtMs = hasChanged ? this.#next(this.#shown, candidates, nowMs).dueMs : dueMs;
    return { userIds, askAgainAtMs: askAtMs ?? this.#nextForgiven(nowMs) };
  }

  /** @returns `dueMs`: when the policy itself has something to change, without anything happening */
  #next(
    kept: readonly Shown[],
    candidates: readonly number[],
    nowMs: number,
  ): { readonly userIds: readonly number[]; readonly dueMs?: number | undefined } {
    const follow = this.#follow;
    if (follow === 'active-speaker') return this.#speakers(kept, candidates, nowMs);
    if ('pinned' in follow) {
      const pinned = follow.pinned
        .map((who) => candidates.find((id) => this.#isPinned(id, who)))
        .filter((id) => id !== undefined);
      return { userIds: [...new Set(pinned)].slice(0, this.#cameras) };
    }
    return this.#round(kept, candidates, nowMs, follow['round-robin'] * 1_000);
  }

  /** Free places go to the speaker and then in the order of joining; a speaker takes that of the one who was silent longest. */
  #speakers(kept: readonly Shown[], candidates: readonly number[], nowMs: number) {
    const speaker = this.#speaker;
    const speaks =
      speaker !== undefined && candidates.includes(speaker.userId) ? speaker : undefined;
    const shown = kept.map(({ userId }) => userId);
    const isFree = (userId: number) => !shown.includes(userId);
    const free = [...(speaks === undefined ? [] : [speaks.userId]), ...candidates].filter(isFree);
    const filled = [...shown, ...new Set(free)].slice(0, this.#cameras);
    if (speaks === undefined || filled.includes(speaks.userId)) return { userIds: filled };
    const spokeAtMs = (userId: number) => this.#participants.get(userId)?.spokeAtMs ?? 0;
    const [silent] = [...kept].sort((a, b) => spokeAtMs(a.userId) - spokeAtMs(b.userId));
    if (silent === undefined) return { userIds: filled };
    const dueMs = Math.max(speaks.sinceMs + SPEECH_MS, silent.sinceMs + KEEP_MS);
    if (nowMs < dueMs) return { userIds: filled, dueMs };
    return { userIds: filled.map((id) => (id === silent.userId ? speaks.userId : id)) };
  }

  /** All give way together to those who come after them in the order of joining. */
  #round(kept: readonly Shown[], candidates: readonly number[], nowMs: number, roundMs: number) {
    const hasOthers = candidates.length > this.#cameras;
    const isOver = hasOthers && nowMs >= this.#roundSinceMs + roundMs;
    const staying = isOver ? [] : kept.map(({ userId }) => userId);
    if (staying.length === 0) this.#roundSinceMs = nowMs;
    const userIds = [...staying];
    for (const userId of this.#afterLast(candidates)) {
      if (userIds.length === this.#cameras) break;
      if (userIds.includes(userId)) continue;
      userIds.push(userId);
      this.#last = userId;
    }
    return { userIds, dueMs: hasOthers ? this.#roundSinceMs + roundMs : undefined };
  }

  /** In the order of joining, beginning after the one chosen last, who may have gone. */
  #afterLast(candidates: readonly number[]): number[] {
    const order = [...this.#participants.keys()];
    const at = this.#last === undefined ? -1 : order.indexOf(this.#last);
    const turns = [...order.slice(at + 1), ...order.slice(0, at + 1)];
    return turns.filter((userId) => candidates.includes(userId));
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
    const added: Participant = { userName: '', camera: 'unknown', refusedUntilMs: 0, spokeAtMs: 0 };
    if (this.#participants.size < MAX_PARTICIPANTS) this.#participants.set(userId, added);
    return added;
  }
}
