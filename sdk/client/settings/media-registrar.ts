import type { MediaType } from '../../../rtms/protocol/media-type.ts';
import type { MediaRequest } from '../../../rtms/protocol/params.ts';
import { CallbackRegistrar } from '../callbacks/callback-registrar.ts';
import type { DataCallbackName } from '../callbacks/callbacks.ts';
import {
  type AudioParams,
  audioFields,
  type DeskshareParams,
  type MediaFields,
  mediaRequest,
  pictureFields,
  type TranscriptParams,
  transcriptFields,
  type VideoParams,
} from './media-params.ts';

const MEDIA_TYPE_OF: Readonly<Record<DataCallbackName, MediaType>> = {
  onAudioData: 'audio',
  onVideoData: 'video',
  onDeskshareData: 'deskshare',
  onTranscriptData: 'transcript',
  onChatData: 'chat',
};

/**
 * The part of a client that says which media it wants, and how. Each method returns true.
 *
 * A change takes effect at the join, or at once by a short reconnect when the client has joined already. The order
 * of the calls does not matter.
 */
export abstract class MediaRegistrar extends CallbackRegistrar {
  readonly #enabled = new Map<MediaType, boolean>();
  #fields: Readonly<Partial<Record<MediaType, MediaFields>>> = {};
  #isChanging = false;

  /**
   * Each of the four setters replaces what it set before.
   *
   * @throws ServiceError `rtms/invalid-params`; `detail` names `field`, `value` and `allowed`
   */
  setAudioParams(params: AudioParams): boolean {
    return this.#set('audio', audioFields(params));
  }

  setVideoParams(params: VideoParams): boolean {
    return this.#set('video', pictureFields('video', params));
  }

  setDeskshareParams(params: DeskshareParams): boolean {
    return this.#set('deskshare', pictureFields('deskshare', params));
  }

  setTranscriptParams(params: TranscriptParams): boolean {
    return this.#set('transcript', transcriptFields(params));
  }

  /** Asks for a media type that has no callback, or leaves out one that has a callback. */
  enableAudio(enable: boolean): boolean {
    return this.#enable('audio', enable);
  }

  enableVideo(enable: boolean): boolean {
    return this.#enable('video', enable);
  }

  enableDeskshare(enable: boolean): boolean {
    return this.#enable('deskshare', enable);
  }

  enableTranscript(enable: boolean): boolean {
    return this.#enable('transcript', enable);
  }

  enableChat(enable: boolean): boolean {
    return this.#enable('chat', enable);
  }

  /** What to ask Zoom for: the media types with a callback and those enabled without one, less those disabled. */
  protected mediaRequest(): MediaRequest {
    const wanted = new Set<MediaType>();
    for (const name of Object.keys(MEDIA_TYPE_OF) as DataCallbackName[]) {
      if (this.callbacks[name] !== undefined) wanted.add(MEDIA_TYPE_OF[name]);
    }
    for (const [mediaType, enable] of this.#enabled) {
      if (enable) wanted.add(mediaType);
      else wanted.delete(mediaType);
    }
    return mediaRequest(wanted, this.#fields);
  }

  /** A client that has joined asks Zoom again where the request is another one now. */
  protected abstract askForMedia(): void;

  /** Asks once for all that a program changes in one go: each asking costs a reconnect. */
  protected override mediaChanged(): void {
    if (this.#isChanging) return;
    this.#isChanging = true;
    queueMicrotask(() => {
      this.#isChanging = false;
      this.askForMedia();
    });
  }

  #set(mediaType: MediaType, fields: MediaFields): true {
    this.#fields = { ...this.#fields, [mediaType]: fields };
    this.mediaChanged();
    return true;
  }

  #enable(mediaType: MediaType, enable: boolean): true {
    this.#enabled.set(mediaType, enable);
    this.mediaChanged();
    return true;
  }
}
