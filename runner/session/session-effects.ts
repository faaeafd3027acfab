import type { AgreedMedia } from '../../rtms/protocol/agreed-media.ts';
import type { HandshakeCredentials } from '../../rtms/protocol/client-messages.ts';
import { MEDIA_TYPES, type MediaType } from '../../rtms/protocol/media-type.ts';
import { followsSeveralCameras, wantedMediaTypes } from '../../rtms/protocol/params.ts';
import type { ReadRest } from '../../rtms/wire/wire.ts';
import type { RestartRegister } from '../../shared/session-table/restart.ts';
import { type StartRegister, startOf } from '../../shared/session-table/session-row.ts';
import type { LimitedLogger } from '../task/log.ts';
import type { ClaimedRow, SessionClient, SessionContext } from './context.ts';
import type { SessionGuard } from './guard.ts';
import { sessionStarted } from './recording/events.ts';
import { SessionWriter } from './recording/session-writer.ts';
import { TakeoverEvent } from './recording/takeover-event.ts';
import type { RelayListener } from './relay.ts';
import { createSessionClient, credentialsFor, protocolOf } from './session-client.ts';
import { endSession, lookUpStop } from './session-ending.ts';
import type { SessionEffect, SessionInput, SessionResult } from './session-inputs.ts';

/** A stream that was handed over and is not connected by then goes back, while enough of Zoom's 60 s is left for others. */
const HAND_BACK_MS = 15_000;
/** How long frames may wait in the socket: most of the 200 ms for which the producer collects frames anyway. */
const READ_REST_MS = 180;
/** An ending in which a callback broke may take this long; then the session ends as it is. */
const BROKEN_ENDING_MS = 15_000;

type EffectOf<Name extends SessionEffect['do']> = Extract<SessionEffect, { readonly do: Name }>;

export interface SessionEffectsParts {
  readonly claim: ClaimedRow;
  readonly context: SessionContext;
  readonly logger: LimitedLogger;
  readonly guard: SessionGuard;
  /** Called with what the client reports, and when a step or a timer that an effect began is done. */
  readonly onInput: (input: SessionInput) => void;
}

/**
 * Performs the effects of one session, and holds what they need: the client, the writer, and the run of the stream that
 * is served. It does not know the session's state. What comes of an effect later is an input again.
 */
export class SessionEffects {
  readonly #parts: SessionEffectsParts;
  readonly #rest: ReadRest = { maxMs: READ_REST_MS, heldMs: 0 };
  readonly #writer: SessionWriter;
  readonly #takeover: TakeoverEvent;
  readonly #connected = Promise.withResolvers<void>();
  readonly #leaving = Promise.withResolvers<number>();
  readonly #result = Promise.withResolvers<SessionResult>();
  #start: StartRegister;
  #handledInterruptTsMs: number;
  #client: SessionClient | undefined;
  #media: AgreedMedia | undefined;
  #restart: RestartRegister | undefined;

  /** @throws Error when the row lacks what a claimed row always has */
  constructor(parts: SessionEffectsParts) {
    const { claim, context } = parts;
    const start = startOf(claim.row);
    if (start === undefined) throw new Error('claimed a row that was never started');
    const { rtmsStreamId, interruptEventTsMs = 0 } = claim.row;
    const { product, entityId } = start;
    const { media, events, units, maxRecordBytes, maxLineBytes, metrics } = context;
    this.#parts = parts;
    this.#start = start;
    this.#handledInterruptTsMs = interruptEventTsMs;
    this.#writer = new SessionWriter({
      origin: { rtmsStreamId, epoch: claim.epoch, product, entityId },
      media,
      events,
      maxRecordBytes,
      maxLineBytes,
      metrics,
      rest: this.#rest,
      units,
      mayWrite: claim.holds,
    });
    this.#takeover = new TakeoverEvent(claim, this.#writer, () => ({
      startEventTsMs: this.#start.startEventTsMs,
      mediaTypes: this.#mediaTypes,
    }));
  }

  /** Resolves at `write_started`, or at `tell_result` when media never flowed. */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  /** Resolves at `end`, with the time from which the stream is not received any more, Unix ms. */
  get leaving(): Promise<number> {
    return this.#leaving.promise;
  }

  /** Resolves at `tell_result`. */
  get result(): Promise<SessionResult> {
    return this.#result.promise;
  }

  /** The run of the stream that is served: that of the claim, or the newest that an effect has named. */
  get startRegister(): StartRegister {
    return this.#start;
  }

  /** Zoom's time of the newest interruption that the client has reconnected for, Unix ms; 0 for none. */
  get handledInterruptTsMs(): number {
    return this.#handledInterruptTsMs;
  }

  /** What Zoom agreed to send; undefined until media flows. */
  get media(): AgreedMedia | undefined {
    return this.#media;
  }

  /** Does each camera have a connection of its own, which comes and goes? */
  get hasCameras(): boolean {
    const { context } = this.#parts;
    return followsSeveralCameras(context.mediaRequest, protocolOf(context, this.#start.product));
  }

  /** What the records have, and whether something of this epoch is missing there. */
  get records(): Pick<SessionWriter, 'inPart' | 'tookOver' | 'hasTakenOver'> {
    return this.#writer;
  }

  /** What the row has to say about a restart; undefined until the end, and when no restart is wanted. */
  get restart(): RestartRegister | undefined {
    return this.#restart;
  }

  /** Logs and counts the claim, and gives `hand_back_due` in time to a stream that may go back. */
  claimed(): void {
    const { claim, context, logger } = this.#parts;
    const { cause, mayHandBack } = claim;
    if (mayHandBack) this.#later(HAND_BACK_MS, { name: 'hand_back_due' });
    logger.info('claimed', { event: 'claimed', cause, product: this.#start.product });
    if (cause !== undefined) context.metrics.count('Takeovers', 1, cause);
  }

  /** Performs one effect, or begins it. @throws what the client or a sink throws: a defect, for the guard */
  perform(effect: SessionEffect): void {
    const { context, logger, guard, onInput } = this.#parts;
    switch (effect.do) {
      case 'get_credentials':
        void guard.step(async () => onInput(await credentialsFor(this.#start, context, logger)));
        break;
      case 'join':
        this.#join(effect.credentials);
        break;
      case 'write_started':
        this.#writeStarted(effect);
        break;
      case 'remember_start':
        this.#start = effect.start;
        break;
      case 'reconnect':
        this.#reconnect(effect.wanted);
        break;
      case 'look_up_stop':
        void guard.step(async () => {
          const stopReason = await lookUpStop(this.#parts.claim.row.rtmsStreamId, context);
          onInput({ name: 'stop_looked_up', reason: effect.reason, stopReason });
        });
        break;
      case 'close_stream':
        void guard.step(async () => this.#client?.leave({ closeStream: true }));
        break;
      case 'end':
        this.#leaving.resolve(effect.atMs);
        void guard.step(async () => {
          const { restart, ...ended } = await endSession(effect.why, effect.atMs, this.#owned);
          this.#restart = restart;
          onInput({ name: 'finished', ...ended });
        });
        break;
      case 'watch_ending':
        this.#later(BROKEN_ENDING_MS, { name: 'ending_overdue' });
        break;
      case 'drop':
        this.#drop(effect.why);
        break;
      case 'drop_unwritten':
        this.#writer.drop('write_failed');
        break;
      case 'tell_result':
        this.#writer.close();
        this.#connected.resolve();
        this.#result.resolve(effect.result);
        guard.close();
        break;
      case 'count':
        context.metrics.count(effect.metric, 1, effect.by);
        break;
      case 'log':
        logger[effect.level](effect.text, effect.fields);
        break;
    }
  }

  #join(credentials: HandshakeCredentials): void {
    const { claim, logger, onInput } = this.#parts;
    const { product, entityId, serverUrls } = this.#start;
    const { rtmsStreamId } = claim.row;
    logger.info('connecting', { event: 'connecting' });
    const client = createSessionClient(this.#start, {
      ...this.#owned,
      listener: this.#listener(),
      onOverload: () => onInput({ name: 'overloading' }),
    });
    this.#client = client;
    client.join({ product, entityId, rtmsStreamId, serverUrls, ...credentials });
  }

  #listener(): RelayListener {
    const { claim, onInput } = this.#parts;
    return {
      joined: (media, leftOut) => onInput({ name: 'joined', media, leftOut }),
      firstFrame: () => this.#firstFrame(),
      paused: () => onInput({ name: 'paused' }),
      resumed: () => onInput({ name: 'resumed' }),
      interrupted: (info) => {
        const isSuspended = claim.isSuspended?.() ?? false;
        onInput({ name: 'interrupted', info, isSuspended });
      },
      reconnected: (info) => onInput({ name: 'reconnected', info }),
      ended: (reason) => onInput({ name: 'client_ended', reason }),
    };
  }

  #firstFrame(): void {
    const { claim, context, logger } = this.#parts;
    if (claim.cause !== undefined) return;
    const waitedMs = Date.now() - this.#start.requestedAtMs;
    context.metrics.observe('WebhookToFirstFrame', waitedMs);
    logger.info('first frame', { event: 'first_frame', waitedMs });
  }

  #writeStarted({ atMs, media, leftOut }: EffectOf<'write_started'>): void {
    const { claim, context } = this.#parts;
    this.#media = media;
    this.#takeover.write(atMs);
    const data = sessionStarted(this.#start, {
      owner: context.taskId,
      media,
      leftOut,
      row: claim.row,
      atMs,
    });
    this.#writer.event('session_started', atMs, data);
    this.#takeover.flowing(atMs);
    this.#connected.resolve();
  }

  #reconnect({ cause, start, interruptEventTsMs }: EffectOf<'reconnect'>['wanted']): void {
    this.#start = start;
    this.#handledInterruptTsMs = interruptEventTsMs;
    this.#parts.logger.info('reconnecting', { event: 'reconnecting', cause });
    this.#client?.reconnect(cause, start.serverUrls);
  }

  #drop(why: string): void {
    const { logger, guard } = this.#parts;
    this.#writer.close();
    const { outstanding } = this.#writer.ledger;
    logger.warn('dropped', { event: 'dropped', why, outstanding });
    void guard.step(async () => this.#client?.leave());
    this.#writer.drop('write_failed');
  }

  /** Gives an input after a while; the timer alone does not keep the process alive. */
  #later(ms: number, input: SessionInput): void {
    const { guard, onInput } = this.#parts;
    setTimeout(
      guard.listener(() => onInput(input)),
      ms,
    ).unref();
  }

  get #owned() {
    const { claim, context, logger, guard } = this.#parts;
    return {
      claim,
      context,
      logger,
      guard,
      writer: this.#writer,
      rest: this.#rest,
      takeover: this.#takeover,
      client: this.#client,
    };
  }

  /** What Zoom agreed to send; before it did, what is asked for. */
  get #mediaTypes() {
    const media = this.#media;
    if (media === undefined) return wantedMediaTypes(this.#parts.context.mediaRequest);
    const isCamera = (mediaType: MediaType) => mediaType === 'video' && this.hasCameras;
    return MEDIA_TYPES.filter((type) => media[type] !== undefined || isCamera(type));
  }
}
