import { MEDIA_DATA_OPTION, MESSAGE_TYPE } from '../../rtms/protocol/constants.ts';
import type { FrameMediaType, MediaType } from '../../rtms/protocol/media-type.ts';
import type { Behaviour } from '../scenario/behaviour.ts';
import type { Meeting } from '../scenario/meeting.ts';
import type { ScenarioParticipant } from '../scenario/scenario.ts';
import type { NotSentReason, SentLedger, SentSourceId } from '../sent-ledger.ts';
import { frameMessage } from '../sockets/messages.ts';
import type { MediaLink } from '../sockets/stream-client.ts';
import { audioFrame, mixedAudioFrame } from './audio-source.ts';
import { type AgreedParams, WIRE_DEFAULTS } from './media-params.ts';
import { shareFrame, videoFps, videoFrame } from './video-source.ts';

export interface MediaPumpOptions {
  readonly meeting: Meeting;
  readonly ledger: SentLedger;
  readonly behaviour: Behaviour;
  /** Unix ms of `rtms_started`: offset 0. */
  readonly startedAtMs: number;
  /** The connection to send on; undefined while media of this type may not flow. */
  link(mediaType: MediaType): MediaLink | undefined;
  /** Individual video: the participant whose camera was selected. */
  subscribedVideo(): number | undefined;
  /** V2: the connections of the selected cameras; undefined while there is one connection for all. */
  cameras(): readonly MediaLink[] | undefined;
  /** Called after the first frame on a link was sent. */
  firstPacket(timestampMs: number): void;
}

const MAX_TALKERS = 3;
const MESSAGE_OF = {
  audio: MESSAGE_TYPE.MEDIA_DATA_AUDIO,
  video: MESSAGE_TYPE.MEDIA_DATA_VIDEO,
  deskshare: MESSAGE_TYPE.MEDIA_DATA_SHARE,
} as const satisfies Record<FrameMediaType, number>;

/**
 * Sends frames when they are due. Sources are functions of time, so the audio buffer is only the offset up to which audio
 * was sent: a client that connects late gets everything after it at once.
 */
export class MediaPump {
  readonly #options: MediaPumpOptions;
  #audioMs = 0;
  #videoMs = 0;
  #shareMs = 0;
  /** By user id: since when a camera is shown. An encoder begins with a key frame. */
  #feeds = new Map<number, number>();

  constructor(options: MediaPumpOptions) {
    this.#options = options;
  }

  /** Sends all that is due before `untilMs` since `rtms_started`. */
  advance(untilMs: number): void {
    this.#advanceAudio(untilMs);
    this.#advanceVideo(untilMs);
    this.#advanceShare(untilMs);
  }

  /** The stream was paused until `untilMs`: nothing was produced. */
  skip(untilMs: number): void {
    this.#audioMs = Math.max(this.#audioMs, wholeFrames(untilMs));
    this.#videoMs = untilMs;
    this.#shareMs = untilMs;
  }

  /** Drops the audio that was kept until now. */
  dropBacklog(untilMs: number, reason: NotSentReason): void {
    this.#dropAudio(wholeFrames(untilMs), reason);
  }

  #advanceAudio(untilMs: number): void {
    const { behaviour, startedAtMs } = this.#options;
    const link = this.#options.link('audio');
    if (link === undefined) {
      this.#dropAudio(wholeFrames(untilMs - behaviour.audioBufferMs), 'buffer_full');
      return;
    }
    const { send_rate: durationMs } = link.params.audio ?? WIRE_DEFAULTS.audio;
    while (this.#audioMs + durationMs <= untilMs && link.connection.open) {
      const timestampMs = startedAtMs + this.#audioMs;
      for (const { id, name, payload } of this.#audioFrames(this.#audioMs, link.params)) {
        this.#send(link, id, name, payload, timestampMs);
      }
      this.#audioMs += durationMs;
    }
  }

  #audioFrames(offsetMs: number, effective: AgreedParams): AudioFrame[] {
    const { meeting, behaviour } = this.#options;
    const params = effective.audio ?? WIRE_DEFAULTS.audio;
    const { present } = meeting;
    if (params.data_opt === MEDIA_DATA_OPTION.AUDIO_MIXED_STREAM && !present.some(hasChannel)) {
      const payload = mixedAudioFrame(present, offsetMs, params, behaviour.mixedAudioSilence);
      const id = { mediaType: 'audio', userId: 0 } as const;
      return payload ? [{ id, name: undefined, payload }] : [];
    }
    const frames: AudioFrame[] = [];
    for (const participant of present) {
      const payload = audioFrame(participant, offsetMs, params);
      if (payload === undefined) continue;
      const { userId, channelId, userName: name } = participant;
      frames.push({ id: { mediaType: 'audio', userId, channelId }, name, payload });
      if (frames.length === MAX_TALKERS) break;
    }
    return frames;
  }

  /** Drops audio before `untilMs`, counted in frames of the default 20 ms. */
  #dropAudio(untilMs: number, reason: NotSentReason): void {
    const { ledger, startedAtMs } = this.#options;
    for (; this.#audioMs < untilMs; this.#audioMs += 20) {
      const multi = { ...WIRE_DEFAULTS.audio, data_opt: MEDIA_DATA_OPTION.AUDIO_MULTI_STREAMS };
      for (const { id } of this.#audioFrames(this.#audioMs, { audio: multi })) {
        ledger.frameNotSent(id, startedAtMs + this.#audioMs, reason);
      }
    }
  }

  #advanceVideo(untilMs: number): void {
    const { meeting } = this.#options;
    const fromMs = this.#videoMs;
    this.#videoMs = untilMs;
    const shown = this.#shownCameras().filter(({ userId }) => meeting.hasCameraOn(userId));
    const before = this.#feeds;
    this.#feeds = new Map(shown.map(({ userId }) => [userId, before.get(userId) ?? fromMs]));
    for (const { userId, link } of shown) {
      const { video: track, userName, channelId } = meeting.participant(userId);
      if (track === undefined) continue;
      const params = link?.params.video ?? WIRE_DEFAULTS.video;
      const startedMs = this.#feeds.get(userId) ?? fromMs;
      const id: SentSourceId = { mediaType: 'video', userId, channelId };
      const fps = videoFps(track, params);
      for (const [index, sinceMs] of framesBetween(fromMs - startedMs, untilMs - startedMs, fps)) {
        const offsetMs = startedMs + sinceMs;
        this.#sendPicture(link, id, userName, offsetMs, () =>
          videoFrame(track, userId, index, offsetMs, params),
        );
      }
    }
  }

  /** With V1 one camera, chosen by Zoom or by the client. With V2 each camera that has a connection. */
  #shownCameras(): { userId: number; link: MediaLink | undefined }[] {
    const cameras = this.#options.cameras();
    if (cameras !== undefined) {
      return cameras.flatMap((link) =>
        link.userId === undefined ? [] : { userId: link.userId, link },
      );
    }
    const link = this.#options.link('video');
    const option = (link?.params.video ?? WIRE_DEFAULTS.video).data_opt;
    const isIndividual = option === MEDIA_DATA_OPTION.VIDEO_SINGLE_INDIVIDUAL_STREAM;
    const userId = isIndividual ? this.#options.subscribedVideo() : this.#options.meeting.featured;
    return userId === undefined ? [] : [{ userId, link }];
  }

  #advanceShare(untilMs: number): void {
    const { share } = this.#options.meeting;
    const fromMs = this.#shareMs;
    this.#shareMs = untilMs;
    if (share === undefined) return;
    const link = this.#options.link('deskshare');
    const params = link?.params.deskshare ?? WIRE_DEFAULTS.deskshare;
    const { userName, channelId } = this.#options.meeting.participant(share.userId);
    const id: SentSourceId = { mediaType: 'deskshare', userId: share.userId, channelId };
    const { startedMs } = share;
    const due = framesBetween(Math.max(0, fromMs - startedMs), untilMs - startedMs, params.fps);
    for (const [, sinceStartMs] of due) {
      const offsetMs = startedMs + sinceStartMs;
      this.#sendPicture(link, id, userName, offsetMs, () =>
        shareFrame(share.track, share.userId, offsetMs, sinceStartMs, params),
      );
    }
  }

  /** Video and share are not kept for a client that comes later. */
  #sendPicture(
    link: MediaLink | undefined,
    id: SentSourceId,
    name: string,
    offsetMs: number,
    payload: () => Buffer,
  ): void {
    const timestampMs = this.#options.startedAtMs + offsetMs;
    if (link?.connection.open) this.#send(link, id, name, payload(), timestampMs);
    else this.#options.ledger.frameNotSent(id, timestampMs, 'not_connected');
  }

  #send(
    link: MediaLink,
    id: SentSourceId,
    name: string | undefined,
    payload: Buffer,
    timestampMs: number,
  ): void {
    const { behaviour } = this.#options;
    const msgType = MESSAGE_OF[id.mediaType];
    link.connection.send(frameMessage(msgType, id, name, payload, timestampMs, behaviour));
    this.#options.ledger.frameSent(id, payload, timestampMs, link.connection);
    this.#options.firstPacket(timestampMs);
  }
}

interface AudioFrame {
  readonly id: SentSourceId;
  readonly name: string | undefined;
  readonly payload: Buffer;
}

function hasChannel({ channelId }: ScenarioParticipant): boolean {
  return channelId !== undefined;
}

function wholeFrames(offsetMs: number): number {
  return Math.floor(offsetMs / 20) * 20;
}

/** Index and offset of the pictures due in `[fromMs, untilMs)`. */
function* framesBetween(fromMs: number, untilMs: number, fps: number): Generator<[number, number]> {
  for (let index = Math.max(0, Math.floor((fromMs * fps) / 1000)); ; index++) {
    const offsetMs = Math.floor((index * 1000) / fps);
    if (offsetMs >= untilMs) return;
    if (offsetMs >= fromMs) yield [index, offsetMs];
  }
}
