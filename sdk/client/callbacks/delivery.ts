import type { RtmsClient } from '../../../rtms/client.ts';
import type { ChatMessage, EndReason, MediaFrame, TranscriptLine } from '../../../rtms/events.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { Logger } from '../../../shared/logger.ts';
import { SessionUpdates } from '../session-updates.ts';
import { AiInterpreters } from './ai-interpreter.ts';
import { Backlog, type DroppedWork, type WorkKind } from './backlog.ts';
import type {
  CallbackName,
  DataCallbackName,
  DataRegistration,
  EventCallbacks,
  Registered,
} from './callbacks.ts';
import { joinFailure, leaveReason } from './end-reason.ts';
import { deliverEvent } from './event-callbacks.ts';
import type { Executor } from './executor.ts';
import { chatMetadata, frameMetadata, type Metadata, transcriptMetadata } from './metadata.ts';

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

/** What a callback for data is called with, and what the backlog has to know of it. */
interface Data {
  readonly kind: WorkKind;
  readonly source: string;
  /** Capture time, Unix ms. */
  readonly atMs: number;
  readonly buffer: Buffer;
  /** Third argument of the callback, in Zoom's unit. */
  readonly timestamp: number;
  readonly metadata: Metadata;
}

type Emit = <Name extends keyof EventCallbacks>(
  name: Name,
  ...args: Parameters<EventCallbacks[Name]>
) => void;

/**
 * Hands what one joined client brings to the callbacks that were registered, source by source.
 *
 * Events wait for `onJoinConfirm`, as with Zoom's SDK, which subscribes to them only then: programs answer a
 * participant with `subscribeVideo`, and prepare in `onJoinConfirm` what the other callbacks need. After
 * `leave()` was called nothing comes but `onEnded` and `onLeave`.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #backlog: Backlog;
  readonly #interpreters = new AiInterpreters();
  readonly #sessions = new SessionUpdates();
  readonly #failing = new Set<CallbackName>();
  readonly #left = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  /** Argument of `onJoinConfirm`; undefined when there will be none. */
  readonly #confirmed = Promise.withResolvers<number | undefined>();
  #hasJoined = false;
  #isMuted = false;
  #isHurried = false;

  constructor(rtms: RtmsClient, options: DeliveryOptions) {
    this.#options = options;
    this.#backlog = new Backlog(options.maxQueuedBytes, (dropped) => this.#onDropped(dropped));
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

  /** Settles when `onLeave` has been called; it may still be at work. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  /** Settles after `onLeave`. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** The program has left: it is told nothing more but that. */
  mute(): void {
    this.#isMuted = true;
    this.#backlog.discard();
  }

  /** Another client waits for the stream: the end waits for no callback that is still at work. */
  hurry(): void {
    if (!this.#isMuted) return;
    this.#isHurried = true;
    this.#backlog.release();
  }

  /** The first in the queue of events: whatever comes waits, within the bounds of the backlog. */
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
    this.#data(name, {
      kind: mediaType,
      source: String(userId ?? channelId ?? 0),
      atMs: capturedAtMs,
      buffer: payload,
      timestamp: capturedAtMs,
      metadata: frameMetadata(frame, this.#interpreters.of(userId)),
    });
  }

  /** A line without a time of Zoom's gets ours, in the unit Zoom's programs expect: microseconds. */
  #onTranscript(line: TranscriptLine, sentTimestamp = line.timestampMs * 1_000): void {
    this.#data('onTranscriptData', {
      kind: 'text',
      source: String(line.userId ?? line.channelId ?? 0),
      atMs: line.timestampMs,
      buffer: Buffer.from(line.text),
      timestamp: sentTimestamp,
      metadata: transcriptMetadata(line),
    });
  }

  /** One queue for all of it: an edit must not overtake the message it changes. */
  #onChat(message: ChatMessage): void {
    const { text, timestampMs } = message;
    this.#data('onChatData', {
      kind: 'text',
      source: 'chat',
      atMs: timestampMs,
      buffer: Buffer.from(text),
      timestamp: timestampMs,
      metadata: chatMetadata(message),
    });
  }

  #data(name: DataCallbackName, data: Data): void {
    const registration = this.#options.callbacks[name];
    if (registration === undefined || this.#isMuted) return;
    this.#backlog.push({
      kind: data.kind,
      source: data.source,
      sizeBytes: data.buffer.length,
      timestampMs: data.atMs,
      run: () => this.#call(name, registration, data),
      failed: (error) => this.#onFailed(error, name),
    });
  }

  #call(name: DataCallbackName, registration: DataRegistration, data: Data): unknown {
    const { callback, onResult } = registration;
    const executor = this.#options.executor();
    if (typeof callback === 'string') return this.#runTask(executor, callback, registration, data);
    const task = executor?.taskOf(callback);
    if (executor === undefined || task === undefined) {
      const { buffer, timestamp, metadata } = data;
      const result = callback(buffer, buffer.length, timestamp, metadata);
      return onResult === undefined ? result : tell(result, onResult, data);
    }
    return Promise.resolve(task).then((found) => {
      if (found !== undefined) return this.#runTask(executor, found, registration, data);
      this.#options.logger.warn('not an export of the executor module, so it runs inline', {
        callback: name,
      });
      return this.#call(name, registration, data);
    });
  }

  async #runTask(
    executor: Executor | undefined,
    task: string,
    { onResult }: DataRegistration,
    data: Data,
  ): Promise<void> {
    if (executor === undefined) {
      throw new ServiceError('config/invalid', `there is no executor for the task ${task}`);
    }
    const { buffer, timestamp, metadata } = data;
    const result = await executor.run(task, [buffer, buffer.length, timestamp, metadata]);
    if (onResult !== undefined && !this.#isMuted) await tell(result, onResult, data);
  }

  readonly #emit: Emit = (name, ...args) => {
    const callback = this.#options.callbacks[name] as ((...args: unknown[]) => unknown) | undefined;
    if (callback === undefined || this.#isMuted) return;
    this.#backlog.push({
      kind: 'event',
      source: 'events',
      sizeBytes: sizeOf(args),
      timestampMs: Date.now(),
      // A join that came to nothing is told by onJoinConfirm and onLeave alone.
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
    return this.#backlog.drained(this.#isHurried ? 0 : DRAIN_MS);
  }

  /** Past the queue of events: whatever is still at work there has had its time. */
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

async function tell(
  result: unknown,
  onResult: NonNullable<DataRegistration['onResult']>,
  { metadata, timestamp }: Data,
): Promise<void> {
  await onResult(await result, metadata, timestamp);
}

/** About what the arguments of an event hold: rosters and raw events can be large. */
function sizeOf(args: readonly unknown[]): number {
  let bytes = 0;
  for (const value of args) {
    if (typeof value === 'string') bytes += 2 * value.length;
    // Names are cut at 512 bytes where they enter.
    else if (Array.isArray(value)) bytes += 128 * value.length;
  }
  return bytes;
}
