import type { AgreedMedia } from '../../rtms/protocol/agreed-media.ts';
import { MEDIA_TYPES, type MediaType } from '../../rtms/protocol/media-type.ts';
import { followsSeveralCameras, wantedMediaTypes } from '../../rtms/protocol/params.ts';
import type { ReadRest } from '../../rtms/wire/wire.ts';
import type { HandOverCause } from '../../shared/record/event-data.ts';
import { lateness } from '../../shared/session-table/missed.ts';
import type { RestartRegister } from '../../shared/session-table/restart.ts';
import {
  hasFlowed,
  mayHaveRecords,
  type StartRegister,
  startOf,
  wantedState,
} from '../../shared/session-table/session-row.ts';
import type { SessionVerdict, SessionView } from '../ownership/rules.ts';
import { type LimitedLogger, limitLog } from '../task/log-limit.ts';
import type { ClaimedRow, SessionClient, SessionContext } from './context.ts';
import { SessionGuard } from './guard.ts';
import { sessionStarted } from './recording/events.ts';
import { SessionWriter } from './recording/session-writer.ts';
import { TakeoverEvent } from './recording/takeover-event.ts';
import type { RelayListener } from './relay.ts';
import { createSessionClient, credentialsFor, protocolOf } from './session-client.ts';
import { endSession, lookUpStop } from './session-ending.ts';
import type { SessionEffect, SessionInput, SessionResult } from './session-inputs.ts';
import { nextSession, type RunnerSessionState, type SESSION_STATES } from './session-state.ts';

/**
 * A stream that was handed over and is not connected by then goes back, while enough of Zoom's 60 s is left for who
 * could serve it.
 */
const HAND_BACK_MS = 15_000;
/** Most of the 200 ms for which the producer collects frames anyway, they may wait in the socket. */
const READ_REST_MS = 180;
/** An ending in which a callback broke may take this long; then the session ends as it is. */
const BROKEN_ENDING_MS = 15_000;

/** What a session does by itself about its row. */
type FollowedVerdict = Exclude<SessionVerdict, { act: 'keep' } | { act: 'operator' }>;

/**
 * One RTMS stream during one epoch: the client's frames and lines in, records out, and exactly one result.
 *
 * Over 300 lines because every effect of `nextSession` is performed here, in one switch.
 *
 * **The problem.** A session can end in a dozen ways: Zoom's message, Zoom's webhook (before or after the message),
 * a refused handshake, an operator, a deployment, a lost row, a defect of ours; and two of them at once. Each has its
 * own last event, its own result for the row, and at most one of them may count.
 *
 * ```
 *  pool (row, operator, drain) ──┐                          ┌──▶ client: join, reconnect, leave
 *  client (relay) ───────────────┼─▶ input ─▶ nextSession ─▶ effects ──▶ writer: events, last event
 *  own steps and timers ─────────┘            (pure)        └──▶ result, for the pool
 * ```
 *
 * **The rules**
 * - `nextSession` alone decides: what happens is an input, what is done about it an effect. This class performs
 *   effects and holds what they need; it never looks at the state to decide.
 * - The first reason to end stands. Everything received until the sockets are closed still counts.
 * - Whatever breaks here ends this session and no other: every step runs inside the guard, and an effect that breaks
 *   does not keep the next one from being performed.
 * - Nothing is written without the right to: the writer asks the claim for every frame and line.
 * - `session_taken_over` stands before everything else of an epoch, the last event with the ledger behind it.
 * - A client that ends without a stop reason may be ahead of Zoom's stopped webhook: the row is read for 3 s before the
 *   session counts as lost, refused or missed.
 *
 * **What was tried and failed**
 * - Dropping every session when the heartbeat lapsed: 30 s without DynamoDB ended all meetings of all runners, while
 *   nobody could claim anything. A lapse now suspends (docs/adr/0005-owners-hold-while-the-table-is-away.md).
 * - Listeners without a guard: a defect in one of them ended the task, with every meeting on it, and the row sent the
 *   next runner after it.
 * - Keeping what was handed over: a release that could not connect took meetings down while healthy tasks looked on.
 *   A stream that was given to this task and is not connected in time goes back, once.
 * - `session_taken_over` at the claim: the time that nobody saw was not over yet, so the event could not say it.
 * - A log line for every change of state: a peer that toggled one 100,000 times made 33 MB of log (log-limit.ts).
 * - A field that nine methods asked before they acted: what an input does in which state stood nowhere, and no test
 *   could try every pair.
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
  readonly #rest: ReadRest = { maxMs: READ_REST_MS, heldMs: 0 };
  readonly #writer: SessionWriter;
  readonly #takeover: TakeoverEvent;
  readonly #connected = Promise.withResolvers<void>();
  readonly #result = Promise.withResolvers<SessionResult>();
  readonly #guard: SessionGuard;
  #state: RunnerSessionState;
  #start: StartRegister;
  #handledInterruptTsMs: number;
  #client: SessionClient | undefined;
  #media: AgreedMedia | undefined;
  #restart: RestartRegister | undefined;

  /** @throws Error when the row lacks what a claimed row always has */
  constructor(claim: ClaimedRow, context: SessionContext) {
    const start = startOf(claim.row);
    if (start === undefined) throw new Error('claimed a row that was never started');
    const { rtmsStreamId, interruptEventTsMs = 0 } = claim.row;
    const { product, entityId } = start;
    const { media, events, units, maxRecordBytes, maxLineBytes, metrics } = context;
    this.rtmsStreamId = rtmsStreamId;
    this.epoch = claim.epoch;
    this.connected = this.#connected.promise;
    this.result = this.#result.promise;
    this.#claim = claim;
    this.#context = context;
    this.#state = {
      name: 'connecting',
      mayHandBack: claim.mayHandBack === true,
      ...unservedOf(claim),
    };
    this.#start = start;
    this.#handledInterruptTsMs = interruptEventTsMs;
    this.#logger = limitLog(context.logger.child({ rtmsStreamId, epoch: claim.epoch }));
    this.#guard = new SessionGuard({
      logger: this.#logger,
      metrics,
      onDefect: (place) => this.#apply({ name: 'defect', place }),
    });
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

  /** One that has ended counts as ending until its row is written. */
  get state(): (typeof SESSION_STATES)[number] {
    return this.#state.name === 'ended' ? 'ending' : this.#state.name;
  }

  /** Has media flowed, and is the session not about to end? */
  get isConnected(): boolean {
    return 'handshakeAtMs' in this.#state;
  }

  /** Has media flowed in this epoch, whatever has come since? */
  get hasFlowed(): boolean {
    return this.#media !== undefined;
  }

  /** Is something of this run of the stream known to be missing, here or in an earlier epoch? */
  get inPart(): boolean {
    return this.#claim.row.inPart === true || this.#writer.inPart;
  }

  /** Does its end count as that of a meeting? Not when it only tells what came after the end, as a revocation. */
  get isMeeting(): boolean {
    const { cause, row, epoch } = this.#claim;
    return cause !== 'restarted' || row.runEpoch === epoch;
  }

  /** What the session weighs by: what Zoom agreed to send; undefined while that is not known, or comes and goes. */
  get media(): AgreedMedia | undefined {
    return this.#hasCameras ? undefined : this.#media;
  }

  /** What the row has to say about a restart, once the session has ended. */
  get restart(): RestartRegister | undefined {
    return this.#restart;
  }

  /** What the reconcile loop compares with the row. */
  get view(): SessionView {
    const { startEventTsMs, serverUrls } = this.#start;
    return {
      taskId: this.#context.taskId,
      epoch: this.epoch,
      startEventTsMs,
      serverUrls,
      handledInterruptTsMs: this.#handledInterruptTsMs,
      lastHandshakeAtMs: 'handshakeAtMs' in this.#state ? this.#state.handshakeAtMs : 0,
    };
  }

  /** Connects; or, when Zoom has stopped the stream before this claim, writes its end. */
  start(): void {
    this.#guard.run(() => this.#begin());
  }

  /** Does what the row asks for; see `judgeSession`. Handing over is the pool's to pace. */
  follow(verdict: FollowedVerdict): void {
    switch (verdict.act) {
      case 'drop':
        this.drop('not the owner any more');
        break;
      case 'end':
        this.#tell({ name: 'stop_wanted', stopReason: verdict.stopReason });
        break;
      case 'adopt':
        this.#tell({ name: 'started_again', start: verdict.start });
        break;
      case 'reconnect':
        this.#tell({ ...verdict, name: 'reconnect_wanted' });
        break;
    }
  }

  /** Ends the stream because an operator asked for it: Zoom is told to close it for good. */
  stop(): void {
    this.#tell({ name: 'operator_stop' });
  }

  /** Closes the sockets so that another runner can open them, and writes this epoch's last event. */
  handOver(cause: Exclude<HandOverCause, 'defect'>): void {
    this.#tell({ name: 'hand_over', cause });
  }

  /** Closes everything at once and writes nothing more; a session that is ending and has its right finishes. */
  drop(why: string): void {
    this.#tell({ name: 'fenced', why, mayFinish: this.#claim.holds() });
  }

  #begin(): void {
    const { row, cause, mayHandBack } = this.#claim;
    if (mayHandBack) this.#later(HAND_BACK_MS, { name: 'hand_back_due' });
    this.#logger.info('claimed', { event: 'claimed', cause, product: this.#start.product });
    if (cause !== undefined) this.#context.metrics.count('Takeovers', 1, cause);
    const wanted = wantedState(row);
    const isStopped = wanted.state === 'stopped';
    this.#apply({ name: 'begin', ...(isStopped && { stopReason: wanted.stopReason }) });
  }

  /** An input from outside: what it starts belongs to this session, and what breaks stays here. */
  #tell(input: SessionInput): void {
    this.#guard.run(() => this.#apply(input));
  }

  #apply(input: SessionInput): void {
    const { state, effects } = nextSession(this.#state, input, Date.now());
    this.#state = state;
    for (const effect of effects) this.#guard.listener(() => this.#perform(effect))();
  }

  #perform(effect: SessionEffect): void {
    switch (effect.do) {
      case 'get_credentials':
        void this.#guard.step(async () => {
          const credentials = await credentialsFor(this.#start, this.#context, this.#logger);
          this.#apply(
            typeof credentials === 'string'
              ? { name: 'cannot_connect', why: credentials }
              : { name: 'credentials', credentials },
          );
        });
        break;
      case 'join': {
        const { product, entityId, serverUrls } = this.#start;
        const { rtmsStreamId } = this;
        this.#logger.info('connecting', { event: 'connecting' });
        const client = this.#createClient();
        this.#client = client;
        client.join({ product, entityId, rtmsStreamId, serverUrls, ...effect.credentials });
        break;
      }
      case 'write_started': {
        const { atMs, media, leftOut } = effect;
        const { claimedAtMs = atMs, continues } = this.#claim.row;
        this.#media = media;
        this.#takeover.write(atMs);
        const data = sessionStarted(this.#start, {
          owner: this.#context.taskId,
          media,
          leftOut,
          claimedAtMs,
          atMs,
          continues: continues?.rtmsStreamId,
        });
        this.#writer.event('session_started', atMs, data);
        this.#connected.resolve();
        break;
      }
      case 'remember_start':
        this.#start = effect.start;
        break;
      case 'reconnect': {
        const { cause, start, interruptEventTsMs } = effect.wanted;
        this.#start = start;
        this.#handledInterruptTsMs = interruptEventTsMs;
        this.#logger.info('reconnecting', { event: 'reconnecting', cause });
        this.#client?.reconnect(cause, start.serverUrls);
        break;
      }
      case 'look_up_stop': {
        const { reason } = effect;
        void this.#guard.step(async () => {
          const stopReason = await lookUpStop(this.rtmsStreamId, this.#context);
          this.#apply({ name: 'stop_looked_up', reason, stopReason });
        });
        break;
      }
      case 'close_stream':
        void this.#guard.step(async () => this.#client?.leave({ closeStream: true }));
        break;
      case 'end':
        void this.#guard.step(async () => {
          const { restart, account } = await endSession(effect.why, effect.atMs, this.#parts);
          this.#restart = restart;
          this.#apply({ name: 'finished', ...(account && { account }) });
        });
        break;
      case 'watch_ending':
        this.#later(BROKEN_ENDING_MS, { name: 'ending_overdue' });
        break;
      case 'drop': {
        this.#writer.close();
        const { outstanding } = this.#writer.ledger;
        this.#logger.warn('dropped', { event: 'dropped', why: effect.why, outstanding });
        void this.#guard.step(async () => this.#client?.leave());
        this.#writer.drop('write_failed');
        break;
      }
      case 'drop_unwritten':
        this.#writer.drop('write_failed');
        break;
      case 'tell_result':
        this.#writer.close();
        this.#connected.resolve();
        this.#result.resolve(effect.result);
        this.#guard.close();
        break;
      case 'count':
        this.#context.metrics.count(effect.metric, 1, effect.by);
        break;
      case 'log':
        this.#logger[effect.level](effect.text, effect.fields);
        break;
    }
  }

  /** Gives an input after a while; the timer alone does not keep the process alive. */
  #later(ms: number, input: SessionInput): void {
    setTimeout(
      this.#guard.listener(() => this.#apply(input)),
      ms,
    ).unref();
  }

  get #parts() {
    return {
      claim: this.#claim,
      context: this.#context,
      logger: this.#logger,
      guard: this.#guard,
      writer: this.#writer,
      rest: this.#rest,
      takeover: this.#takeover,
      client: this.#client,
    };
  }

  #createClient(): SessionClient {
    const listener: RelayListener = {
      joined: (media, leftOut) => this.#apply({ name: 'joined', media, leftOut }),
      firstFrame: () => this.#firstFrame(),
      paused: () => this.#apply({ name: 'paused' }),
      resumed: () => this.#apply({ name: 'resumed' }),
      interrupted: (info) => {
        const isSuspended = this.#claim.isSuspended?.() ?? false;
        this.#apply({ name: 'interrupted', info, isSuspended });
      },
      reconnected: (info) => this.#apply({ name: 'reconnected', info }),
      ended: (reason) => this.#apply({ name: 'client_ended', reason }),
    };
    const onOverload = () => this.#apply({ name: 'overloading' });
    return createSessionClient(this.#start, { ...this.#parts, listener, onOverload });
  }

  #firstFrame(): void {
    if (this.#claim.cause !== undefined) return;
    const waitedMs = Date.now() - this.#start.requestedAtMs;
    this.#context.metrics.observe('WebhookToFirstFrame', waitedMs);
    this.#logger.info('first frame', { event: 'first_frame', waitedMs });
  }

  /** What Zoom agreed to send; before it did, what is asked for. */
  get #mediaTypes() {
    const media = this.#media;
    if (media === undefined) return wantedMediaTypes(this.#context.mediaRequest);
    const isCamera = (mediaType: MediaType) => mediaType === 'video' && this.#hasCameras;
    return MEDIA_TYPES.filter((type) => media[type] !== undefined || isCamera(type));
  }

  /** Does each camera have a connection of its own, which comes and goes? */
  get #hasCameras(): boolean {
    return followsSeveralCameras(
      this.#context.mediaRequest,
      protocolOf(this.#context, this.#start.product),
    );
  }
}

/** Whether media has flowed in an earlier epoch of the run, as the session's state needs it. */
function unservedOf({ row, epoch, cause }: ClaimedRow) {
  const wasServed = cause !== undefined && hasFlowed({ ...row, epoch });
  if (wasServed) return {};
  const late = cause === 'owner_lost' || cause === 'handed_over' ? undefined : lateness(row);
  const hasRecords = mayHaveRecords(row, cause);
  return {
    unserved: {
      epoch,
      ...(late !== undefined && { late }),
      ...(hasRecords && { hasRecords }),
    },
  };
}
