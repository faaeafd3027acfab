import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { Packing } from '../../shared/packing.ts';
import type { HandOverCause } from '../../shared/record/event-data.ts';
import type { Claim, Penalty } from '../../shared/session-table/runner-writes.ts';
import { type SessionRow, type TaskRow, UNOWNED } from '../../shared/session-table/session-row.ts';
import { roomFor } from '../../shared/slots.ts';
import type { Heartbeat } from '../ownership/heartbeat.ts';
import { reconcile } from '../ownership/reconcile.ts';
import {
  judgeRow,
  MAX_STRIKES,
  QUARANTINE_MS,
  type RowVerdict,
  strikesAfterDeath,
} from '../ownership/rules.ts';
import type { SessionStore } from '../ownership/store.ts';
import { holdLeftMs, Tenure } from '../ownership/tenure.ts';
import { DrainDeadline } from '../task/drain-deadline.ts';
import { type Admission, admit, type Load, slotsOfSession } from './admission.ts';
import type { SessionContext } from './context.ts';
import { previousOwner } from './recording/blind-time.ts';
import { Refusals } from './refusals.ts';
import { Session } from './session.ts';
import type { SessionResult } from './session-inputs.ts';

export interface SessionPoolOptions {
  readonly context: SessionContext;
  readonly store: SessionStore;
  readonly heartbeat: Pick<Heartbeat, 'term' | 'holds'>;
  /** Is another task known to be dead? */
  readonly isExpired: (taskId: string) => boolean;
  /** Reads a dead task's heartbeat again; undefined when it lives after all. */
  readonly confirmDeath: (taskId: string) => Promise<{ readonly task?: TaskRow } | undefined>;
  /** Has a stream waited so long that nobody else may be left to take it? */
  readonly isOverdue: (rtmsStreamId: string) => boolean;
  /** Slots of this task, and those of a session with all media that are asked for. */
  readonly capacity: number;
  readonly sessionSlots: number;
  /** Should other tasks take what is new? */
  readonly yields: () => boolean;
  readonly pressure: () => Pick<Load, 'eventLoopDelayMs' | 'memoryShare'>;
  /** Asks the runners to look at a stream's row. */
  readonly notify: (rtmsStreamId: string) => Promise<void>;
  /** Told when the first session comes and when the last one has gone. */
  readonly onBusy: (isBusy: boolean) => void;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * What became of a stream that was offered:
 * - `settled`: somebody serves it, or there is nothing to do; the message may go
 * - `refused`: no room here; another runner should look at once
 * - `later`: look again in a moment
 */
export type Offer = 'settled' | 'refused' | 'later';

/** Why a task gives a session away. */
type TakenAwayBy = Exclude<HandOverCause, 'defect' | 'unable'>;

/** A runner that gave a stream away at an operator's request leaves it to the others for this long. */
const AVOID_MS = 10_000;
/** A stream whose row the table refuses to change is left alone for this long: it has been served to its end. */
const GIVEN_UP_MS = 600_000;
const STORE_RETRY_MS = 500;
const CLAIM_POLL_MS = 50;
const CONNECTED_ATTEMPTS = 5;
/** Rows proved at once after an outage: the table has just come back, and there are other runners. */
const PROOFS_AT_ONCE = 25;

/** The sessions of this task by rtmsStreamId: claims, reconciles, hands over, and settles their rows. */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #tenures = new Map<Session, Tenure>();
  /** How many owners in a row each stream had ended when it was claimed. */
  readonly #strikes = new Map<Session, number>();
  /** Streams whose claim is on its way. */
  readonly #claiming = new Set<string>();
  readonly #avoided = new Map<string, number>();
  /** Care for a session from its claim until its row is settled. */
  readonly #cares = new Map<Session, Promise<void>>();
  #isProving = false;
  #holdTimer: NodeJS.Timeout | undefined;
  /** Why this task gives its sessions away; undefined while it does not. */
  #closedFor: TakenAwayBy | undefined;

  readonly #refusals: Refusals;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options.logger);
  }

  get sessions(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  get isDraining(): boolean {
    return this.#closedFor !== undefined;
  }

  get slotsUsed(): number {
    const { sessionSlots } = this.#options;
    const served = this.sessions.map(({ media }) => slotsOfSession(sessionSlots, media));
    return served.reduce((sum, each) => sum + each, this.#claiming.size * sessionSlots);
  }

  /** May this task's records leave it? Not while any session does not know whether its row is still its own. */
  get mayWrite(): boolean {
    for (const tenure of this.#tenures.values()) if (tenure.state === 'suspended') return false;
    return true;
  }

  /** How many more sessions fit; 0 when this task takes none for another reason. */
  get room(): number {
    if (!this.#admission(false).admitted || this.#options.yields()) return 0;
    const { capacity, sessionSlots } = this.#options;
    return roomFor({ slotsUsed: this.slotsUsed, slotsTotal: capacity }, sessionSlots);
  }

  /** Looks at a stream's row and claims it if it needs somebody. */
  async offer(rtmsStreamId: string): Promise<Offer> {
    const row = await this.#options.store.session(rtmsStreamId);
    return row === undefined ? 'settled' : this.take(row, 'job');
  }

  /** Claims a stream that this task has given away and nobody serves. */
  takeBack(row: SessionRow): Promise<Offer> {
    this.#avoided.delete(row.rtmsStreamId);
    return this.take(row, 'back');
  }

  /** A session that a newer revision may have; undefined for none. */
  nextToMove(): Session | undefined {
    return this.sessions.find((session) => this.#isMovable(session));
  }

  /** A session that another task may have in quiet hours; undefined for none. */
  nextToPack(which: Packing['sessions']): Session | undefined {
    return this.sessions.find((session) => {
      const media = session.media;
      if (media === undefined || !this.#isMovable(session)) return false;
      return which === 'all' || Object.keys(media).every((mediaType) => mediaType === 'audio');
    });
  }

  #isMovable(session: Session): boolean {
    return session.state !== 'ending' && this.#tenures.get(session)?.state === 'valid';
  }

  /** Gives a session to another task. @returns when its row can be claimed */
  async giveAway(
    { rtmsStreamId }: Pick<Session, 'rtmsStreamId'>,
    cause: 'revision' | 'packing',
  ): Promise<void> {
    const session = this.#sessions.get(rtmsStreamId);
    if (session === undefined) return;
    const care = this.#cares.get(session);
    this.#handOver(session, cause);
    await care;
  }

  /** Resolves when the stream is connected, or will not be, or is not served here at all. */
  async connected(rtmsStreamId: string): Promise<void> {
    await this.#sessions.get(rtmsStreamId)?.connected;
  }

  /**
   * Claims a row that was just read, if the rules allow it and there is room.
   *
   * @param why a job, which another runner may take; an orphan, whose window here has come; or one of our own, back
   */
  async take(row: SessionRow, why: 'job' | 'orphan' | 'back' = 'orphan'): Promise<Offer> {
    const { rtmsStreamId } = row;
    if (this.#claiming.has(rtmsStreamId)) return 'later';
    const hasSession = this.#sessions.has(rtmsStreamId);
    const { taskId } = this.#options.context;
    const { isExpired, confirmDeath } = this.#options;
    const nowMs = Date.now();
    const verdict = judgeRow(row, { taskId, hasSession, nowMs }, isExpired);
    if (verdict.act === 'none') return 'settled';
    // Before the streams that are avoided: the newer revision should have this job now, not in a few seconds.
    if (why === 'job' && this.#options.yields()) return 'refused';
    if ((this.#avoided.get(rtmsStreamId) ?? 0) > performance.now()) return 'later';
    const term = this.#options.heartbeat.term;
    const isOverdue = why === 'back' || this.#options.isOverdue(rtmsStreamId);
    if (term === undefined || !this.#admission(isOverdue).admitted) return 'refused';
    this.#claiming.add(rtmsStreamId);
    this.#tellBusy();
    try {
      const { owner = UNOWNED } = row;
      const isOthers = owner !== UNOWNED && owner !== taskId;
      const death = isOthers ? await confirmDeath(owner) : {};
      if (death === undefined) return 'later';
      if (verdict.act === 'clear') return await this.#clear(row);
      const strikes = isOthers ? strikesAfterDeath(row, death.task?.renewedAtMs) : row.strikes;
      if (isOthers && (strikes ?? 0) >= MAX_STRIKES) return await this.#quarantine(row);
      return await this.#claim(row, verdict, term, { task: death.task, strikes: strikes ?? 0 });
    } finally {
      this.#claiming.delete(rtmsStreamId);
      this.#tellBusy();
    }
  }

  /** Takes many at once: after a crash every second counts. @throws the first failure, after all tries */
  async takeAll(rows: readonly SessionRow[]): Promise<void> {
    const offers = await Promise.allSettled(rows.map((row) => this.take(row)));
    for (const offer of offers) if (offer.status === 'rejected') throw offer.reason;
  }

  /** One look at all owned rows; see design §2, level-triggered. */
  async reconcile(): Promise<void> {
    const { store, context } = this.#options;
    const served = [...this.#sessions.values()];
    const views = new Map(served.map((session) => [session.rtmsStreamId, session.view]));
    const { verdicts, unserved } = await reconcile(store, context.taskId, views);
    for (const session of served) {
      const verdict = verdicts.get(session.rtmsStreamId);
      // It may have gone, or begun anew, while the table was read.
      if (verdict === undefined || this.#sessions.get(session.rtmsStreamId) !== session) continue;
      if (verdict.act !== 'operator') session.follow(verdict);
      else if (verdict.request === 'stop') session.stop();
      else this.#handOver(session, 'operator');
    }
    await this.takeAll(unserved);
  }

  /**
   * The heartbeat has lapsed: others may own everything by now, if they can reach the table. The sessions go on
   * collecting, and nothing is written; see docs/adr/0005.
   *
   * @param sinceRenewalMs since the last renewal was sent
   */
  fence(sinceRenewalMs: number): void {
    for (const tenure of this.#tenures.values()) tenure.suspend();
    clearTimeout(this.#holdTimer);
    const leftMs = holdLeftMs(sinceRenewalMs);
    const giveUp = () => this.#dropSuspended('heartbeat lost');
    if (leftMs === 0) giveUp();
    else this.#holdTimer = setTimeout(giveUp, leftMs).unref();
  }

  /** The heartbeat is renewed: whatever was suspended proves that it is still this task's, or ends. */
  async proveAll(term: number): Promise<void> {
    if (this.#isProving) return;
    this.#isProving = true;
    try {
      const suspended = this.#suspended();
      for (let from = 0; from < suspended.length; from += PROOFS_AT_ONCE) {
        const some = suspended.slice(from, from + PROOFS_AT_ONCE);
        await Promise.all(some.map(([session, tenure]) => this.#prove(session, tenure, term)));
      }
    } finally {
      this.#isProving = false;
    }
    // Not proved for want of an answer, or of a term that lasted: again, as long as there is one.
    if (this.mayWrite) clearTimeout(this.#holdTimer);
    else setTimeout(() => this.#proveAgain(), STORE_RETRY_MS).unref();
  }

  /** Takes no more sessions. */
  close(cause: TakenAwayBy): void {
    this.#closedFor = cause;
  }

  /**
   * Gives all sessions of a closed pool to other runners, one after the other so that these are not
   * flooded; each goes on streaming until it is handed over. At the flush deadline all that are left go at once.
   */
  async handOverAll(): Promise<void> {
    const signal = this.#options.context.deadline.flush;
    const sessions = [...this.#sessions.values()];
    const paceMs = DrainDeadline.paceMs(sessions.length);
    for (const [index, session] of sessions.entries()) {
      if (index > 0) await sleep(paceMs, undefined, { signal }).catch(() => {});
      if (this.#closedFor !== undefined) this.#handOver(session, this.#closedFor);
    }
    // A claim that was on its way when the pool closed becomes a session that is handed over at once.
    while (this.#cares.size + this.#claiming.size > 0 && this.#closedFor !== undefined) {
      await Promise.race([...this.#cares.values(), sleep(CLAIM_POLL_MS)]);
    }
  }

  #admission(isOverdue: boolean): Admission {
    const { capacity, sessionSlots, heartbeat, pressure } = this.#options;
    const load = {
      ...pressure(),
      slotsUsed: this.slotsUsed,
      slotsTotal: capacity,
      draining: this.isDraining,
      mayServe: heartbeat.term !== undefined,
    };
    const admission = admit(load, sessionSlots, isOverdue);
    if (!admission.admitted) this.#refusals.note(admission.why, load);
    return admission;
  }

  async #clear(row: SessionRow): Promise<Offer> {
    const { store, logger, metrics } = this.#options;
    if (await store.endMissed(row, Date.now())) {
      metrics.count('SessionsMissed');
      const { rtmsStreamId } = row;
      logger.warn('stopped unserved', { event: 'missed', rtmsStreamId, epoch: row.epoch ?? 0 });
    }
    return 'settled';
  }

  async #claim(
    seen: SessionRow,
    { cause }: Extract<RowVerdict, { act: 'claim' }>,
    term: number,
    before: { readonly task: TaskRow | undefined; readonly strikes: number },
  ): Promise<Offer> {
    const { store, context, heartbeat } = this.#options;
    if (!heartbeat.holds(term)) return 'later';
    // After a quarantine one more owner is risked, not two.
    const strikes = Math.min(before.strikes, MAX_STRIKES - 1);
    const row = await store.claim(seen, context.taskId, Date.now(), strikes);
    if (row === undefined) return 'later';
    // Claimed in a term that is over: others may think this task dead. The next reconcile claims anew.
    if (!heartbeat.holds(term)) return 'later';
    const epoch = row.epoch ?? 0;
    const tenure = new Tenure(term, (held) => heartbeat.holds(held));
    const previous = previousOwner(seen, before.task);
    const holds = () => tenure.collects();
    const isSuspended = () => tenure.state === 'suspended';
    const isGiven = cause === 'handed_over' && seen.handedOverBy !== context.taskId;
    const mayHandBack = isGiven && seen.handedBack !== true;
    const claimed = { row, epoch, cause, holds, isSuspended, previous, mayHandBack };
    const session = new Session(claimed, context);
    this.#sessions.set(row.rtmsStreamId, session);
    this.#tenures.set(session, tenure);
    this.#strikes.set(session, strikes);
    const care = this.#care(session).finally(() => this.#cares.delete(session));
    this.#cares.set(session, care);
    if (cause !== undefined) void this.#tellConnected(session);
    session.start();
    if (this.#closedFor !== undefined) this.#handOver(session, this.#closedFor);
    return 'settled';
  }

  #handOver(session: Session, cause: TakenAwayBy): void {
    if (cause !== 'shutdown') this.#avoid(session.rtmsStreamId, AVOID_MS);
    session.handOver(cause);
  }

  /** Waits for a session's end and settles its row. */
  async #care(session: Session): Promise<void> {
    const result = await session.result;
    this.#tenures.get(session)?.end();
    this.#tenures.delete(session);
    const { rtmsStreamId } = session;
    const penalty = result.kind === 'defect' ? this.#penalty(session) : undefined;
    const handedBack = result.kind === 'handed_over' && result.cause === 'unable';
    if (handedBack) this.#avoid(rtmsStreamId, AVOID_MS);
    const how = { penalty, handedBack };
    if (result.kind !== 'dropped') await this.#settle(session, result, how);
    this.#sessions.delete(rtmsStreamId);
    this.#strikes.delete(session);
    this.#tellBusy();
  }

  /** Tells who gave the stream away that media flows here; it takes it back otherwise. */
  async #tellConnected(session: Session): Promise<void> {
    await session.connected;
    const { rtmsStreamId, epoch } = session;
    for (let attempt = 1; attempt <= CONNECTED_ATTEMPTS; attempt++) {
      if (!session.isConnected) return;
      try {
        await this.#options.store.connected(this.#claimOf(session));
        return;
      } catch (error) {
        const fields = { event: 'connected_untold', rtmsStreamId, epoch, error };
        this.#options.logger.warn('not told that media flows', fields);
        await sleep(STORE_RETRY_MS);
      }
    }
  }

  /** What the stream gets for having ended this owner by a defect. */
  #penalty(session: Session): Penalty {
    const strikes = (this.#strikes.get(session) ?? 0) + 1;
    if (strikes < MAX_STRIKES) {
      // The next try should not be the same process's, whose state may be the fault.
      this.#avoid(session.rtmsStreamId, AVOID_MS);
      return { strikes };
    }
    this.#tellQuarantine(session.rtmsStreamId, session.epoch);
    return { strikes, quarantinedUntilMs: Date.now() + QUARANTINE_MS };
  }

  async #quarantine(row: SessionRow): Promise<Offer> {
    const penalty = { strikes: MAX_STRIKES, quarantinedUntilMs: Date.now() + QUARANTINE_MS };
    if (!(await this.#options.store.quarantine(row, penalty))) return 'later';
    this.#tellQuarantine(row.rtmsStreamId, row.epoch ?? 0);
    return 'settled';
  }

  #tellQuarantine(rtmsStreamId: string, epoch: number): void {
    const { logger, metrics } = this.#options;
    metrics.count('StreamsQuarantined');
    const fields = { event: 'quarantined', rtmsStreamId, epoch };
    logger.error('a stream has ended two owners, nobody claims it for 10 minutes', fields);
  }

  async #settle(
    session: Session,
    result: Exclude<SessionResult, { kind: 'dropped' }>,
    how: Parameters<SessionStore['release']>[2],
  ): Promise<void> {
    const { store, notify, logger, metrics } = this.#options;
    const claim = this.#claimOf(session);
    // A row that cannot be written by the flush deadline is found by the other runners when this task is gone.
    const signal = this.#options.context.deadline.flush;
    // Once at least: a row that is released is served again at once, one that is not only after 10 s.
    do {
      try {
        if (result.kind !== 'ended') {
          if (await store.release(claim, result.atMs, how)) await notify(claim.rtmsStreamId);
        } else {
          const { startEventTsMs } = session.view;
          const outcome = await store.end(claim, { ...result, startEventTsMs }, Date.now());
          if (outcome === 'restarted' || outcome === 'revoked') await notify(claim.rtmsStreamId);
        }
        return;
      } catch (error) {
        const { rtmsStreamId, epoch } = claim;
        if (error instanceof ServiceError && !error.retryable) {
          // Tried again it would be refused again, and keep its slot until this task ends.
          metrics.count('RowsGivenUp');
          this.#avoid(rtmsStreamId, GIVEN_UP_MS);
          logger.error('row given up', { event: 'row_given_up', rtmsStreamId, epoch, error });
          return;
        }
        logger.warn('row not settled', { event: 'settle_failed', rtmsStreamId, epoch, error });
        await sleep(STORE_RETRY_MS, undefined, { signal }).catch(() => {});
      }
    } while (!signal.aborted);
  }

  #claimOf({ rtmsStreamId, epoch }: Session): Claim {
    return { rtmsStreamId, epoch, taskId: this.#options.context.taskId };
  }

  #suspended(): [Session, Tenure][] {
    return [...this.#tenures].filter(([, tenure]) => tenure.state === 'suspended');
  }

  async #prove(session: Session, tenure: Tenure, term: number): Promise<void> {
    const { store, heartbeat, logger } = this.#options;
    const { rtmsStreamId, epoch } = session;
    if (!heartbeat.holds(term)) return;
    try {
      const isOwn = await store.prove(this.#claimOf(session));
      if (!isOwn) this.#drop(session, tenure, 'not the owner any more');
      else if (tenure.resume(term)) {
        logger.info('row proved', { event: 'proved', rtmsStreamId, epoch });
      }
    } catch (error) {
      logger.warn('row not proved', { event: 'proof_failed', rtmsStreamId, epoch, error });
    }
  }

  #proveAgain(): void {
    const { term } = this.#options.heartbeat;
    if (term !== undefined && !this.mayWrite) void this.proveAll(term);
  }

  #dropSuspended(why: string): void {
    for (const [session, tenure] of this.#suspended()) this.#drop(session, tenure, why);
  }

  #drop(session: Session, tenure: Tenure, why: string): void {
    // First: a session that is ending finishes unless it has lost its right.
    tenure.end();
    session.drop(why);
  }

  /** Leaves a stream to the others for a while. */
  #avoid(rtmsStreamId: string, forMs: number): void {
    const nowMs = performance.now();
    for (const [id, untilMs] of this.#avoided) if (untilMs <= nowMs) this.#avoided.delete(id);
    this.#avoided.set(rtmsStreamId, nowMs + forMs);
  }

  #tellBusy(): void {
    this.#options.onBusy(this.#sessions.size + this.#claiming.size > 0);
  }
}
