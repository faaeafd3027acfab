import type { BlindTime, EventData } from '../../../shared/record/event-data.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { Loss } from './loss.ts';

/** Zoom keeps audio for who connects later: it is blind only where a runner says so. */
const KEPT_BY_ZOOM = 'audio';

/** Lines come seldom: that there were none says nothing. */
const isPicture = (mediaType: string) => mediaType === 'video' || mediaType === 'deskshare';

const RESTART_CAUSE = 'restarted';

/** What the life of one epoch says about times in which nobody received anything. */
export class EpochLife {
  takenOver: { readonly data: EventData['session_taken_over']; readonly atMs: number } | undefined;
  /** When media flowed for the first time in this epoch. */
  streamingAtMs: number | undefined;
  /** When it gave the stream away or ended it. */
  endedAtMs: number | undefined;
  /** The stream ended while the meeting went on. */
  #wasCutShort = false;
  #media: readonly string[] = [];
  readonly #reconnects: BlindTime[] = [];
  /** What is down, since when: by scope, and by camera where each has a connection of its own. */
  readonly #down = new Map<string, { readonly scope: string; readonly sinceMs: number }>();

  event(event: ReceivedEvent): void {
    const atMs = event.time.getTime();
    switch (event.name) {
      case 'session_taken_over':
        this.takenOver = { data: event.data, atMs };
        return;
      case 'session_started':
        this.streamingAtMs = event.data.streamingAtMs;
        this.#media = Object.keys(event.data.media);
        return;
      case 'session_interrupted':
        this.#down.set(downKey(event.data), { scope: event.data.scope, sinceMs: atMs });
        return;
      case 'video_selected':
        this.#forgetCameras(event.data);
        return;
      case 'session_reconnected': {
        const { scope, blind, durationMs } = event.data;
        if (scope === 'signaling') this.#down.clear();
        else this.#down.delete(downKey(event.data));
        this.#reconnects.push(...(blind ?? this.#spans(scope, atMs - durationMs, atMs)));
        return;
      }
      case 'session_handed_over':
      case 'session_ended':
        this.endedAtMs = atMs;
        this.#wasCutShort =
          event.name === 'session_ended' &&
          (event.data.restartable || event.data.stopReason === undefined);
        return;
      default:
    }
  }

  /**
   * @param before the epoch before this one, when there are records of it
   * @param lastSeenMs capture time of the last frame or line of a media type in the epoch before, which proves that it
   *   was written until then
   * @param wasSent are there frames of a media type on either side? Without a camera or a share nothing could be missed
   */
  losses(
    at: { readonly rtmsStreamId: string; readonly epoch: number },
    before: EpochLife | undefined,
    lastSeenMs: (mediaType: string) => number | undefined,
    wasSent: (mediaType: string) => boolean,
  ): Loss[] {
    const { takenOver, endedAtMs } = this;
    const losses: Loss[] = [];
    const add = (cause: string, { mediaType, fromMs, toMs }: BlindTime) => {
      if (toMs > fromMs && (!isPicture(mediaType) || wasSent(mediaType)))
        losses.push({ ...at, kind: 'blind', mediaType, cause, fromMs, toMs });
    };
    if (takenOver) {
      for (const blind of takenOver.data.blind ?? this.#derived(before, lastSeenMs)) {
        const { mediaType } = blind;
        const seenMs = lastSeenMs(mediaType) ?? 0;
        // Told before media flowed, when something else had to be written first: it ended when media did flow.
        const toMs =
          mediaType === KEPT_BY_ZOOM ? blind.toMs : Math.max(blind.toMs, this.streamingAtMs ?? 0);
        const fromMs = seenMs < toMs ? Math.max(blind.fromMs, seenMs) : blind.fromMs;
        add(takenOver.data.cause, { mediaType, fromMs, toMs });
      }
    }
    for (const blind of this.#reconnects) add('reconnected', blind);
    if (endedAtMs !== undefined && this.#wasCutShort) {
      for (const { scope, sinceMs } of this.#down.values()) {
        const scopes = scope === 'signaling' ? this.#media : [scope];
        for (const mediaType of scopes)
          add('not_reconnected', { mediaType, fromMs: sinceMs, toMs: endedAtMs } as BlindTime);
      }
    }
    return losses;
  }

  /** A camera that is recorded no more does not come back, and is not missed. */
  #forgetCameras({ cameras }: EventData['video_selected']): void {
    if (cameras === undefined) return;
    const selected = cameras.map(({ userId }) => downKey({ scope: 'video', userId }));
    for (const key of [...this.#down.keys()]) {
      if (key.startsWith('video/') && !selected.includes(key)) this.#down.delete(key);
    }
  }

  /** For records of runners that did not tell it: from the owner's last sign to the first of the next one. */
  #derived(
    before: EpochLife | undefined,
    lastSeenMs: (mediaType: string) => number | undefined,
  ): BlindTime[] {
    const { takenOver, streamingAtMs } = this;
    if (takenOver === undefined || takenOver.data.cause === RESTART_CAUSE) return [];
    const toMs = streamingAtMs ?? takenOver.atMs;
    const signs = ['video', 'deskshare', 'transcript', 'chat', 'events', 'audio'].map(lastSeenMs);
    const fromMs = before?.endedAtMs ?? Math.max(0, ...signs.map((ms) => ms ?? 0));
    return fromMs === 0 ? [] : this.#spans('signaling', fromMs, toMs);
  }

  #spans(scope: string, fromMs: number, toMs: number): BlindTime[] {
    const mediaTypes = scope === 'signaling' ? this.#media : [scope];
    return mediaTypes
      .filter((mediaType) => mediaType !== KEPT_BY_ZOOM)
      .map((mediaType) => ({ mediaType, fromMs, toMs }) as BlindTime);
  }
}

function downKey({ scope, userId }: { scope: string; userId?: number | undefined }): string {
  return userId === undefined ? scope : `${scope}/${userId}`;
}
