import { type BackoffPolicy, backoffMs } from '../../shared/backoff.ts';
import type { ServiceError } from '../../shared/errors.ts';
import { KINESIS_LIMITS, putUnits } from '../../shared/kinesis-rules.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import { CallBreaker } from './call-breaker.ts';
import { failureOf } from './kinesis-error.ts';
import type { Lane } from './lane.ts';
import type { OutgoingRecord } from './outgoing-record.ts';
import { packCalls } from './pack-calls.ts';
import { MAX_CALLS, type PutRecordsClient } from './put-client.ts';
import { type EntryOutcome, putRecords } from './put-records.ts';
import { ShardBudget } from './shard-budget.ts';
import type { DropCause, Unit } from './unit.ts';

export interface SenderOptions {
  readonly client: Pick<PutRecordsClient, 'putRecords'>;
  readonly streamName: string;
  readonly retry: BackoffPolicy;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Told of units that are written, or lost when there is a cause, with the lane they were in. */
  readonly done: (lane: Lane, units: readonly Unit[], cause?: DropCause) => void;
  /** A call has been answered and `done` told of its units: lanes may have more to send. */
  readonly answered: () => void;
}

interface Outgoing {
  readonly lane: Lane;
  readonly record: OutgoingRecord;
}

/** A record that has waited that long is backlog: it is sent after those of lanes that keep up. */
const BEHIND_MS = 1_000;
/** Calls that backlogs leave free for lanes that keep up, or a live frame would wait for a slow call's answer. */
const LIVE_CALLS = 4;
/** The same failure is logged again after that. */
const LOG_EVERY_MS = 60_000;

/** Decides which lanes send now, makes the calls, and acts on what became of each entry. */
export class Sender {
  readonly #written = { userRecords: 0, records: 0, bytes: 0, putUnits: 0 };
  #retries = 0;
  #throttles = 0;

  readonly #options: SenderOptions;
  readonly #budget = new ShardBudget();
  readonly #breaker: CallBreaker;
  readonly #calls = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #loggedAtMs = new Map<string, number>();

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#breaker = new CallBreaker(options.retry, options.random);
  }

  get callsInFlight(): number {
    return this.#calls.size;
  }

  /** Acknowledged since the start; `bytes` as Kinesis counts them. */
  get written(): Readonly<Record<'userRecords' | 'records' | 'bytes' | 'putUnits', number>> {
    return this.#written;
  }

  /** Entries that had to be sent again, throttled ones included. */
  get retries(): number {
    return this.#retries;
  }

  get throttles(): number {
    return this.#throttles;
  }

  /**
   * Sends what is due: lanes that keep up first, backlogs with what is left of calls and shards.
   *
   * @param lanes those that have units: to ask every lane of a task of transcripts took a tenth of its CPU
   * @param hasMore whether more of that lane's key lies on the disk
   */
  pump(lanes: Iterable<Lane>, hasMore: (lane: Lane) => boolean, nowMs: number): void {
    const allowed = this.#breaker.callsAtOnce(nowMs, MAX_CALLS);
    const most = Math.max(allowed, 1);
    if (this.#calls.size >= most) return;
    const live: Outgoing[] = [];
    const behind: Outgoing[] = [];
    for (const lane of lanes) {
      const more = hasMore(lane);
      const record = lane.offer(nowMs, more);
      if (!record) continue;
      // What has not failed yet does not wait for what has: the stream may be back.
      if (allowed === 0 && lane.failures > 0) continue;
      const isBehind = more || nowMs - record.arrivedAtMs > BEHIND_MS;
      (isBehind ? behind : live).push({ lane, record });
    }
    for (const { lane, record } of live) {
      this.#budget.charge(lane.shardId, record.sizeBytes, nowMs);
    }
    this.#send(live, most, nowMs);
    this.#send(this.#admit(behind, nowMs), Math.min(most, MAX_CALLS - LIVE_CALLS), nowMs);
  }

  /** Backlog records that their shards have room for, in the order of the lanes' catch-up clocks. */
  #admit(behind: Outgoing[], nowMs: number): Outgoing[] {
    behind.sort(
      ({ lane: a }, { lane: b }) =>
        a.catchUp.dueMs - b.catchUp.dueMs || a.lastSentAtMs - b.lastSentAtMs,
    );
    // A shard too full for one record is full for all behind it, or small records would always pass large ones.
    const full = new Set<string | undefined>();
    return behind.filter(({ lane, record: { sizeBytes } }) => {
      const { shardId } = lane;
      if (full.has(shardId) || !this.#budget.admits(shardId, sizeBytes, nowMs)) {
        full.add(shardId);
        return false;
      }
      this.#budget.charge(shardId, sizeBytes, nowMs);
      lane.catchUp.sent(sizeBytes, nowMs);
      return true;
    });
  }

  /** Aborts all calls and waits for the end of each. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#calls);
  }

  #send(outgoing: readonly Outgoing[], maxCalls: number, nowMs: number): void {
    const limits = {
      records: KINESIS_LIMITS.recordsPerCall,
      bytes: this.#breaker.callBytes,
      calls: maxCalls - this.#calls.size,
    };
    const calls = packCalls(outgoing, limits, ({ lane, record }) => ({
      sizeBytes: record.sizeBytes,
      isAlone: lane.isAlone,
    }));
    for (const entries of calls) {
      for (const { lane } of entries) lane.sent(nowMs);
      const call = this.#call(entries, nowMs).finally(() => {
        this.#calls.delete(call);
        this.#options.answered();
      });
      this.#calls.add(call);
    }
  }

  async #call(entries: readonly Outgoing[], sentAtMs: number): Promise<void> {
    const { client, streamName, metrics } = this.#options;
    const records = entries.map(({ record }) => record);
    const answer = await putRecords(client, streamName, records, this.#abort.signal);
    const nowMs = performance.now();
    metrics.observe('PutLatency', nowMs - sentAtMs);
    if (answer.error && !this.#abort.signal.aborted) this.#log(answer.error, answer.code, nowMs);
    // One entry makes Kinesis refuse the whole call; which one shows when each is sent in a call of its own.
    const isUnclear = answer.error !== undefined && entries.length > 1;
    // A stream that is away says so of the call, or of each entry.
    const isTaken = answer.outcomes.some(({ name }) => name === 'written' || name === 'refused');
    if (isTaken) this.#breaker.taken();
    else this.#breaker.failed(nowMs);
    const [unixMs, retriesBefore] = [Date.now(), this.#retries];
    for (const [index, { lane, record }] of entries.entries()) {
      const outcome = answer.outcomes[index] as EntryOutcome;
      if (outcome.name === 'written') this.#entryWritten(lane, record, outcome.shardId, unixMs);
      else this.#entryFailed(lane, outcome, isUnclear, nowMs);
    }
    if (this.#retries > retriesBefore) metrics.count('PutRetries', this.#retries - retriesBefore);
  }

  #entryWritten(lane: Lane, record: OutgoingRecord, shardId: string, unixMs: number): void {
    const { metrics, done } = this.#options;
    const written = this.#written;
    written.records += 1;
    written.userRecords += record.userRecords;
    written.bytes += record.sizeBytes;
    written.putUnits += putUnits(record.sizeBytes);
    metrics.count('PutUnits', putUnits(record.sizeBytes));
    metrics.observe('AggregationRatio', record.userRecords);
    const [oldest] = record.units;
    if (oldest) metrics.observe('CaptureToKinesis', unixMs - oldest.capturedAtMs);
    done(lane, lane.written(shardId));
  }

  #entryFailed(
    lane: Lane,
    outcome: Exclude<EntryOutcome, { name: 'written' }>,
    isUnclear: boolean,
    nowMs: number,
  ): void {
    const { done, retry, random, metrics } = this.#options;
    const refused = outcome.name === 'refused';
    const cause = lane.droppedFor ?? (refused && !isUnclear ? 'write_failed' : undefined);
    if (cause) {
      done(lane, lane.dropRecord(), cause);
      return;
    }
    this.#retries += 1;
    if (outcome.name === 'throttled') {
      this.#throttles += 1;
      metrics.count('PutThrottles');
      this.#budget.throttled(lane.shardId, nowMs);
    }
    if (refused) lane.retryAt(nowMs, true);
    else if (this.#breaker.isOpen) lane.retryAt(nowMs);
    else lane.retryAt(nowMs + backoffMs(lane.failures + 1, retry, random()));
  }

  #log(error: ServiceError, code: string, nowMs: number): void {
    if (nowMs - (this.#loggedAtMs.get(code) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
    this.#loggedAtMs.set(code, nowMs);
    const fields = { code: error.code, ...error.detail };
    const { logger } = this.#options;
    if (failureOf(code) === 'failed' || failureOf(code) === 'throttled') {
      logger.warn('a Kinesis call failed and is repeated', fields);
    } else {
      logger.error('Kinesis refuses our calls', fields);
    }
  }
}
