import { ServiceError } from '../../../shared/errors.ts';
import type {
  AudioDataCallback,
  CallbackName,
  ChatDataCallback,
  DataCallbackName,
  DeskshareCallback,
  EventCallbacks,
  MediaDataCallback,
  Registered,
  TaskResultCallback,
  TranscriptDataCallback,
  VideoDataCallback,
} from './callbacks.ts';

/** The part of a client that registers callbacks. Each method returns true. */
export abstract class CallbackRegistrar {
  protected readonly callbacks: Registered = {};

  /** `reason` is 0 once media flows. Otherwise it is Zoom's status code or a RTMS_SDK_* number, and `onLeave` follows. */
  onJoinConfirm(callback: EventCallbacks['onJoinConfirm']): boolean {
    return this.#register('onJoinConfirm', callback);
  }

  /** `op` is SESSION_EVENT_*. */
  onSessionUpdate(callback: EventCallbacks['onSessionUpdate']): boolean {
    return this.#register('onSessionUpdate', callback);
  }

  /** `op` is USER_JOIN or USER_LEAVE. */
  onUserUpdate(callback: EventCallbacks['onUserUpdate']): boolean {
    return this.#register('onUserUpdate', callback);
  }

  onAudioData(callback: AudioDataCallback | string, onResult?: TaskResultCallback): boolean {
    return this.#registerData('onAudioData', callback, onResult);
  }

  onVideoData(callback: VideoDataCallback | string, onResult?: TaskResultCallback): boolean {
    return this.#registerData('onVideoData', callback, onResult);
  }

  onDeskshareData(callback: DeskshareCallback | string, onResult?: TaskResultCallback): boolean {
    return this.#registerData('onDeskshareData', callback, onResult);
  }

  onTranscriptData(
    callback: TranscriptDataCallback | string,
    onResult?: TaskResultCallback,
  ): boolean {
    return this.#registerData('onTranscriptData', callback, onResult);
  }

  /** For chat messages; Zoom's SDK has no such callback. */
  onChatData(callback: ChatDataCallback | string, onResult?: TaskResultCallback): boolean {
    return this.#registerData('onChatData', callback, onResult);
  }

  /** Called last, once every other callback has finished. `reason` is a StopReason. */
  onLeave(callback: EventCallbacks['onLeave']): boolean {
    return this.#register('onLeave', callback);
  }

  /** Called with every event as Zoom wrote it, also events that have a callback of their own. */
  onEventEx(callback: EventCallbacks['onEventEx']): boolean {
    return this.#register('onEventEx', callback);
  }

  onParticipantEvent(callback: EventCallbacks['onParticipantEvent']): boolean {
    return this.#register('onParticipantEvent', callback);
  }

  onActiveSpeakerEvent(callback: EventCallbacks['onActiveSpeakerEvent']): boolean {
    return this.#register('onActiveSpeakerEvent', callback);
  }

  onSharingEvent(callback: EventCallbacks['onSharingEvent']): boolean {
    return this.#register('onSharingEvent', callback);
  }

  /** Zoom reports that it lost a media connection. The client reconnects by itself; see also `onInterrupted`. */
  onMediaConnectionInterrupted(callback: EventCallbacks['onMediaConnectionInterrupted']): boolean {
    return this.#register('onMediaConnectionInterrupted', callback);
  }

  onParticipantVideo(callback: EventCallbacks['onParticipantVideo']): boolean {
    return this.#register('onParticipantVideo', callback);
  }

  /** Zoom's answer to `subscribeVideo`: `status` 0, or one of Zoom's status codes with its reason. */
  onVideoSubscribed(callback: EventCallbacks['onVideoSubscribed']): boolean {
    return this.#register('onVideoSubscribed', callback);
  }

  /** How the client ended, in more detail than `onLeave` says; called just before `onLeave`. */
  onEnded(callback: EventCallbacks['onEnded']): boolean {
    return this.#register('onEnded', callback);
  }

  /** A connection is down, and the client is already reconnecting. */
  onInterrupted(callback: EventCallbacks['onInterrupted']): boolean {
    return this.#register('onInterrupted', callback);
  }

  onReconnected(callback: EventCallbacks['onReconnected']): boolean {
    return this.#register('onReconnected', callback);
  }

  /** Called after a reconnect, once per source, with the capture times between which frames are missing. */
  onGap(callback: EventCallbacks['onGap']): boolean {
    return this.#register('onGap', callback);
  }

  /** Frames were dropped because a callback is too slow. */
  onDropped(callback: EventCallbacks['onDropped']): boolean {
    return this.#register('onDropped', callback);
  }

  /** Another callback threw, or its promise was rejected. */
  onError(callback: EventCallbacks['onError']): boolean {
    return this.#register('onError', callback);
  }

  #register<Name extends keyof EventCallbacks>(
    name: Name,
    callback: EventCallbacks[Name],
  ): boolean {
    assertFunction(name, callback);
    Object.assign(this.callbacks, { [name]: callback });
    return true;
  }

  #registerData<Name extends DataCallbackName>(
    name: Name,
    callback: MediaDataCallback | string,
    onResult: TaskResultCallback | undefined,
  ): boolean {
    if (typeof callback !== 'string') assertFunction(name, callback);
    const registration = { callback, onResult } satisfies Registered[DataCallbackName];
    Object.assign(this.callbacks, { [name]: registration });
    this.mediaChanged();
    return true;
  }

  /** A callback for data was registered. A client that has joined already may have to ask Zoom for its media type. */
  protected abstract mediaChanged(): void;
}

function assertFunction(name: CallbackName, callback: unknown): void {
  if (typeof callback === 'function') return;
  throw new ServiceError('rtms/invalid-params', `${name} needs a function`, {
    detail: { field: name, value: typeof callback, allowed: ['function'] },
  });
}
