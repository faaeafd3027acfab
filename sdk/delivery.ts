import type { RtmsClient } from '../runner/rtms/client.ts';
import type { EndReason, MediaFrame } from '../runner/rtms/events.ts';
import { ServiceError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { AiInterpreters } from './ai-interpreter.ts';
import { Backlog, type DroppedWork, type WorkKind } from './backlog.ts';
import type {
  CallbackName,
  DataCallbackName,
  EventCallbacks,
  ExecutorCallback,
  Registered,
} from './callbacks.ts';
import { joinFailure, leaveReason } from './end-reason.ts';
import { deliverEvent } from './event-callbacks.ts';
import type { Executor } from './executor.ts';
import { chatMetadata, frameMetadata, type Metadata, transcriptMetadata } from './metadata.ts';
import { SessionUpdates } from './session-updates.ts';

export interface DeliveryOptions {
  readonly callbacks: Registered;
  readonly streamId: string;
  readonly meetingId: string;
  readonly maxQueuedBytes: number;
  /** Asked for with every frame: `run` may name an executor after the join. */
  readonly executor: () => Executor | undefined;
  readonly logger: Logger;
}

/** How long the end waits for callbacks that are still at work. */
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

type Emit = <Name extends keyof EventCallbacks>(
  name: Name,
  ...args: Parameters<EventCallbacks[Name]>
) => void;

/** Hands what one joined client brings to the callbacks that were registered, source by source. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #backlog: Backlog;
  readonly #interpreters = new AiInterpreters();
  readonly #sessions = new SessionUpdates();
  readonly #failing = new Set<CallbackName>();
  readonly #ended = Promise.withResolvers<void>();
  #joined = false;

  constructor(rtms: RtmsClient, options: DeliveryOptions) {
    this.#options = options;
    this.#backlog = new Backlog(options.maxQueuedBytes, (dropped) => this.#onDropped(dropped));
    rtms.on('joined', () => this.#onJoined());
    rtms.on('frame', (frame) => this.#onFrame(frame));
    rtms.on('transcript', (line) => {
      const { userId, channelId, timestampMs, text } = line;
      const source = String(userId ?? channelId ?? 0);
      const metadata = transcriptMetadata(line);
      this.#data(
        'onTranscriptData',
        'text',
        source,
        Buffer.from(text),
        timestampMs,
        metadata,
        line,
      );
    });
    rtms.on('chat', (message) => {
      const { timestampMs, text } = message;
      // One queue for all: an edit must not overtake the message it changes.
      this.#data(
        'onChatData',
        'text',
        'chat',
        Buffer.from(text),
        timestampMs,
        chatMetadata(message),
        message,
      );
    });
    rtms.on('event', (event, raw) => deliverEvent(event, raw, this.#emit));
    rtms.on('sessionState', (state) => {
      const update = this.#sessions.next(state, options);
      if (update !== undefined) this.#emit('onSessionUpdate', update.op, update.session);
    });
    rtms.on('interrupted', (info) => this.#emit('onInterrupted', info));
    rtms.on('reconnected', (info) => this.#emit('onReconnected', info));
    rtms.on('hole', (hole) => this.#emit('onGap', hole));
    rtms.on('videoSubscribed', ({ userId, status, reason }) =>
      this.#emit('onVideoSubscribed', userId, status, reason),
    );
    rtms.on('other', (raw) => this.#interpreters.learn(raw));
    rtms.once('malformed', ({ scope, error }) => {
      options.logger.warn('malformed message, others are not logged', { scope, error });
    });
    rtms.on('ended', (end) => void this.#onEnded(end));
  }

  /** Settles after `onLeave`. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  #onJoined(): void {
    this.#joined = true;
    this.#emit('onJoinConfirm', 0);
  }

  #onFrame(frame: MediaFrame): void {
    const { mediaType, userId, channelId, payload, capturedAtMs } = frame;
    const metadata = frameMetadata(frame, this.#interpreters.of(userId));
    const source = String(userId ?? channelId ?? 0);
    this.#data(FRAME_CALLBACK[mediaType], mediaType, source, payload, capturedAtMs, metadata);
  }

  #data(
    name: DataCallbackName,
    kind: WorkKind,
    source: string,
    buffer: Buffer,
    timestampMs: number,
    metadata: Metadata,
    detail?: unknown,
  ): void {
    const callback = this.#options.callbacks[name];
    if (callback === undefined) return;
    const args = [buffer, buffer.length, timestampMs, metadata, detail] as const;
    this.#backlog.push({
      kind,
      source,
      sizeBytes: buffer.length,
      timestampMs,
      run: () =>
        typeof callback === 'function'
          ? (callback as (...args: unknown[]) => unknown)(...args)
          : this.#runTask(callback, args, metadata, timestampMs),
      failed: (error) => this.#onFailed(error, name),
    });
  }

  async #runTask(
    { task, onResult }: ExecutorCallback,
    args: readonly unknown[],
    metadata: Metadata,
    timestampMs: number,
  ): Promise<void> {
    const executor = this.#options.executor();
    if (executor === undefined) {
      throw new ServiceError('config/invalid', `there is no executor for the task ${task}`);
    }
    const result = await executor.run(task, args);
    await onResult?.(result, metadata, timestampMs);
  }

  readonly #emit: Emit = (name, ...args) => {
    const callback = this.#options.callbacks[name] as ((...args: unknown[]) => unknown) | undefined;
    if (callback === undefined) return;
    this.#backlog.push({
      kind: 'event',
      source: 'events',
      sizeBytes: 0,
      timestampMs: Date.now(),
      run: () => callback(...args),
      failed: (error) => this.#onFailed(error, name),
    });
  };

  async #onEnded(end: EndReason): Promise<void> {
    const failure = this.#joined ? undefined : joinFailure(end);
    if (failure !== undefined) this.#emit('onJoinConfirm', failure);
    await this.#backlog.drained(DRAIN_MS);
    this.#emit('onLeave', leaveReason(end), end);
    await this.#backlog.drained(DRAIN_MS);
    this.#ended.resolve();
  }

  #onDropped({ kind, ...dropped }: DroppedWork): void {
    const callback = CALLBACK_OF_KIND[kind];
    this.#options.logger.warn('callback too slow, frames dropped', { callback, ...dropped });
    this.#guard('onDropped', () => this.#options.callbacks.onDropped?.({ ...dropped, callback }));
  }

  /** The first failure of a callback is worth an error line; a thousand more are not. */
  #onFailed(error: unknown, callback: CallbackName): void {
    const { logger, callbacks } = this.#options;
    const isNew = !this.#failing.has(callback);
    this.#failing.add(callback);
    logger[isNew ? 'error' : 'debug']('callback failed', { callback, error });
    if (callback !== 'onError') {
      this.#guard('onError', () => callbacks.onError?.(error, callback));
    }
  }

  /** Calls at once, past the backlog: what these two tell is about the backlog itself. */
  #guard(name: 'onDropped' | 'onError', call: () => unknown): void {
    void (async () => call())().catch((error: unknown) => this.#onFailed(error, name));
  }
}
