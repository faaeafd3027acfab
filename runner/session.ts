import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../shared/logger.ts';
import type { Metrics } from '../shared/metrics.ts';
import type { EventData, EventName } from '../shared/record/event.ts';
import { STOP_REASON } from '../shared/rtms/constants.ts';
import type { EffectiveMedia } from '../shared/rtms/effective-media.ts';
import type { MediaRequest } from '../shared/rtms/params.ts';
import type { Product } from '../shared/rtms/product.ts';
import {
  type SessionRow,
  type StartRegister,
  startOf,
  wantedState,
} from '../shared/session-row.ts';
import { type AllowedHosts, isAllowedAddress } from '../shared/zoom/allowed-hosts.ts';
import type { HandshakeCredentials } from '../shared/zoom/credentials.ts';
import type { SessionVerdict, SessionView, TakeoverCause } from './ownership/rules.ts';
import type { EndedReason } from './ownership/store.ts';
import { RtmsClient } from './rtms/client.ts';
import type { EndReason } from './rtms/events.ts';
import { isRestartable } from './rtms/verdict.ts';
import {
  chatEvent,
  type EventBody,
  signalingEvent,
  stopReasonFields,
  transcriptEvent,
} from './session-events.ts';
import { SessionWriter, type Sink } from './session-writer.ts';

/** What all sessions of one task share. */
export interface SessionContext {
  readonly taskId: string;
  readonly mediaRequest: MediaRequest;
  readonly allowedHosts: AllowedHosts;
  readonly credentials: (app: string, product: Product) => Promise<HandshakeCredentials>;
  readonly media: Sink;
  readonly events: Sink;
  /** Record limit of the media stream, partition key included. */
  readonly maxRecordBytes: number;
  /** Reads a stream's row as it is now. @default none: only what was claimed is known */
  readonly row?: (rtmsStreamId: string) => Promise<SessionRow | undefined>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A row just claimed. */
export interface ClaimedRow {
  readonly row: SessionRow;
  readonly epoch: number;
  /** Why there was an epoch before this one; undefined for the first. */
  readonly cause: TakeoverCause | undefined;
  /** May this claim still be served (heartbeat)? Asked for every frame. */
  readonly holds: () => boolean;
}

export type HandOverCause = EventData['session_handed_over']['cause'];

/** How a session came to its end, for whoever owns the row. */
export type SessionResult =
  | { readonly kind: 'ended'; readonly reason: EndedReason; readonly startEventTsMs: number }
  | { readonly kind: 'handed_over'; readonly cause: HandOverCause }
  /** The row is another's, or this task may not serve: nothing is to be written about it. */
  | { readonly kind: 'dropped' };

export const SESSION_STATES = [
  'connecting',
  'streaming',
  'paused',
  'reconnecting',
  'ending',
] as const;

export type SessionState = (typeof SESSION_STATES)[number];

/** After a flush was given up: how long the gap events may still take. */
const DECLARE_TIMEOUT_MS = 6_000;
/** How far Zoom's stopped webhook may be behind its refusal. */
const STOP_WEBHOOK_MS = 1_000;

/**
 * Our care of one RTMS stream during one epoch: the client's frames and lines in, records out, and exactly
 * one result. The only place where the RTMS client and the Kinesis producer meet.
 */
export class Session {
  readonly rtmsStreamId: string;
  readonly epoch: number;
  /** Resolves when media flows for the first time, or when there will be none. */
  readonly connected: Promise<void>;
  /** Resolves when all is written and the sockets are closed; never rejects. */
  readonly result: Promise<SessionResult>;

  readonly #claim: ClaimedRow;
  readonly #context: SessionContext;
  readonly #logger: Logger;
  readonly #writer: SessionWriter;
  readonly #connected = Promise.withResolvers<void>();
  readonly #result = Promise.withResolvers<SessionResult>();
  /** Aborted when buffered records may no longer be waited for. */
  readonly #patience = new AbortController();
  #start: StartRegister;
  #handledInterruptTsMs: number;
  #lastHandshakeAtMs = 0;
  #state: SessionState = 'connecting';
  #client: RtmsClient | undefined;
  /** As of the last handshakes: frames of a connection that is going down still have this shape. */
  #media: EffectiveMedia | undefined;
  #hasFrames = false;
  #malformed = 0;

  /** @throws Error when the row lacks what a claimed row always has */
  constructor(claim: ClaimedRow, context: SessionContext) {
    const start = startOf(claim.row);
    if (start === undefined) throw new Error('claimed a row that was never started');
    const { rtmsStreamId, interruptEventTsMs = 0 } = claim.row;
    const { product, entityId } = start;
    this.rtmsStreamId = rtmsStreamId;
    this.epoch = claim.epoch;
    this.connected = this.#connected.promise;
    this.result = this.#result.promise;
    this.#claim = claim;
    this.#context = context;
    this.#start = start;
    this.#handledInterruptTsMs = interruptEventTsMs;
    this.#logger = context.logger.child({ rtmsStreamId, epoch: claim.epoch });
    this.#writer = new SessionWriter({
      origin: { rtmsStreamId, epoch: claim.epoch, product, entityId },
      media: context.media,
      events: context.events,
      maxRecordBytes: context.maxRecordBytes,
      metrics: context.metrics,
      mayWrite: claim.holds,
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  /** What the reconcile loop compares with the row. */
  get view(): SessionView {
    return {
      taskId: this.#context.taskId,
      epoch: this.epoch,
      startEventTsMs: this.#start.startEventTsMs,
      serverUrls: this.#start.serverUrls,
      handledInterruptTsMs: this.#handledInterruptTsMs,
      lastHandshakeAtMs: this.#lastHandshakeAtMs,
    };
  }

  /** Connects; or, when Zoom has stopped the stream before this claim, writes its end. */
  start(): void {
    const { row, cause, epoch } = this.#claim;
    this.#logger.info('claimed', { event: 'claimed', cause, product: this.#start.product });
    if (cause !== undefined) {
      this.#context.metrics.count('Takeovers');
      this.#write('session_taken_over', Date.now(), { previousEpoch: epoch - 1, cause });
    }
    const wanted = wantedState(row);
    if (wanted.state === 'stopped') this.#end(wanted.stopReason, wanted.stopReason);
    else void this.#connect();
  }

  /** Does what the row asks for; see `judgeSession`. Handing over is the pool's to pace. */
  follow(verdict: Exclude<SessionVerdict, { act: 'keep' } | { act: 'operator' }>): void {
    if (this.#state === 'ending') return;
    switch (verdict.act) {
      case 'drop':
        this.drop('not the owner any more');
        return;
      case 'end':
        this.#end(verdict.stopReason, verdict.stopReason);
        return;
      case 'adopt':
        this.#start = verdict.start;
        return;
      case 'reconnect':
        this.#start = verdict.start;
        this.#handledInterruptTsMs = verdict.interruptEventTsMs;
        this.#logger.info('reconnecting', { event: 'reconnecting', cause: verdict.cause });
        this.#client?.reconnect(verdict.cause, verdict.start.serverUrls);
        return;
    }
  }

  /** Ends the stream on the operator's wish: Zoom is told to close it for good. */
  stop(): void {
    if (this.#state === 'ending') return;
    void this.#client?.leave({ closeStream: true });
    this.#end(STOP_REASON.RECEIVER_REQUEST_CLOSE, STOP_REASON.RECEIVER_REQUEST_CLOSE);
  }

  /** Closes the sockets so that another runner can open them, and writes this epoch's last event. */
  async handOver(cause: HandOverCause): Promise<void> {
    if (this.#state === 'ending') return;
    this.#state = 'ending';
    this.#logger.info('handing over', { event: 'handing_over', cause });
    await this.#client?.leave();
    await this.#finish('session_handed_over', { cause });
    this.#context.metrics.count('HandOvers', 1, cause);
    this.#over({ kind: 'handed_over', cause });
  }

  /** Closes everything at once and writes nothing more. */
  drop(why: string): void {
    if (this.#claim.holds() && this.#state === 'ending') return;
    this.#state = 'ending';
    this.#writer.close();
    const { outstanding } = this.#writer.ledger;
    this.#logger.warn('dropped', { event: 'dropped', why, outstanding });
    this.#writer.drop('write_failed');
    void this.#client?.leave();
    this.#over({ kind: 'dropped' });
  }

  /** Stops waiting for Kinesis: what is still buffered is declared lost. */
  hurry(): void {
    this.#patience.abort(new Error('no time left to flush'));
  }

  async #connect(): Promise<void> {
    const { product, entityId, serverUrls, app } = this.#start;
    const { allowedHosts } = this.#context;
    // The client would refuse them too; here it is known before credentials are asked for.
    if (!serverUrls.some((url) => isAllowedAddress(url, allowedHosts))) {
      this.#logger.error('server address refused', { event: 'address_refused' });
      this.#failed('refused');
      return;
    }
    let credentials: HandshakeCredentials;
    try {
      credentials = await this.#context.credentials(app, product);
    } catch (error) {
      this.#logger.error('no credentials', { event: 'credentials_failed', app, error });
      this.#failed('refused');
      return;
    }
    if (this.#state === 'ending') return;
    this.#logger.info('connecting', { event: 'connecting' });
    const client = new RtmsClient({
      media: this.#context.mediaRequest,
      isAllowedAddress: (url) => isAllowedAddress(url, this.#context.allowedHosts),
      logger: this.#logger,
    });
    this.#client = client;
    this.#listen(client);
    const { rtmsStreamId } = this;
    client.join({ product, entityId, rtmsStreamId, serverUrls, ...credentials });
  }

  #listen(client: RtmsClient): void {
    client.on('joined', (media) => this.#joined(media));
    client.on('frame', (frame) => {
      this.#writer.frame(frame, this.#media ?? client.media);
      if (!this.#hasFrames) this.#firstFrame();
    });
    client.on('transcript', (line) => this.#writeBody(transcriptEvent(line)));
    client.on('chat', (message) => this.#writeBody(chatEvent(message)));
    client.on('event', (event) => this.#writeBody(signalingEvent(event)));
    client.on('sessionState', (session) => {
      this.#write('session_state', session.timestampMs, session);
    });
    client.on('paused', (timestampMs) => {
      this.#become('paused');
      this.#write('session_paused', timestampMs, { timestampMs });
    });
    client.on('resumed', (timestampMs) => {
      this.#become('streaming');
      this.#write('session_resumed', timestampMs, { timestampMs });
    });
    client.on('interrupted', (info) => {
      this.#become('reconnecting', info);
      const data = { ...info, attempt: 0, durationMs: 0 };
      this.#write('session_interrupted', Date.now(), data);
    });
    client.on('reconnected', ({ scope, cause, attempt, durationMs, media }) => {
      this.#media = { ...this.#media, ...media };
      if (scope === 'signaling') this.#lastHandshakeAtMs = Date.now();
      this.#context.metrics.count('Reconnects', 1, scope);
      this.#become('streaming', { scope, cause, attempt, durationMs });
      this.#write('session_reconnected', Date.now(), { scope, cause, attempt, durationMs });
    });
    client.on('hole', (hole) => this.#logger.info('hole in capture', { event: 'hole', ...hole }));
    client.on('malformed', ({ scope, error, ...lost }) => {
      this.#context.metrics.count('MalformedMessages', 1, scope);
      this.#malformed += 1;
      if (this.#malformed === 1) {
        this.#logger.warn('malformed message', { event: 'malformed', scope, error });
      }
      const { mediaType } = lost;
      if (mediaType !== undefined) this.#writer.malformed({ ...lost, mediaType });
    });
    client.on('other', (raw) => {
      this.#context.metrics.count('UnknownMessages');
      this.#write('other', Date.now(), { raw });
    });
    client.on('ended', (reason) => this.#clientEnded(reason));
  }

  #joined(media: EffectiveMedia): void {
    this.#media = media;
    const { product, entityId, accountId, operatorId, requestedAtMs } = this.#start;
    const streamingAtMs = Date.now();
    this.#lastHandshakeAtMs = streamingAtMs;
    this.#become('streaming');
    this.#write('session_started', streamingAtMs, {
      product,
      entityId,
      ...(accountId === undefined ? {} : { accountId }),
      ...(operatorId === undefined ? {} : { operatorId }),
      media,
      requestedAtMs,
      claimedAtMs: this.#claim.row.claimedAtMs ?? streamingAtMs,
      streamingAtMs,
    });
    this.#connected.resolve();
  }

  #firstFrame(): void {
    this.#hasFrames = true;
    if (this.#claim.cause !== undefined) return;
    const waitedMs = Date.now() - this.#start.requestedAtMs;
    this.#context.metrics.observe('WebhookToFirstFrame', waitedMs);
    this.#logger.info('first frame', { event: 'first_frame', waitedMs });
  }

  #clientEnded({ cause, stopReason, status, restartable }: EndReason): void {
    if (this.#state === 'ending' || cause === 'left') return;
    if (stopReason !== undefined) this.#end(stopReason, stopReason, restartable);
    else if (this.#lastHandshakeAtMs === 0) void this.#missed(cause, status);
    else this.#failed(cause, restartable);
  }

  #failed(cause: EndReason['cause'], restartable = false): void {
    this.#context.metrics.count('SessionsFailed', 1, cause);
    this.#end(undefined, cause === 'refused' ? 'refused' : 'lost', restartable);
  }

  /**
   * Zoom refused the handshake, or nobody answered: the start came too late or was wrong, unless the
   * stream has ended just now and Zoom's webhook about it is a moment behind.
   */
  async #missed(cause: EndReason['cause'], status: number | undefined): Promise<void> {
    const { signal } = this.#patience;
    await sleep(STOP_WEBHOOK_MS, undefined, { signal }).catch(() => {});
    const row = await this.#context.row?.(this.rtmsStreamId).catch(() => undefined);
    const wanted = row && wantedState(row);
    if (wanted?.state === 'stopped') {
      this.#end(wanted.stopReason, wanted.stopReason);
      return;
    }
    if (this.#state === 'ending') return;
    this.#context.metrics.count('SessionsMissed');
    this.#logger.warn('missed', { event: 'missed', cause, status });
    this.#end(undefined, 'missed');
  }

  /** Starts the end of the stream; everything received until the sockets are closed still counts. */
  #end(
    stopReason: number | undefined,
    reason: EndedReason,
    restartable = stopReason !== undefined && isRestartable(stopReason),
  ): void {
    if (this.#state === 'ending') return;
    this.#state = 'ending';
    void this.#ending(stopReason, reason, restartable);
  }

  async #ending(stopReason: number | undefined, reason: EndedReason, restartable: boolean) {
    await this.#client?.leave();
    if (stopReason === STOP_REASON.STREAM_REVOKED) {
      this.#writer.drop('revoked');
      this.#logger.warn('revoked', { event: 'revoked' });
      this.#write('session_revoked', Date.now(), { timestampMs: Date.now() });
    }
    await this.#finish('session_ended', { ...stopReasonFields(stopReason), restartable });
    const { startEventTsMs } = this.#start;
    this.#over({ kind: 'ended', reason, startEventTsMs });
  }

  /** Flushes, writes the last event, and says in the log what could not be written. */
  async #finish<Name extends 'session_ended' | 'session_handed_over'>(
    name: Name,
    data: Omit<EventData[Name], 'ledger'>,
  ): Promise<void> {
    const { signal } = this.#patience;
    let ledger = this.#writer.ledger.rows();
    try {
      await this.#writer.settle(signal);
      ledger = await this.#writer.finish(name, Date.now(), data, signal);
    } catch {
      this.#writer.drop('write_failed');
      const last = AbortSignal.timeout(DECLARE_TIMEOUT_MS);
      try {
        await this.#writer.settle(last);
        ledger = await this.#writer.finish(name, Date.now(), data, last);
      } catch {
        const { outstanding } = this.#writer.ledger;
        ledger = this.#writer.ledger.rows();
        this.#logger.error('undeclared', { event: 'undeclared', outstanding, ledger });
      }
    }
    if (!this.#claim.holds()) return;
    const event = name === 'session_ended' ? 'ended' : 'handed_over';
    this.#logger.info(event, { event, ...data, ledger });
  }

  #over(result: SessionResult): void {
    this.#writer.close();
    this.#connected.resolve();
    this.#result.resolve(result);
  }

  #become(state: 'streaming' | 'paused' | 'reconnecting', fields: object = {}): void {
    if (this.#state === 'ending') return;
    this.#state = state;
    this.#logger.info(state, { event: state, ...fields });
  }

  #writeBody(body: EventBody | undefined): void {
    if (body !== undefined) this.#writer.event(body.name, body.timeMs, body.data);
  }

  #write<Name extends EventName>(name: Name, timeMs: number, data: EventData[Name]): void {
    this.#writer.event(name, timeMs, data);
  }
}
