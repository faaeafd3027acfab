import { setTimeout as sleep } from 'node:timers/promises';
import { RtmsClient } from '../../rtms/client.ts';
import { isRestartable } from '../../rtms/connection/verdict.ts';
import type { EndReason } from '../../rtms/events.ts';
import type { EffectiveMedia } from '../../rtms/protocol/agreed-media.ts';
import { STOP_REASON } from '../../rtms/protocol/constants.ts';
import { MEDIA_TYPES, type MediaType } from '../../rtms/protocol/media-type.ts';
import { followsSeveralCameras, wantedMediaTypes } from '../../rtms/protocol/params.ts';
import { DEFAULT_PROTOCOL, type ProtocolSettings } from '../../rtms/protocol/protocol-settings.ts';
import type { ReadMeter } from '../../rtms/wire/wire.ts';
import type {
  EventData,
  EventName,
  HandOverCause,
  LeftOutMedia,
  TakeoverCause,
} from '../../shared/record/event-data.ts';
import type { EndedReason } from '../../shared/session-table/runner-writes.ts';
import {
  type StartRegister,
  startOf,
  wantedState,
} from '../../shared/session-table/session-row.ts';
import { DEFAULT_VIDEO_FOLLOW } from '../../shared/video-follow.ts';
import { isAllowedAddress } from '../../shared/zoom/allowed-hosts.ts';
import type { HandshakeCredentials } from '../../shared/zoom/credentials.ts';
import { startFactsOf } from '../../shared/zoom/start-facts.ts';
import type { SessionVerdict, SessionView } from '../ownership/rules.ts';
import { type LimitedLogger, limitLog } from '../task/log-limit.ts';
import type { ClaimedRow, SessionContext, SessionResult, SessionState } from './context.ts';
import { type DefectPlace, guardListeners, SessionGuard } from './guard.ts';
import { LoopShare } from './loop-share.ts';
import { blindOfTakeover } from './recording/blind-time.ts';
import { stopReasonFields } from './recording/events.ts';
import { SessionWriter } from './recording/session-writer.ts';
import { type RelayListener, relay } from './relay.ts';
import { followVideo, type VideoRecord } from './video/follow-video.ts';

/** Most of the time for which the producer collects frames anyway, they may wait in the socket. */
const READ_REST_MS = 180;
/** How far Zoom's stopped webhook may be behind its refusal, and how often the row is looked at meanwhile. */
const STOP_WEBHOOK_MS = 3_000;
const STOP_LOOK_MS = 300;
/** An end that met a defect which nobody caught may take this long; then the session ends as it is. */
const BROKEN_END_MS = 15_000;
/**
 * A stream that was handed over and is not connected by then goes back, while enough of Zoom's 60 s is left for who
 * could serve it.
 */
const HAND_BACK_MS = 15_000;

/** What a session does by itself about its row. */
type FollowedVerdict = Exclude<SessionVerdict, { act: 'keep' } | { act: 'operator' }>;

/**
 * Our care of one RTMS stream during one epoch: the client's frames and lines in, records out, and exactly
 * one result. The only place where the RTMS client and the Kinesis producer meet.
 *
 * Longer than other files, because all the ways in which a session may end must be seen together.
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
  readonly #logger: LimitedLogger;
  readonly #writer: SessionWriter;
  readonly #connected = Promise.withResolvers<void>();
  readonly #result = Promise.withResolvers<SessionResult>();
  readonly #guard: SessionGuard;
  #start: StartRegister;
  #handBackTimer: NodeJS.Timeout | undefined;
  #handledInterruptTsMs: number;
  #lastHandshakeAtMs = 0;
  /** Why there was an owner before, until that is written: first of all events of this epoch. */
  #takeoverUntold: TakeoverCause | undefined;
  #leftAtMs = 0;
  #state: SessionState = 'connecting';
  #client: RtmsClient | undefined;
  #media: EffectiveMedia | undefined;

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
    this.#logger = limitLog(context.logger.child({ rtmsStreamId, epoch: claim.epoch }));
    const { metrics } = context;
    const onDefect = (place: DefectPlace) => this.#broke(place);
    this.#guard = new SessionGuard({ logger: this.#logger, metrics, onDefect });
    this.#writer = new SessionWriter({
      origin: { rtmsStreamId, epoch: claim.epoch, product, entityId },
      media: context.media,
      events: context.events,
      maxRecordBytes: context.maxRecordBytes,
      maxLineBytes: context.maxLineBytes,
      metrics: context.metrics,
      mayWrite: claim.holds,
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  /** What Zoom agreed to send; undefined before the first handshakes. */
  get media(): EffectiveMedia | undefined {
    return this.#hasCameras ? undefined : this.#media;
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
    this.#guard.run(() => this.#begin());
  }

  #begin(): void {
    const { row, cause, mayHandBack } = this.#claim;
    if (mayHandBack) {
      const giveUp = this.#guard.listener(() => void this.#handBack());
      this.#handBackTimer = setTimeout(giveUp, HAND_BACK_MS).unref();
    }
    this.#logger.info('claimed', { event: 'claimed', cause, product: this.#start.product });
    if (cause !== undefined) {
      this.#context.metrics.count('Takeovers', 1, cause);
      this.#takeoverUntold = cause;
    }
    const wanted = wantedState(row);
    if (wanted.state === 'stopped') this.#end(wanted.stopReason, wanted.stopReason);
    else void this.#guard.step(() => this.#connect());
  }

  /** Does what the row asks for; see `judgeSession`. Handing over is the pool's to pace. */
  follow(verdict: FollowedVerdict): void {
    this.#guard.run(() => this.#follow(verdict));
  }

  #follow(verdict: FollowedVerdict): void {
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
    void this.#guard.step(async () => this.#client?.leave({ closeStream: true }));
    this.#end(STOP_REASON.RECEIVER_REQUEST_CLOSE, STOP_REASON.RECEIVER_REQUEST_CLOSE);
  }

  /** Closes the sockets so that another runner can open them, and writes this epoch's last event. */
  async handOver(cause: HandOverCause): Promise<void> {
    if (this.#state === 'ending') return;
    this.#state = 'ending';
    this.#leftAtMs = Date.now();
    this.#logger.info('handing over', { event: 'handing_over', cause });
    await this.#guard.step(async () => {
      await this.#client?.leave();
      this.#tellTakeover(this.#leftAtMs);
      await this.#finish('session_handed_over', { cause });
      this.#context.metrics.count('HandOvers', 1, cause);
      this.#over({ kind: 'handed_over', cause, atMs: this.#leftAtMs });
    });
  }

  /** Closes everything at once and writes nothing more. */
  drop(why: string): void {
    if (this.#claim.holds() && this.#state === 'ending') return;
    this.#state = 'ending';
    this.#writer.close();
    const { outstanding } = this.#writer.ledger;
    this.#logger.warn('dropped', { event: 'dropped', why, outstanding });
    this.#writer.drop('write_failed');
    void this.#guard.step(async () => this.#client?.leave());
    this.#over({ kind: 'dropped' });
  }

  async #connect(): Promise<void> {
    const { product, entityId, serverUrls, app } = this.#start;
    const { allowedHosts, metrics } = this.#context;
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
      protocol: this.#protocol,
      isAllowedAddress: (url) => isAllowedAddress(url, allowedHosts),
      renewCredentials: () => this.#context.renewedCredentials(app, product),
      // The writer copies each payload into its record at once.
      lendPayloads: true,
      restMs: READ_REST_MS,
      meter: this.#meter(),
      logger: this.#logger,
    });
    this.#client = client;
    const tools = { logger: this.#logger, metrics, guard: this.#guard };
    relay(client, this.#toldWriter(), this.#listener(), tools);
    guardListeners(client, this.#guard);
    this.#followVideo(client);
    const { rtmsStreamId } = this;
    client.join({ product, entityId, rtmsStreamId, serverUrls, ...credentials });
  }

  get #protocol(): ProtocolSettings {
    return this.#context.protocol?.[this.#start.product] ?? DEFAULT_PROTOCOL;
  }

  /** Does each camera have a connection of its own, which comes and goes? */
  get #hasCameras(): boolean {
    return followsSeveralCameras(this.#context.mediaRequest, this.#protocol);
  }

  #followVideo(client: RtmsClient): void {
    const { metrics, mediaRequest } = this.#context;
    const { video } = mediaRequest;
    if (video === false || video.dataOpt !== 'VIDEO_SINGLE_INDIVIDUAL_STREAM') return;
    const record: VideoRecord = {
      selected: (data) => this.#write('video_selected', data.timestampMs, data),
      missing: (userId, sinceMs) => this.#writer.notReceived(userId, sinceMs, Date.now()),
    };
    const { cameras } = video;
    followVideo(client, video.follow ?? DEFAULT_VIDEO_FOLLOW, record, {
      logger: this.#logger,
      metrics,
      ...(cameras !== undefined && this.#hasCameras && { cameras }),
    });
  }

  /** Holds the session to its share of the event loop; one that does not keep to it ends. */
  #meter(): ReadMeter | undefined {
    const { loopUse, metrics } = this.#context;
    if (loopUse === undefined) return undefined;
    const onExhausted = this.#guard.listener(() => {
      if (this.#state === 'ending') return;
      metrics.count('SessionsOverloading');
      this.#logger.error('more than its share of the event loop', { event: 'overloading' });
      this.#broke('listener');
    });
    const share = new LoopShare(loopUse, onExhausted);
    return (spentMs, nowMs) => share.spent(spentMs, nowMs);
  }

  #listener(): RelayListener {
    return {
      joined: (media, leftOut) => this.#joined(media, leftOut),
      firstFrame: () => this.#firstFrame(),
      rejoined: () => {
        this.#lastHandshakeAtMs = Date.now();
      },
      became: (state, fields) => this.#become(state, fields),
      ended: (reason) => this.#clientEnded(reason),
    };
  }

  #joined(media: EffectiveMedia, leftOut: readonly LeftOutMedia[]): void {
    const { product, entityId, requestedAtMs } = this.#start;
    const streamingAtMs = Date.now();
    this.#lastHandshakeAtMs = streamingAtMs;
    clearTimeout(this.#handBackTimer);
    this.#media = media;
    this.#become('streaming');
    this.#tellTakeover(streamingAtMs);
    this.#write('session_started', streamingAtMs, {
      product,
      entityId,
      ...startFactsOf(this.#start),
      media,
      ...(leftOut.length === 0 ? {} : { leftOut }),
      requestedAtMs,
      claimedAtMs: this.#claim.row.claimedAtMs ?? streamingAtMs,
      streamingAtMs,
    });
    this.#connected.resolve();
  }

  /**
   * Writes `session_taken_over` unless that is done: with the time that nobody saw, which is over once media flows
   * or something else has to be written.
   */
  #tellTakeover(nowMs: number): void {
    const cause = this.#takeoverUntold;
    if (cause === undefined) return;
    this.#takeoverUntold = undefined;
    const { epoch, previous = {}, row } = this.#claim;
    // A stream that Zoom has stopped meanwhile ran no longer than that.
    const endMs = row.stopEventTsMs ?? 0;
    const untilMs =
      wantedState(row).state === 'stopped' && endMs > 0 ? Math.min(nowMs, endMs) : nowMs;
    const takeover = {
      cause,
      previous,
      mediaTypes: this.#mediaTypes,
      startEventTsMs: this.#start.startEventTsMs,
    };
    const blind = blindOfTakeover(takeover, untilMs);
    const { seenAtMs } = previous;
    const seen = seenAtMs === undefined ? {} : { ownerSeenAtMs: seenAtMs };
    this.#write('session_taken_over', nowMs, { previousEpoch: epoch - 1, cause, ...seen, blind });
  }

  /** What Zoom agreed to send; before it did, what is asked for. */
  get #mediaTypes(): readonly MediaType[] {
    const { mediaRequest } = this.#context;
    return this.#media === undefined
      ? wantedMediaTypes(mediaRequest)
      : MEDIA_TYPES.filter(
          (mediaType) =>
            this.#media?.[mediaType] !== undefined || (mediaType === 'video' && this.#hasCameras),
        );
  }

  /** What the client brings is written behind `session_taken_over` as the first of all. */
  #toldWriter(): Pick<SessionWriter, 'frame' | 'malformed' | 'event'> {
    const writer = this.#writer;
    return {
      frame: (frame, media) => writer.frame(frame, media),
      malformed: (lost) => writer.malformed(lost),
      event: (name, timeMs, data) => {
        this.#tellTakeover(Date.now());
        writer.event(name, timeMs, data);
      },
    };
  }

  #firstFrame(): void {
    if (this.#claim.cause !== undefined) return;
    const waitedMs = Date.now() - this.#start.requestedAtMs;
    this.#context.metrics.observe('WebhookToFirstFrame', waitedMs);
    this.#logger.info('first frame', { event: 'first_frame', waitedMs });
  }

  #clientEnded({ cause, stopReason, status, restartable }: EndReason): void {
    if (this.#state === 'ending' || cause === 'left') return;
    if (stopReason !== undefined) this.#end(stopReason, stopReason, restartable);
    else void this.#guard.step(() => this.#endWithoutReason({ cause, status, restartable }));
  }

  /**
   * Zoom refused, or nobody answered: the start came too late, something is wrong, or the stream has ended
   * just now and Zoom's webhook about it is a moment behind.
   */
  async #endWithoutReason(
    reason: Pick<EndReason, 'cause' | 'restartable'> & { status: number | undefined },
  ): Promise<void> {
    const stopReason = await this.#stopFromWebhook();
    if (this.#state === 'ending') return;
    if (stopReason !== undefined) this.#end(stopReason, stopReason);
    else if (this.#lastHandshakeAtMs > 0) this.#failed(reason.cause, reason.restartable);
    else this.#missed(reason.cause, reason.status);
  }

  /** @returns undefined when no stop came in time, or the end came by another way */
  async #stopFromWebhook(): Promise<number | undefined> {
    const signal = this.#context.deadline.flush;
    const untilMs = performance.now() + STOP_WEBHOOK_MS;
    while (performance.now() < untilMs && this.#state !== 'ending' && !signal.aborted) {
      await sleep(STOP_LOOK_MS, undefined, { signal }).catch(() => {});
      const row = await this.#context.row?.(this.rtmsStreamId).catch(() => undefined);
      const wanted = row && wantedState(row);
      if (wanted?.state === 'stopped') return wanted.stopReason;
    }
    return undefined;
  }

  /** Gives the stream back to who could serve it. @returns false when it may not */
  #handBack(): boolean {
    if (!this.#claim.mayHandBack || this.#hasConnected || this.#state === 'ending') return false;
    void this.handOver('unable');
    return true;
  }

  get #hasConnected(): boolean {
    return this.#lastHandshakeAtMs > 0;
  }

  #failed(cause: EndReason['cause'], restartable = false): void {
    if (this.#handBack()) return;
    this.#context.metrics.count('SessionsFailed', 1, cause);
    this.#end(undefined, cause === 'refused' ? 'refused' : 'lost', restartable);
  }

  #missed(cause: EndReason['cause'], status: number | undefined): void {
    if (this.#handBack()) return;
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
    this.#leftAtMs = Date.now();
    void this.#guard.step(() => this.#ending(stopReason, reason, restartable));
  }

  async #ending(stopReason: number | undefined, reason: EndedReason, restartable: boolean) {
    await this.#client?.leave();
    this.#tellTakeover(this.#leftAtMs);
    if (stopReason === STOP_REASON.STREAM_REVOKED) {
      this.#writer.revoke();
      this.#logger.warn('revoked', { event: 'revoked' });
      this.#write('session_revoked', Date.now(), { timestampMs: Date.now() });
    }
    await this.#finish('session_ended', { ...stopReasonFields(stopReason), restartable });
    const { startEventTsMs } = this.#start;
    this.#over({ kind: 'ended', reason, startEventTsMs, atMs: this.#leftAtMs });
  }

  /** Flushes, writes the last event, and says in the log what could not be written. */
  async #finish<Name extends 'session_ended' | 'session_handed_over'>(
    name: Name,
    data: Omit<EventData[Name], 'ledger' | 'ledgerPages'>,
  ): Promise<void> {
    const { deadline } = this.#context;
    const { ledger } = this.#writer;
    try {
      await this.#writer.settle(deadline.flush);
      await this.#writer.finish(name, Date.now(), data, deadline.flush);
    } catch {
      this.#writer.drop('write_failed');
      const last = deadline.reportLoss();
      try {
        await this.#writer.settle(last);
        await this.#writer.finish(name, Date.now(), data, last);
      } catch {
        const { outstanding } = ledger;
        const fields = { event: 'undeclared', outstanding, ledger: ledger.totals() };
        this.#logger.error('undeclared', fields);
      }
    }
    if (!this.#claim.holds()) return;
    const event = name === 'session_ended' ? 'ended' : 'handed_over';
    const { suppressed } = this.#logger;
    this.#logger.info(event, {
      event,
      ...data,
      ledger: ledger.totals(),
      ...(suppressed > 0 && { linesSuppressed: suppressed }),
    });
  }

  #over(result: SessionResult): void {
    clearTimeout(this.#handBackTimer);
    this.#writer.close();
    this.#connected.resolve();
    this.#result.resolve(result);
    this.#guard.close();
  }

  /**
   * A defect of ours met this session. It ends in an orderly way, and its row is given away with a strike; when
   * that end is what broke, or does not come, it ends as it is.
   */
  #broke(place: DefectPlace): void {
    if (this.#state !== 'ending') {
      this.#state = 'ending';
      this.#leftAtMs = Date.now();
      void this.#guard.step(async () => {
        await this.#client?.leave();
        this.#tellTakeover(this.#leftAtMs);
        await this.#finish('session_handed_over', { cause: 'defect' });
        this.#overByDefect();
      });
    } else if (place === 'step') this.#overByDefect();
    // A listener that breaks again while the sockets close changes nothing; a callback may have broken the closing.
    else if (place === 'uncaught') setTimeout(() => this.#overByDefect(), BROKEN_END_MS).unref();
  }

  /** What the writer still holds is lost: told if it can be, but never at the price of another defect. */
  #overByDefect(): void {
    try {
      this.#writer.drop('write_failed');
    } finally {
      this.#over({ kind: 'defect', atMs: this.#leftAtMs });
    }
  }

  #become(
    state: 'streaming' | 'paused' | 'reconnecting',
    fields: { readonly scope?: string } = {},
  ): void {
    if (this.#state === 'ending') return;
    if (state === 'reconnecting' && fields.scope === 'signaling' && this.#claim.isSuspended?.()) {
      // It may be the successor's arrival. Dialing now would throw that one out in its turn, again and again.
      this.drop('connection lost while the table is away');
      return;
    }
    this.#state = state;
    this.#logger.info(state, { event: state, ...fields });
  }

  #write<Name extends EventName>(name: Name, timeMs: number, data: EventData[Name]): void {
    this.#writer.event(name, timeMs, data);
  }
}
