import type { RtmsClient } from '../../../rtms/client.ts';
import type { ChatMessage, EndReason, MediaFrame, TranscriptLine } from '../../../rtms/events.ts';
import { SessionUpdates } from '../session-updates.ts';
import { AiInterpreters } from './ai-interpreter.ts';
import { Backlog, type DroppedWork, type WorkKind } from './backlog.ts';
import type { CallbackName, DataCallbackName, EventCallbacks, Registered } from './callbacks.ts';
import { type DataCall, DataCaller, type DataCallerOptions } from './data-caller.ts';
import { joinFailure, leaveReason } from './end-reason.ts';
import { deliverEvent, type Emit } from './event-callbacks.ts';
import { chatMetadata, frameMetadata, transcriptMetadata } from './metadata.ts';

export interface CallbackDeliveryOptions extends DataCallerOptions {
  readonly callbacks: Registered;
  readonly streamId: string;
  readonly meetingId: string;
  readonly maxQueuedBytes: number;
}

/** How long the end waits for callbacks that are still running, ms. */
const DRAIN_MS = 10_000;

const FRAME_CALLBACK = {
  audio: 'onAudioData',
  video: 'onVideoData',
  deskshare: 'onDeskshareData',
} as const;

const CALLBACK_OF_KIND: Readonly<Record<WorkKind, CallbackName>> = {
  ...FRAME_CALLBACK,
  text: 'onTranscriptData',
  event: 'onEventEx',
};

/**
 * Calls the registered callbacks with what one joined client receives, one call at a time for each source.
 *
 * Events wait until `onJoinConfirm` has finished. Zoom's SDK subscribes to events only then, so programs prepare in
 * `onJoinConfirm` what their other callbacks need. After `leave()` only `onEnded` and `onLeave` are called.
 */
export class CallbackDelivery {
  readonly #options: CallbackDeliveryOptions;
  readonly #backlog: Backlog;
  readonly #caller: DataCaller;
  readonly #interpreters = new AiInterpreters();
  readonly #sessions = new SessionUpdates();
  readonly #failing = new Set<CallbackName>();
  readonly #left = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  /** Argument of `onJoinConfirm`; undefined when it will not be called. */
  readonly #confirmed = Promise.withResolvers<number | undefined>();
  #hasJoined = false;
  #isMuted = false;
  #hasStoppedWaiting = false;

  constructor(rtms: RtmsClient, options: CallbackDeliveryOptions) {
    this.#options = options;
    this.#backlog = new Backlog(options.maxQueuedBytes, (dropped) => this.#onDropped(dropped));
    this.#caller = new DataCaller(options, () => this.#isMuted);
    this.#holdEvents();
    rtms.on('joined', () => this.#onJoined());
    rtms.on('frame', (frame) => this.#onFrame(frame));
    rtms.on('transcript', (line, sentTimestamp) => this.#onTranscript(line, sentTimestamp));
    rtms.on('chat', (message) => this.#onChat(message));
    rtms.on('event', (event, raw) => deliverEvent(event, raw, this.#emit));
    rtms.on('sessionState', (state) => {
      const update = this.#sessions.next(state, options);
      if (update !== undefined) this.#emit('onSessionUpdate', update.op, update.session);
    });
    rtms.on('interrupted', (info) => this.#emit('onInterrupted', info));
    rtms.on('reconnected', (info) => this.#emit('onReconnected', info));
    rtms.on('gap', (gap) => this.#emit('onGap', gap));
    rtms.on('videoSubscribed', ({ userId, status, reason }) =>
      this.#emit('onVideoSubscribed', userId, status, reason),
    );
    rtms.on('other', (raw) => this.#interpreters.learn(raw));
    rtms.once('malformed', ({ scope, error }) => {
      options.logger.warn('malformed message; later ones are not logged', { scope, error });
    });
    rtms.on('ended', (end) => void this.#onEnded(end));
  }

  /** Resolves when `onLeave` has been called; the callback may still be running. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  /** Resolves when `onLeave` has finished. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** The program has left: from here on only `onEnded` and `onLeave` are called. */
  mute(): void {
    this.#isMuted = true;
    this.#backlog.dropAll();
  }

  /** Another client needs the stream: after `leave()`, the end no longer waits for callbacks that are running. */
  stopWaiting(): void {
    if (!this.#isMuted) return;
    this.#hasStoppedWaiting = true;
    this.#backlog.stopWaiting();
  }

  /** Occupies the queue of events until `onJoinConfirm` has finished. What waits counts towards `maxQueuedBytes`. */
  #holdEvents(): void {
    this.#backlog.push({
      kind: 'event',
      source: 'events',
      sizeBytes: 0,
      timestampMs: Date.now(),
      run: async () => {
        const reason = await this.#confirmed.promise;
        if (reason !== undefined) await this.#options.callbacks.onJoinConfirm?.(reason);
      },
      failed: (error) => this.#onFailed(error, 'onJoinConfirm'),
    });
  }

  #onJoined(): void {
    this.#hasJoined = true;
    this.#confirmed.resolve(this.#isMuted ? undefined : 0);
  }

  #onFrame(frame: MediaFrame): void {
    const { mediaType, userId, channelId, payload, capturedAtMs } = frame;
    const name = FRAME_CALLBACK[mediaType];
    if (this.#options.callbacks[name] === undefined) return;
    this.#push(name, {
      kind: mediaType,
      source: String(userId ?? channelId ?? 0),
      capturedAtMs,
      buffer: payload,
      timestamp: capturedAtMs,
      metadata: frameMetadata(frame, this.#interpreters.of(userId)),
    });
  }

  /** A line to which Zoom gave no time gets ours, in microseconds: the unit in which Zoom mostly sends it. */
  #onTranscript(line: TranscriptLine, sentTimestamp = line.timestampMs * 1_000): void {
    this.#push('onTranscriptData', {
      kind: 'text',
      source: String(line.userId ?? line.channelId ?? 0),
      capturedAtMs: line.timestampMs,
      buffer: Buffer.from(line.text),
      timestamp: sentTimestamp,
      metadata: transcriptMetadata(line),
    });
  }

  /** All chat is one source: an edit must not overtake the message it changes. */
  #onChat(message: ChatMessage): void {
    const { text, timestampMs } = message;
    this.#push('onChatData', {
      kind: 'text',
      source: 'chat',
      capturedAtMs: timestampMs,
      buffer: Buffer.from(text),
      timestamp: timestampMs,
      metadata: chatMetadata(message),
    });
  }

  #push(name: DataCallbackName, call: DataCall): void {
    const registration = this.#options.callbacks[name];
    if (registration === undefined || this.#isMuted) return;
    this.#backlog.push({
      kind: call.kind,
      source: call.source,
      sizeBytes: call.buffer.length,
      timestampMs: call.capturedAtMs,
      run: () => this.#caller.call(name, registration, call),
      failed: (error) => this.#onFailed(error, name),
    });
  }

  readonly #emit: Emit = (name, ...args) => {
    const callback = this.#options.callbacks[name] as ((...args: unknown[]) => unknown) | undefined;
    if (callback === undefined || this.#isMuted) return;
    this.#backlog.push({
      kind: 'event',
      source: 'events',
      sizeBytes: sizeOf(args),
      timestampMs: Date.now(),
      // A join that failed is reported by onJoinConfirm and onLeave alone.
      run: () => (this.#hasJoined ? callback(...args) : undefined),
      failed: (error) => this.#onFailed(error, name),
    });
  };

  async #onEnded(end: EndReason): Promise<void> {
    this.#confirmed.resolve(this.#isMuted ? undefined : joinFailure(end));
    await this.#drained();
    this.#callLast('onEnded', end);
    this.#callLast('onLeave', leaveReason(end));
    this.#left.resolve();
    await this.#drained();
    this.#ended.resolve();
  }

  #drained(): Promise<void> {
    return this.#backlog.drained(this.#hasStoppedWaiting ? 0 : DRAIN_MS);
  }

  /** Does not wait for the queue of events: a callback that still runs there has already had DRAIN_MS. */
  #callLast<Name extends 'onEnded' | 'onLeave'>(
    name: Name,
    ...args: Parameters<EventCallbacks[Name]>
  ): void {
    const callback = this.#options.callbacks[name] as ((...args: unknown[]) => unknown) | undefined;
    if (callback === undefined) return;
    this.#backlog.push({
      kind: 'event',
      source: name,
      sizeBytes: 0,
      timestampMs: Date.now(),
      run: () => callback(...args),
      failed: (error) => this.#onFailed(error, name),
    });
  }

  #onDropped({ kind, ...dropped }: DroppedWork): void {
    const callback = CALLBACK_OF_KIND[kind];
    this.#options.logger.warn('callback is too slow: frames were dropped', {
      callback,
      ...dropped,
    });
    this.#guard('onDropped', () => this.#options.callbacks.onDropped?.({ ...dropped, callback }));
  }

  /** Logs the first failure of each callback as an error, later ones at debug: there may be one for every frame. */
  #onFailed(error: unknown, callback: CallbackName): void {
    const { logger, callbacks } = this.#options;
    const isNew = !this.#failing.has(callback);
    this.#failing.add(callback);
    logger[isNew ? 'error' : 'debug']('callback failed', { callback, error });
    if (callback !== 'onError') {
      this.#guard('onError', () => callbacks.onError?.(error, callback));
    }
  }

  /** Calls at once, past the backlog: these two report what happens inside the backlog. */
  #guard(name: 'onDropped' | 'onError', call: () => unknown): void {
    void (async () => call())().catch((error: unknown) => this.#onFailed(error, name));
  }
}

/** Roughly the bytes that the arguments of an event hold: rosters and raw events can be large. */
function sizeOf(args: readonly unknown[]): number {
  let bytes = 0;
  for (const value of args) {
    if (typeof value === 'string') bytes += 2 * value.length;
    // An entry is an id and a name of at most 512 bytes; most names are far shorter.
    else if (Array.isArray(value)) bytes += 128 * value.length;
  }
  return bytes;
}
