import { ServiceError } from '../shared/errors.ts';
import type {
  CallbackName,
  ChatDataCallback,
  DataCallbackName,
  DataCallbacks,
  EventCallbacks,
  MediaDataCallback,
  Registered,
  TaskResultCallback,
  TranscriptDataCallback,
} from './callbacks.ts';

/** The part of a client that takes callbacks. Each method returns true. */
export class CallbackRegistrar {
  protected readonly callbacks: Registered = {};

  /** `reason` is 0 once media flows; else Zoom's status code or a RTMS_SDK_* number, and `onLeave` follows. */
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

  onAudioData(callback: MediaDataCallback | string, onResult?: TaskResultCallback): boolean {
    return this.#registerData('onAudioData', callback, onResult);
  }

  onVideoData(callback: MediaDataCallback | string, onResult?: TaskResultCallback): boolean {
    return this.#registerData('onVideoData', callback, onResult);
  }

  onDeskshareData(callback: MediaDataCallback | string, onResult?: TaskResultCallback): boolean {
    return this.#registerData('onDeskshareData', callback, onResult);
  }

  onTranscriptData(
    callback: TranscriptDataCallback | string,
    onResult?: TaskResultCallback,
  ): boolean {
    return this.#registerData('onTranscriptData', callback, onResult);
  }

  /** Zoom's SDK has no callback for chat. */
  onChatData(callback: ChatDataCallback | string, onResult?: TaskResultCallback): boolean {
    return this.#registerData('onChatData', callback, onResult);
  }

  /** The last call of all, once every other callback has finished. `reason` is StopReason. */
  onLeave(callback: EventCallbacks['onLeave']): boolean {
    return this.#register('onLeave', callback);
  }

  /** Every event as Zoom wrote it, also those that have a callback of their own. */
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

  /** Zoom's own notice. The client reconnects by itself; see also `onInterrupted`. */
  onMediaConnectionInterrupted(callback: EventCallbacks['onMediaConnectionInterrupted']): boolean {
    return this.#register('onMediaConnectionInterrupted', callback);
  }

  onParticipantVideo(callback: EventCallbacks['onParticipantVideo']): boolean {
    return this.#register('onParticipantVideo', callback);
  }

  /** The answer to `subscribeVideo`: `status` 0, or a status code of Zoom's and its reason. */
  onVideoSubscribed(callback: EventCallbacks['onVideoSubscribed']): boolean {
    return this.#register('onVideoSubscribed', callback);
  }

  /** A connection is down; the client is already reconnecting. */
  onInterrupted(callback: EventCallbacks['onInterrupted']): boolean {
    return this.#register('onInterrupted', callback);
  }

  onReconnected(callback: EventCallbacks['onReconnected']): boolean {
    return this.#register('onReconnected', callback);
  }

  /** After a reconnect, per source: the capture times between which frames are missing. */
  onGap(callback: EventCallbacks['onGap']): boolean {
    return this.#register('onGap', callback);
  }

  /** Frames that waited too long for their callback were given up. */
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
    callback: DataCallbacks[Name] | string,
    onResult: TaskResultCallback | undefined,
  ): boolean {
    const isTask = typeof callback === 'string';
    if (!isTask) assertFunction(name, callback);
    Object.assign(this.callbacks, { [name]: isTask ? { task: callback, onResult } : callback });
    return true;
  }
}

function assertFunction(name: CallbackName, callback: unknown): void {
  if (typeof callback === 'function') return;
  throw new ServiceError('rtms/invalid-params', `${name} needs a function`, {
    detail: { field: name, value: typeof callback, allowed: ['function'] },
  });
}
