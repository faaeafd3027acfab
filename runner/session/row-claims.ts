import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import { countMissed } from '../../shared/record/outcome.ts';
import type { MissReason } from '../../shared/record/session-causes.ts';
import { isCatcher } from '../../shared/session-job.ts';
import { missedUnserved } from '../../shared/session-table/missed.ts';
import { type ContinuedStream, continuedStream } from '../../shared/session-table/restart.ts';
import {
  isNewRun,
  isUnowned,
  type SessionRow,
  type TaskRow,
  UNOWNED,
} from '../../shared/session-table/session-row.ts';
import { SYNTHETIC_APP } from '../../shared/zoom/credentials.ts';
import {
  judgeRow,
  MAX_STRIKES,
  QUARANTINE_MS,
  type RowVerdict,
  strikesAfterDeath,
} from '../ownership/rules.ts';
import { Tenure } from '../ownership/tenure.ts';
import type { ClaimedRow } from './context.ts';
import type { AvoidedStreams, OfferOutcome, SessionPoolOptions } from './pool-options.ts';
import { blindSinceOf, previousOwner } from './recording/blind-time.ts';

/** Why a row is looked at: a job came, its window as an orphan has come, or this task takes back what it gave away. */
export type ClaimOccasion = 'job' | 'orphan' | 'back';

/** A row that is this task's now. */
export interface FreshClaim {
  readonly claimed: ClaimedRow;
  readonly tenure: Tenure;
  readonly strikes: number;
}

/** What claims need of the pool. */
export interface ClaimingPool {
  hasSession(rtmsStreamId: string): boolean;
  /** May this task take one more session? `isOverdue`: nobody else took it. */
  admits(isOverdue: boolean): boolean;
  serve(claim: FreshClaim): void;
  /** Writes the events that a row asks for. */
  tell(row: SessionRow): void;
  /** Claims under way have become more or fewer. */
  changed(): void;
}

/** Claims rows that were read and makes sessions of them, one claim per stream at a time. */
export class RowClaims {
  readonly #options: SessionPoolOptions;
  readonly #avoided: AvoidedStreams;
  readonly #pool: ClaimingPool;
  readonly #underWay = new Set<string>();
  /** Streams that may be this task's and that it does not serve: nothing has said yet what became of its last write. */
  readonly #unclear = new Set<string>();

  constructor(options: SessionPoolOptions, avoided: AvoidedStreams, pool: ClaimingPool) {
    this.#options = options;
    this.#avoided = avoided;
    this.#pool = pool;
  }

  /** How many claims wait for the table. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** May the table say of a stream that it is this task's, which knows nothing of that? */
  get hasUnclear(): boolean {
    return this.#unclear.size > 0;
  }

  /** Claims a row that was just read, if the rules allow it and there is room. */
  async take(row: SessionRow, occasion: ClaimOccasion): Promise<OfferOutcome> {
    const { rtmsStreamId } = row;
    if (this.#underWay.has(rtmsStreamId)) return 'later';
    const { context, heartbeat, isExpired, isOverdue, yields } = this.#options;
    const { taskId } = context;
    const hasSession = this.#pool.hasSession(rtmsStreamId);
    const verdict = judgeRow(row, { taskId, hasSession, nowMs: Date.now() }, isExpired);
    if (verdict.act === 'none') return 'done';
    // The host of the synthetic meeting has a name in the network of the tasks alone.
    if (isCatcher(taskId) && row.app === SYNTHETIC_APP) return 'done';
    const isWritten = verdict.act !== 'claim';
    // Before the streams that are avoided: the newer revision should have this job now, not in a few seconds.
    if (occasion === 'job' && yields()) return 'refused';
    if (this.#avoided.has(rtmsStreamId) && !isWritten) return 'later';
    const { term } = heartbeat;
    if (term === undefined) return 'refused';
    // What the catcher looks at, no task has claimed in time; and its event loop is late after every cold start.
    const isUrgent = occasion === 'back' || isCatcher(taskId) || isOverdue(rtmsStreamId);
    if (!isWritten && !this.#pool.admits(isUrgent)) {
      if (row.owner === taskId) await this.#offerAgain(row);
      return 'refused';
    }
    this.#underWay.add(rtmsStreamId);
    this.#pool.changed();
    try {
      return await this.#takeSurely(row, verdict, term);
    } finally {
      this.#underWay.delete(rtmsStreamId);
      this.#pool.changed();
    }
  }

  /**
   * A write that takes a row may have happened and was refused all the same: where its answer was lost, the SDK sends it again, and the first
   * one refuses the second. Or its term was over when the answer came. Then the row is this task's, which takes it once more. Without that an
   * execution of the catcher would end, having no session, and delete the row of its own by which others find what it owns.
   */
  async #takeSurely(
    row: SessionRow,
    verdict: Exclude<RowVerdict, { act: 'none' }>,
    term: number,
  ): Promise<OfferOutcome> {
    let outcome: OfferOutcome | undefined;
    let failure: unknown;
    try {
      outcome = await this.#act(row, verdict, term);
    } catch (error) {
      failure = error;
    }
    const isUnclear = this.#unclear.has(row.rtmsStreamId);
    const again = isUnclear ? await this.#takeOwn(row, outcome !== undefined) : undefined;
    if (again !== undefined) return again;
    if (outcome === undefined) throw failure;
    return outcome;
  }

  /** @returns undefined where the row is not this task's, or the table does not say so */
  async #takeOwn(seen: SessionRow, isAnswered: boolean): Promise<OfferOutcome | undefined> {
    // Before the row is read: a claim leaves only in the term in which its row was read.
    const { term } = this.#options.heartbeat;
    const own = await this.#readOwn(seen, isAnswered).catch(() => undefined);
    if (own === undefined || term === undefined) return undefined;
    const { taskId } = this.#options.context;
    const verdict = judgeRow(own, { taskId, hasSession: false, nowMs: Date.now() }, () => false);
    return verdict.act === 'none' ? undefined : this.#act(own, verdict, term);
  }

  /**
   * @param isAnswered whether the table has answered the write; otherwise it may still happen, while nobody else has claimed the row
   * @returns the row if it is this task's, by a consistent read
   */
  async #readOwn(seen: SessionRow, isAnswered: boolean): Promise<SessionRow | undefined> {
    const { rtmsStreamId } = seen;
    const { taskId } = this.#options.context;
    const row = await this.#options.store.session(rtmsStreamId);
    if (row?.owner === taskId) return row;
    const isOver = isAnswered || row?.epoch !== seen.epoch;
    // A runner looks at its rows until it ends, and its row stays for a minute then.
    if (isOver || !isCatcher(taskId)) this.#unclear.delete(rtmsStreamId);
    return undefined;
  }

  /**
   * This task owns the row, does not serve it, and has no room: the answer to its claim was lost, and others came first. It has to
   * offer the row, because nobody takes one from an owner that lives.
   */
  async #offerAgain(row: SessionRow): Promise<void> {
    const { store, notify, logger } = this.#options;
    const { rtmsStreamId, epoch } = row;
    if (!(await store.offer(row))) return;
    logger.warn('no room for a stream of this task', { event: 'offered', rtmsStreamId, epoch });
    await notify(rtmsStreamId);
  }

  async #act(
    row: SessionRow,
    verdict: Exclude<RowVerdict, { act: 'none' }>,
    term: number,
  ): Promise<OfferOutcome> {
    const { context, confirmDeath } = this.#options;
    const { owner = UNOWNED } = row;
    const isOthers = !isUnowned(row) && owner !== context.taskId;
    const death = isOthers ? await confirmDeath(owner) : {};
    if (death === undefined) return 'later';
    if (verdict.act === 'tell') {
      this.#unclear.delete(row.rtmsStreamId);
      this.#pool.tell(row);
      return 'done';
    }
    if (verdict.act === 'miss') return this.#miss(row, verdict.reason);
    const strikes = isOthers ? strikesAfterDeath(row, death.task?.aliveAtMs) : row.strikes;
    if (isOthers && (strikes ?? 0) >= MAX_STRIKES) return this.#quarantine(row);
    return this.#claim(row, verdict, term, { task: death.task, strikes: strikes ?? 0 });
  }

  async #miss(seen: SessionRow, reason: MissReason): Promise<OfferOutcome> {
    const { store, context, logger, metrics } = this.#options;
    const nowMs = Date.now();
    const restart = context.restarts?.plan(seen, seen.stopReason ?? STOP_REASON.UNDEFINED);
    const missed = missedUnserved(seen, reason, nowMs, restart);
    this.#unclear.add(seen.rtmsStreamId);
    const row = await store.miss(seen, missed, context.taskId, nowMs, restart);
    if (row === undefined) return 'later';
    this.#unclear.delete(seen.rtmsStreamId);
    if (isNewRun(seen)) metrics.count('MeetingsWanted');
    countMissed(metrics, reason);
    const { rtmsStreamId } = row;
    const fields = { event: 'missed', rtmsStreamId, epoch: missed.epoch, reason };
    logger.warn('the stream was never recorded', fields);
    this.#pool.tell(row);
    return 'done';
  }

  async #quarantine(row: SessionRow): Promise<OfferOutcome> {
    const penalty = { strikes: MAX_STRIKES, quarantinedUntilMs: Date.now() + QUARANTINE_MS };
    if (!(await this.#options.store.quarantine(row, penalty))) return 'later';
    tellQuarantine(this.#options, row.rtmsStreamId, row.epoch ?? 0);
    return 'done';
  }

  async #claim(
    seen: SessionRow,
    { cause }: Extract<RowVerdict, { act: 'claim' }>,
    term: number,
    before: { readonly task: TaskRow | undefined; readonly strikes: number },
  ): Promise<OfferOutcome> {
    const { store, context, heartbeat } = this.#options;
    // After a quarantine one more owner is risked, not two.
    const strikes = Math.min(before.strikes, MAX_STRIKES - 1);
    const continues = seen.continues ?? (await this.#continuedBy(seen));
    const previous = previousOwner(seen, before.task);
    // Behind all that waits for the table. A claim that leaves when its term is over is void before it arrives: it would only use up
    // an epoch, and the stream would wait for the next look at the rows of this task.
    if (!heartbeat.holds(term)) return 'later';
    this.#unclear.add(seen.rtmsStreamId);
    const row = await store.claim(seen, context.taskId, Date.now(), strikes, {
      continues,
      blindSince: blindSinceOf(cause, previous),
    });
    if (row === undefined) return 'later';
    if (isNewRun(seen)) this.#options.metrics.count('MeetingsWanted');
    if (continues !== undefined) void context.restarts?.resumed(continues.rtmsStreamId);
    // Claimed in a term that is over: others may think this task dead. It has to be claimed anew.
    if (!heartbeat.holds(term)) return 'later';
    this.#unclear.delete(seen.rtmsStreamId);
    const tenure = new Tenure(term, (held) => heartbeat.holds(held));
    const isGiven = cause === 'handed_over' && seen.handedOverBy !== context.taskId;
    const claimed: ClaimedRow = {
      row,
      epoch: row.epoch ?? 0,
      cause,
      holds: () => tenure.collects(),
      isSuspended: () => tenure.state === 'suspended',
      previous,
      mayHandBack: isGiven && seen.handedBack !== true,
    };
    if (isCatcher(context.taskId)) this.#options.metrics.count('SessionsCaught');
    this.#pool.serve({ claimed, tenure, strikes });
    return 'done';
  }

  /** The stream that a new one continues; a later epoch knows it from its row. */
  async #continuedBy(seen: SessionRow): Promise<ContinuedStream | undefined> {
    if ((seen.epoch ?? 0) > 0) return undefined;
    const row = await this.#options.context.restarts?.continuedBy(seen);
    return row && continuedStream(row);
  }
}

export function tellQuarantine(
  { logger, metrics }: Pick<SessionPoolOptions, 'logger' | 'metrics'>,
  rtmsStreamId: string,
  epoch: number,
): void {
  metrics.count('StreamsQuarantined');
  const fields = { event: 'quarantined', rtmsStreamId, epoch };
  logger.error('a stream has ended two owners, nobody claims it for 10 minutes', fields);
}
