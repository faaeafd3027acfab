import type { MediaType } from '../../../rtms/protocol/media-type.ts';
import type { MediaRequest } from '../../../rtms/protocol/params.ts';
import type { DataCallbackName, Registered } from '../callbacks/callbacks.ts';
import { type MediaFields, mediaRequest } from './media-params.ts';

const MEDIA_TYPE_OF: Readonly<Record<DataCallbackName, MediaType>> = {
  onAudioData: 'audio',
  onVideoData: 'video',
  onDeskshareData: 'deskshare',
  onTranscriptData: 'transcript',
  onChatData: 'chat',
};

/** What a client will ask Zoom for at its next join; the order of the calls does not matter. */
export class MediaSettings {
  readonly #enabled = new Map<MediaType, boolean>();
  #fields: Readonly<Partial<Record<MediaType, MediaFields>>> = {};

  set(mediaType: MediaType, fields: MediaFields): true {
    this.#fields = { ...this.#fields, [mediaType]: fields };
    return true;
  }

  enable(mediaType: MediaType, enable: boolean): true {
    this.#enabled.set(mediaType, enable);
    return true;
  }

  /** Media types with a callback, and those enabled without one, less those disabled. */
  request(callbacks: Registered): MediaRequest {
    const wanted = new Set<MediaType>();
    for (const name of Object.keys(MEDIA_TYPE_OF) as DataCallbackName[]) {
      if (callbacks[name] !== undefined) wanted.add(MEDIA_TYPE_OF[name]);
    }
    for (const [mediaType, enable] of this.#enabled) {
      if (enable) wanted.add(mediaType);
      else wanted.delete(mediaType);
    }
    return mediaRequest(wanted, this.#fields);
  }
}
