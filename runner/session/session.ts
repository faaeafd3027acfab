import type { AgreedMedia } from '../../rtms/protocol/agreed-media.ts';
import type { HandOverCause } from '../../shared/record/session-causes.ts';
import { lateness } from '../../shared/session-table/missed.ts';
import type { RestartRegister } from '../../shared/session-table/restart.ts';
import { hasFlowed, mayHaveRecords, wantedState } from '../../shared/session-table/session-row.ts';
import type { SessionVerdict, SessionView } from '../ownership/rules.ts';
import { limitLog } from '../task/log.ts';
import type { ClaimedRow, SessionContext } from './context.ts';
import { SessionGuard } from './guard.ts';
import { blindSinceOfOpen } from './recording/blind-time.ts';
import { SessionEffects } from './session-effects.ts';
import type { SessionInput, SessionResult } from './session-inputs.ts';
import { nextSession, type RunnerSessionState, type SESSION_STATES } from './session-state.ts';

/** What a session does by itself about its row. */
type FollowedVerdict = Exclude<SessionVerdict, { act: 'keep' } | { act: 'operator' }>;

/**
 * One RTMS stream during one epoch: the client's frames and lines in, records out, and exactly one result.
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
 * - `nextSession` alone decides: what happens is an input, what is done about it an effect. This class holds the state
 *   and gives the inputs. `SessionEffects` performs the effects and holds what they need; it does not know the state.
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
 * - A log line for every change of state: a peer that toggled one 100,000 times made 33 MB of log (`limitLog`).
 * - A field that nine methods asked before they acted: what an input does in which state stood nowhere, and no test
 *   could try every pair.
 */
export class Session {
  readonly rtmsStreamId: string;
  readonly epoch: number;
  /** Resolves when media flows for the first time, or when there will be none. */
  readonly connected: Promise<void>;
  /** Resolves when the session begins to end, with that time, Unix ms; never when it is dropped. */
  readonly leaving: Promise<number>;
  /** Resolves when all is written and the sockets are closed; never rejects. */
  readonly result: Promise<SessionResult>;

  readonly #claim: ClaimedRow;
  readonly #context: SessionContext;
  readonly #guard: SessionGuard;
  readonly #effects: SessionEffects;
  #state: RunnerSessionState;

  /** @throws Error when the row lacks what a claimed row always has */
  constructor(claim: ClaimedRow, context: SessionContext) {
    const { rtmsStreamId } = claim.row;
    const { epoch, mayHandBack = false } = claim;
    const logger = limitLog(context.logger.child({ rtmsStreamId, epoch }));
    this.rtmsStreamId = rtmsStreamId;
    this.epoch = epoch;
    this.#claim = claim;
    this.#context = context;
    this.#state = { name: 'connecting', mayHandBack, ...unservedOf(claim) };
    this.#guard = new SessionGuard({
      logger,
      metrics: context.metrics,
      onDefect: (place) => this.#apply({ name: 'defect', place }),
    });
    this.#effects = new SessionEffects({
      claim,
      context,
      logger,
      guard: this.#guard,
      onInput: (input) => this.#apply(input),
    });
    this.connected = this.#effects.connected;
    this.leaving = this.#effects.leaving;
    this.result = this.#effects.result;
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
    return this.#effects.media !== undefined;
  }

  /** Resolves when the records tell of the change of owner before this epoch; never when they do not. */
  get tookOver(): Promise<void> {
    return this.#effects.records.tookOver;
  }

  /** Do the records tell of the change of owner before this epoch? */
  get hasTakenOver(): boolean {
    return this.#effects.records.hasTakenOver;
  }

  /**
   * What the row has to say to the next owner if this one's last event does not reach Kinesis, as `blindSinceOfOpen` has it.
   *
   * @param atMs when the session began to end, Unix ms
   */
  blindSince(atMs: number): ReturnType<typeof blindSinceOfOpen> {
    const { hasFlowed: flowed, hasTakenOver: tookOver } = this;
    const carried = this.#claim.row.blindSince;
    return blindSinceOfOpen({ carried, tookOver, hasFlowed: flowed, atMs });
  }

  /** Is something of this run of the stream known to be missing, here or in an earlier epoch? */
  get inPart(): boolean {
    return this.#claim.row.inPart === true || this.#effects.records.inPart;
  }

  /** Does its end count as that of a meeting? Not when it only tells what came after the end, as a revocation. */
  get isMeeting(): boolean {
    const { cause, row, epoch } = this.#claim;
    return cause !== 'restarted' || row.runEpoch === epoch;
  }

  /** What the session weighs by: what Zoom agreed to send; undefined while that is not known, or comes and goes. */
  get media(): AgreedMedia | undefined {
    return this.#effects.hasCameras ? undefined : this.#effects.media;
  }

  /** What the row has to say about a restart, once the session has ended. */
  get restart(): RestartRegister | undefined {
    return this.#effects.restart;
  }

  /** What the reconcile loop compares with the row. */
  get view(): SessionView {
    const { startEventTsMs, serverUrls } = this.#effects.startRegister;
    return {
      taskId: this.#context.taskId,
      epoch: this.epoch,
      startEventTsMs,
      serverUrls,
      handledInterruptTsMs: this.#effects.handledInterruptTsMs,
      lastHandshakeAtMs: 'handshakeAtMs' in this.#state ? this.#state.handshakeAtMs : 0,
    };
  }

  /** Connects; or, when Zoom has stopped the stream before this claim, writes its end. */
  start(): void {
    this.#guard.run(() => {
      this.#effects.claimed();
      const wanted = wantedState(this.#claim.row);
      const isStopped = wanted.state === 'stopped';
      this.#apply({ name: 'begin', ...(isStopped && { stopReason: wanted.stopReason }) });
    });
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

  /** An input from outside: what it starts belongs to this session, and what breaks stays here. */
  #tell(input: SessionInput): void {
    this.#guard.run(() => this.#apply(input));
  }

  #apply(input: SessionInput): void {
    const { state, effects } = nextSession(this.#state, input, Date.now());
    this.#state = state;
    for (const effect of effects) this.#guard.listener(() => this.#effects.perform(effect))();
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
