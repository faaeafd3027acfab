import {
  type BlindTime,
  type EventData,
  KEPT_AUDIO_COMES_MS,
} from '../../../shared/record/event-data.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import { closedBeforeEndMs, type Down, downKey, dropCameras } from './connection-down.ts';
import type { Loss } from './loss.ts';

/** Zoom keeps audio for a connection that comes later. So audio is blind only where a runner's event says so. */
const KEPT_BY_ZOOM = 'audio';

/**
 * Pictures come all the time while a camera is on. So when there are none on either side, nothing was sent. Lines come
 * seldom, and that there are none proves nothing.
 */
export const isPicture = (mediaType: string) => mediaType === 'video' || mediaType === 'deskshare';

const RESTART_CAUSE = 'restarted';

/** What a handshake of signaling has to tell is told within this time, ms. */
const SAME_HANDSHAKE_MS = 1_000;

/** What the events of one epoch say about times in which nobody received anything. */
export class EpochLife {
  takenOver: { readonly data: EventData['session_taken_over']; readonly atMs: number } | undefined;
  /** When media flowed for the first time in this epoch, Unix ms. */
  streamingAtMs: number | undefined;
  /** When Zoom announced the run, Unix ms: nothing of it was received before. */
  requestedAtMs: number | undefined;
  /** The stream of the same meeting that this one continues. */
  continues: string | undefined;
  /** When its owner handed the stream over or ended it, Unix ms; for an end, as exactly as that is known. */
  endedAtMs: number | undefined;
  /** When it said so: later, where Kinesis took nothing, and by the clock of its owner, not of Zoom. Unix ms. */
  toldEndAtMs: number | undefined;
  /** Media types that it had asked for and that did not flow yet when the others began to. */
  late: readonly string[] = [];
  /** Connections that were down for longer than this at the end were lost while the stream ran, ms. */
  #closedBeforeEndMs: number | undefined;
  #media: readonly string[] = [];
  readonly #flowed = new Set<string>();
  readonly #reconnects: BlindTime[] = [];
  /** Connections that are down: by scope, and by camera where each camera has a connection of its own. */
  readonly #down = new Map<string, Down>();
  /** Those that were down when signaling came back, and when that was. One that did not come back with it is told right behind. */
  #signalingBack = { atMs: Number.NEGATIVE_INFINITY, down: new Map<string, Down>() };
  /** The last time in which the connection of audio was down. */
  #audioDown: { readonly sinceMs: number; readonly backAtMs: number } | undefined;

  /** Media types that Zoom had agreed to send. */
  get media(): readonly string[] {
    return this.#media;
  }

  /** The same, with those that did not flow when the others began to. */
  get asked(): readonly string[] {
    return [...new Set([...this.#media, ...this.late])];
  }

  /** Did a media type flow in this epoch, at its beginning or later? */
  hasFlowed(mediaType: string): boolean {
    return this.#flowed.has(mediaType);
  }

  /** Takes an event of the epoch, in order. */
  event(event: ReceivedEvent): void {
    const atMs = event.time.getTime();
    switch (event.name) {
      case 'session_taken_over':
        this.takenOver = { data: event.data, atMs };
        return;
      case 'session_started':
        this.streamingAtMs = event.data.streamingAtMs;
        this.requestedAtMs = event.data.runRequestedAtMs ?? event.data.requestedAtMs;
        this.continues = event.data.continues?.rtmsStreamId;
        this.#media = Object.keys(event.data.media);
        this.late = (event.data.leftOut ?? [])
          .filter(({ reason }) => reason === 'not_connected')
          .map(({ mediaType }) => mediaType);
        for (const mediaType of this.#media) this.#flowed.add(mediaType);
        for (const scope of this.late) {
          this.#flowed.delete(scope);
          this.#down.set(scope, { scope, sinceMs: this.streamingAtMs });
        }
        return;
      case 'session_interrupted': {
        const key = downKey(event.data);
        // It may have been noticed late: by its silence, or by a process that stood still.
        const sinceMs = atMs - event.data.durationMs;
        const { atMs: backAtMs, down } = this.#signalingBack;
        const before = atMs - backAtMs <= SAME_HANDSHAKE_MS ? down.get(key) : undefined;
        if (before !== undefined && this.late.includes(key)) this.#flowed.delete(key);
        // The first sign stands until the connection is back.
        if (!this.#down.has(key))
          this.#down.set(key, before ?? { scope: event.data.scope, sinceMs });
        return;
      }
      case 'video_selected':
        dropCameras(this.#down, event.data);
        return;
      case 'session_reconnected': {
        const { scope, blind, durationMs } = event.data;
        if (scope === 'signaling' || scope === KEPT_BY_ZOOM) {
          const sinceMs = atMs - durationMs;
          const owedMs = this.audioOwedSinceMs(sinceMs) ?? sinceMs;
          this.#audioDown = { sinceMs: Math.min(sinceMs, owedMs), backAtMs: atMs };
        }
        if (scope === 'signaling') {
          this.#signalingBack = { atMs, down: new Map(this.#down) };
          for (const { scope: late } of this.#down.values()) this.#flowed.add(late);
          this.#down.clear();
        } else {
          this.#flowed.add(scope);
          this.#down.delete(downKey(event.data));
          this.#signalingBack.down.delete(downKey(event.data));
        }
        this.#reconnects.push(...(blind ?? this.#spans(scope, atMs - durationMs, atMs)));
        return;
      }
      case 'session_handed_over':
        this.endedAtMs = atMs;
        this.toldEndAtMs = atMs;
        return;
      case 'session_ended': {
        this.endedAtMs = event.data.leftAtMs ?? atMs;
        this.toldEndAtMs = atMs;
        this.#closedBeforeEndMs = closedBeforeEndMs(event.data);
        return;
      }
      default:
    }
  }

  /**
   * The blind times at the beginning of this epoch, within it, and at its end.
   *
   * @param before the epoch before this one, when there are records of it
   * @param lastSeenMs capture time of the last frame or line of a media type in the epoch before, Unix ms: until then its
   *   owner wrote
   * @param wasSent whether there are frames of a media type on either side. Without a camera or a share nothing could be
   *   missed
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
        // The event may be written before media flows, when another line had to follow it. The time ends with the flow.
        const toMs =
          mediaType === KEPT_BY_ZOOM ? blind.toMs : Math.max(blind.toMs, this.streamingAtMs ?? 0);
        const boundMs = Math.max(seenMs, before?.toldUntilMs(blind) ?? 0);
        const laterMs = boundMs < toMs ? Math.max(blind.fromMs, boundMs) : blind.fromMs;
        const fromMs = Math.min(laterMs, before?.downSinceMs(mediaType) ?? laterMs);
        add(takenOver.data.cause, { mediaType, fromMs, toMs });
      }
    }
    for (const blind of this.#reconnects) add('reconnected', blind);
    if (endedAtMs !== undefined && this.#closedBeforeEndMs !== undefined) {
      for (const { scope, sinceMs } of this.#down.values()) {
        if (this.#wasClosedWithEnd(sinceMs)) continue;
        const scopes = scope === 'signaling' ? this.#media : [scope];
        for (const mediaType of scopes)
          add('not_reconnected', { mediaType, fromMs: sinceMs, toMs: endedAtMs } as BlindTime);
      }
    }
    return losses;
  }

  #wasClosedWithEnd(sinceMs: number): boolean {
    const { endedAtMs } = this;
    const closedMs = this.#closedBeforeEndMs;
    return endedAtMs !== undefined && closedMs !== undefined && endedAtMs - sinceMs <= closedMs;
  }

  /**
   * An owner whose connection was down is at work and receives nothing. Its heartbeat, and the lines of other connections, prove
   * nothing then.
   */
  downSinceMs(mediaType: string): number | undefined {
    // One camera of several that is down says nothing about the others.
    const downMs = ['signaling', mediaType]
      .flatMap((key) => this.#down.get(key)?.sinceMs ?? [])
      .filter((sinceMs) => !this.#wasClosedWithEnd(sinceMs));
    return downMs.length === 0 ? undefined : Math.min(...downMs);
  }

  /**
   * Zoom sends the audio of a time without a connection some moments after it is back. An owner that leaves in these moments has not
   * got it, and Zoom still keeps it for the next one, for as long as it keeps audio.
   *
   * @param leftMs when the owner left, Unix ms
   * @returns since when Zoom kept audio that may not have come by then, Unix ms; undefined where all of it came
   */
  audioOwedSinceMs(leftMs: number): number | undefined {
    const downMs = this.downSinceMs(KEPT_BY_ZOOM);
    const last = this.#audioDown;
    if (last === undefined) return downMs;
    const upMs = Math.min(leftMs, downMs ?? leftMs) - last.backAtMs;
    return upMs < KEPT_AUDIO_COMES_MS ? last.sinceMs : downMs;
  }

  /**
   * Two owners tell the same time, when the first one died before the table knew that it had told.
   *
   * @returns until when this epoch has told that its media type was blind, if that began no later than another blind time
   */
  toldUntilMs({ mediaType, fromMs }: BlindTime): number | undefined {
    const told = this.takenOver?.data.blind?.find((blind) => blind.mediaType === mediaType);
    return told !== undefined && told.fromMs <= fromMs ? told.toMs : undefined;
  }

  /**
   * The blind time after a takeover by a runner of an older version, whose event has none: from the last record of the
   * owner before to the flow of media.
   */
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

  /**
   * The time between the stream that this one continues and this one. Zoom keeps nothing of it, audio neither: the buffer is the
   * stream's, not the meeting's.
   *
   * @param last the last epoch of the stream before
   * @param lastSeenMs as in `losses`, of that epoch
   */
  betweenStreams(
    at: { readonly rtmsStreamId: string; readonly epoch: number },
    last: EpochLife,
    lastSeenMs: (mediaType: string) => number | undefined,
    wasSent: (mediaType: string) => boolean,
  ): Loss[] {
    const { streamingAtMs: toMs } = this;
    if (toMs === undefined) return [];
    return this.#media.flatMap((mediaType) => {
      const fromMs = Math.max(last.endedAtMs ?? 0, lastSeenMs(mediaType) ?? 0);
      if (fromMs === 0 || fromMs >= toMs || (isPicture(mediaType) && !wasSent(mediaType)))
        return [];
      const { rtmsStreamId, epoch } = at;
      return [
        {
          rtmsStreamId,
          epoch,
          kind: 'blind',
          mediaType,
          cause: RESTART_CAUSE,
          fromMs,
          toMs,
        } as Loss,
      ];
    });
  }

  #spans(scope: string, fromMs: number, toMs: number): BlindTime[] {
    const mediaTypes = scope === 'signaling' ? this.#media : [scope];
    return mediaTypes
      .filter((mediaType) => mediaType !== KEPT_BY_ZOOM)
      .map((mediaType) => ({ mediaType, fromMs, toMs }) as BlindTime);
  }
}
