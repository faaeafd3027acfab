import type { Packing } from '../../shared/packing.ts';
import type { HandOverCause } from '../../shared/record/session-causes.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { roomFor } from '../../shared/session-table/slots.ts';
import { reconcile } from '../ownership/reconcile.ts';
import { MAX_STRIKES } from '../ownership/rules.ts';
import { mayMove } from '../ownership/watch-move.ts';
import { DrainDeadline } from '../task/drain-deadline.ts';
import { sleep } from '../task/loop.ts';
import { admit, isStrained, type Load, Refusals, slotsOfSession } from './admission.ts';
import { MissedStreams } from './missed-streams.ts';
import {
  AvoidedStreams,
  type OfferOutcome,
  type ServedSession,
  type SessionPoolOptions,
} from './pool-options.ts';
import { type ClaimOccasion, type FreshClaim, RowClaims, tellQuarantine } from './row-claims.ts';
import { RowProofs } from './row-proofs.ts';
import { outcomeOf, tellConnected, tellLeaving, tellTookOver, writeResult } from './row-results.ts';
import { Session } from './session.ts';
import { vouchesFor } from './vouching.ts';

/** Why a task gives a session away. */
type TakenAwayBy = Exclude<HandOverCause, 'defect' | 'unable'>;

/** A stream that this task gave away is left to the others for this long. */
const AVOID_MS = 10_000;
/** A stream whose row the table refuses to change is left alone for this long: it has been served to its end. */
const REFUSED_ROW_MS = 600_000;
const CLAIM_POLL_MS = 50;

/** The sessions of this task by rtmsStreamId: claims their rows, reconciles, hands over, and writes how they ended. */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #served = new Map<string, ServedSession>();
  /** Resolves when a session's row says how it ended, by rtmsStreamId. */
  readonly #cares = new Map<string, Promise<void>>();
  readonly #avoided = new AvoidedStreams();
  readonly #claims: RowClaims;
  readonly #proofs: RowProofs;
  readonly #refusals: Refusals;
  readonly #missed: MissedStreams;
  /** Why this task gives its sessions away; undefined while it does not. */
  #closedFor: TakenAwayBy | undefined;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options.logger);
    this.#proofs = new RowProofs(options, () => [...this.#served.values()]);
    this.#claims = new RowClaims(options, this.#avoided, {
      hasSession: (rtmsStreamId) => this.#served.has(rtmsStreamId),
      admits: (isOverdue) => this.#admits(isOverdue),
      serve: (claim) => this.#serve(claim),
      tell: (row) => this.#missed.tell(row),
      changed: () => this.#tellBusy(),
    });
    const { context, store, notify, logger, metrics } = options;
    this.#missed = new MissedStreams({
      events: context.events,
      store,
      notify,
      wanted: (rtmsStreamId) => context.restarts?.wanted(rtmsStreamId),
      deadline: context.deadline,
      logger,
      metrics,
      changed: () => this.#tellBusy(),
    });
  }

  get sessions(): readonly Session[] {
    return [...this.#served.values()].map(({ session }) => session);
  }

  get isDraining(): boolean {
    return this.#closedFor !== undefined;
  }

  get isStrained(): boolean {
    return isStrained(this.#options.pressure());
  }

  get slotsUsed(): number {
    const { sessionSlots } = this.#options;
    const served = this.sessions.map(({ media }) => slotsOfSession(sessionSlots, media));
    return served.reduce((sum, each) => sum + each, this.#claims.underWay * sessionSlots);
  }

  /** May this task's records leave it? Not while any session does not know whether its row is still its own. */
  get mayWrite(): boolean {
    for (const { tenure } of this.#served.values()) if (tenure.state === 'suspended') return false;
    return true;
  }

  /** How many more sessions fit; 0 when this task takes none for another reason. */
  get room(): number {
    if (!this.#admits(false) || this.#options.yields()) return 0;
    const { capacity, sessionSlots } = this.#options;
    return roomFor({ slotsUsed: this.slotsUsed, slotsTotal: capacity }, sessionSlots);
  }

  /** As `RowClaims` says. */
  get hasUnclear(): boolean {
    return this.#claims.hasUnclear;
  }

  /** Does a heartbeat count as a sign that this task receives all streams that the table says are its own? */
  get vouches(): boolean {
    const nowMs = Date.now();
    if (this.#proofs.hasUntold) return false;
    for (const served of this.#served.values()) if (!vouchesFor(served, nowMs)) return false;
    return true;
  }

  /** Looks at a stream's row and claims it if it needs somebody. */
  async offer(rtmsStreamId: string): Promise<OfferOutcome> {
    const row = await this.#options.store.session(rtmsStreamId);
    return row === undefined ? 'done' : this.take(row, 'job');
  }

  /** Claims a row that was just read, if the rules allow it and there is room. */
  take(row: SessionRow, occasion: ClaimOccasion = 'orphan'): Promise<OfferOutcome> {
    return this.#claims.take(row, occasion);
  }

  /** Takes many at once: after a crash every second counts. @throws the first failure, after all tries */
  async takeAll(rows: readonly SessionRow[]): Promise<void> {
    const offers = await Promise.allSettled(rows.map((row) => this.take(row)));
    for (const offer of offers) if (offer.status === 'rejected') throw offer.reason;
  }

  /** Claims a stream that this task has given away and nobody serves. */
  takeBack(row: SessionRow): Promise<OfferOutcome> {
    this.#avoided.delete(row.rtmsStreamId);
    return this.take(row, 'back');
  }

  /** A session that another task may have; undefined for none. */
  nextToMove(): Session | undefined {
    return [...this.#served.values()].find(isMovable)?.session;
  }

  /** A session that another task may have in quiet hours; undefined for none. */
  nextToPack(which: Packing['sessions']): Session | undefined {
    const found = [...this.#served.values()].find((served) => {
      const { media } = served.session;
      if (media === undefined || !isMovable(served)) return false;
      return which === 'all' || Object.keys(media).every((mediaType) => mediaType === 'audio');
    });
    return found?.session;
  }

  /** Gives a session to another task. @returns when its row can be claimed */
  async giveAway(
    { rtmsStreamId }: Pick<Session, 'rtmsStreamId'>,
    cause: 'revision' | 'packing' | 'caught',
  ): Promise<void> {
    const served = this.#served.get(rtmsStreamId);
    if (served === undefined) return;
    const care = this.#cares.get(rtmsStreamId);
    this.#handOver(served.session, cause);
    await care;
  }

  /** Resolves when the stream is connected, or will not be, or is not served here at all. */
  async connected(rtmsStreamId: string): Promise<void> {
    await this.#served.get(rtmsStreamId)?.session.connected;
  }

  /** One look at all owned rows: each session does what its row says now, whatever was missed before. */
  async reconcile(): Promise<void> {
    const { store, context } = this.#options;
    const { sessions } = this;
    const views = new Map(sessions.map((session) => [session.rtmsStreamId, session.view]));
    const { verdicts, unserved } = await reconcile(store, context.taskId, views);
    for (const session of sessions) {
      const verdict = verdicts.get(session.rtmsStreamId);
      const isServed = this.#served.get(session.rtmsStreamId)?.session === session;
      // The session may have gone, or another begun, while the table was read.
      if (verdict === undefined || !isServed) continue;
      if (verdict.act !== 'operator') session.follow(verdict);
      else if (verdict.request === 'stop') session.stop();
      else if (this.#mayGive(session)) this.#handOver(session, 'operator');
    }
    await this.takeAll(unserved);
  }

  /** The heartbeat has lapsed. @param sinceRenewalMs since the last renewal was sent */
  fence(sinceRenewalMs: number): void {
    this.#proofs.suspendAll(sinceRenewalMs);
  }

  /** The heartbeat is renewed in this term. */
  proveAll(term: number): Promise<void> {
    return this.#proofs.proveAll(term);
  }

  /** Takes no more sessions. */
  close(cause: TakenAwayBy): void {
    this.#closedFor = cause;
  }

  /**
   * Gives all sessions of a closed pool to other runners, one after the other so that these are not flooded; each goes
   * on streaming until then. At the flush deadline all that are left go at once.
   */
  async handOverAll(): Promise<void> {
    const { flush } = this.#options.context.deadline;
    const { sessions } = this;
    const paceMs = DrainDeadline.paceMs(sessions.length);
    for (const [index, session] of sessions.entries()) {
      if (index > 0) await sleep(paceMs, flush);
      if (this.#closedFor !== undefined) this.#handOver(session, this.#closedFor);
    }
    // A claim that was on its way when the pool closed becomes a session that is handed over at once.
    while (this.#cares.size + this.#claims.underWay > 0 && this.#closedFor !== undefined) {
      await Promise.race([...this.#cares.values(), sleep(CLAIM_POLL_MS)]);
    }
    await this.#missed.idle();
  }

  /** A row is free only when Kinesis has everything, and nobody is connected meanwhile: what is asked for stays in the row. */
  #mayGive({ isConnected }: Session): boolean {
    return !isConnected || mayMove(this.#options.backlogMs?.() ?? 0);
  }

  #admits(isOverdue: boolean): boolean {
    const { capacity, sessionSlots, heartbeat, pressure } = this.#options;
    const load: Load = {
      ...pressure(),
      slotsUsed: this.slotsUsed,
      slotsTotal: capacity,
      draining: this.isDraining,
      mayServe: heartbeat.term !== undefined,
    };
    const admission = admit(load, sessionSlots, isOverdue);
    if (!admission.admitted) this.#refusals.note(admission.why, load);
    return admission.admitted;
  }

  #serve({ claimed, tenure, strikes }: FreshClaim): void {
    const { context } = this.#options;
    const session = new Session(claimed, context);
    const { rtmsStreamId, epoch } = session;
    const claim = { rtmsStreamId, epoch, taskId: context.taskId };
    const served = { session, claim, tenure, strikes };
    this.#served.set(rtmsStreamId, served);
    this.#cares.set(rtmsStreamId, this.#care(served));
    void tellConnected(served, this.#options);
    void tellLeaving(served, this.#options);
    if (claimed.row.blindSince !== undefined) void tellTookOver(served, this.#options);
    session.start();
    if (this.#closedFor !== undefined) this.#handOver(session, this.#closedFor);
  }

  #handOver(session: Session, cause: TakenAwayBy): void {
    if (cause !== 'shutdown') this.#avoided.add(session.rtmsStreamId, AVOID_MS);
    session.handOver(cause);
  }

  /** Waits for a session's end, and has its row say how it ended. */
  async #care(served: ServedSession): Promise<void> {
    const { session, tenure, strikes } = served;
    const { rtmsStreamId, epoch } = session;
    const result = await session.result;
    tenure.end();
    if (result.kind === 'dropped') this.#proofs.dropped(served);
    else {
      const outcome = outcomeOf(result);
      if (outcome.kind === 'defect' && strikes + 1 >= MAX_STRIKES) {
        tellQuarantine(this.#options, rtmsStreamId, epoch);
      } else if (
        result.kind === 'unrecorded' ||
        outcome.kind === 'defect' ||
        (outcome.kind === 'handed_over' && outcome.cause === 'unable')
      ) {
        // The next try should not be this process's, whose state may be the fault.
        this.#avoided.add(rtmsStreamId, AVOID_MS);
      }
      const written = await writeResult(served, result, this.#options);
      if (written.kind === 'refused') this.#avoided.add(rtmsStreamId, REFUSED_ROW_MS);
      if (written.kind === 'untold') this.#missed.tell(written.row);
    }
    this.#served.delete(rtmsStreamId);
    this.#cares.delete(rtmsStreamId);
    this.#tellBusy();
  }

  #tellBusy(): void {
    this.#options.onBusy(this.#served.size + this.#claims.underWay + this.#missed.underWay > 0);
  }
}

function isMovable({ session, tenure }: ServedSession): boolean {
  return session.state !== 'ending' && tenure.state === 'valid';
}
