import { KINESIS_LIMITS, PUT_UNIT_BYTES } from '../../shared/kinesis-rules.ts';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { MemoryPool } from '../../shared/memory-pool.ts';
import { type Metrics, NO_METRICS } from '../../shared/metrics.ts';
import { CallPace, LINE_GAPS, MEDIA_GAPS, TICK_MS } from './call-pace.ts';
import { Completion } from './completion.ts';
import type { Lane } from './lane.ts';
import { type KeySelection, LaneTable, selects } from './lane-table.ts';
import { DEFAULT_MEMORY_LIMITS } from './pressure.ts';
import { DEFAULT_RETRY, flushPolicies, type ProducerOptions } from './producer-options.ts';
import { AGGREGATES, LINES } from './record-format.ts';
import { Sender } from './sender.ts';
import type { Spool } from './spool/spool.ts';
import type { DropCause, Unit, UnitClass } from './unit.ts';

/** What a producer holds now, and what it has done since it started. */
export interface ProducerStats {
  /** Memory of units that wait for Kinesis or for the disk. */
  readonly bufferedBytes: number;
  /** Age of the oldest unit in memory, ms; 0 when there is none. */
  readonly oldestAgeMs: number;
  readonly spoolBytes: number;
  /** Age of the oldest unit on the disk by Zoom's clock, ms; 0 when there is none. */
  readonly spoolAgeMs: number;
  readonly lanes: number;
  readonly callsInFlight: number;
  /** Acknowledged since the start; `bytes` as Kinesis counts them. */
  readonly units: number;
  readonly userRecords: number;
  readonly records: number;
  readonly bytes: number;
  readonly putUnits: number;
  /** Entries that had to be sent again, throttled ones included. */
  readonly retries: number;
  readonly throttles: number;
  readonly dropped: Readonly<Record<DropCause, number>>;
}

/** The disk is read again when a lane holds less than that. */
const REFILL_BYTES = 4 * PUT_UNIT_BYTES;

/**
 * Writes units (frames and lines) to one Kinesis stream. Over 300 lines because its first 60 are the page about the
 * whole engine.
 *
 * **The problem.** A task has hundreds of partition keys, each with 50 frames a second. Per key, a consumer must see
 * them in order, and of every frame somebody must learn what became of it. Kinesis charges a record in chunks of 25 KB,
 * a call costs as much CPU as dozens of the records in it, PutRecords promises no order between its entries and fails
 * them one by one, and a shard that is full says no for seconds. Meanwhile frames keep coming, and nobody can ask Zoom
 * to wait.
 *
 * ```
 *  put ──> Lane, one per key ───────── Sender ── PutRecords ──> Kinesis
 *   │       UnitQueue → one formed       │ live lanes first,        │
 *   │       record, at most one on       │ then backlogs, as far    │
 *   │       its way                      │ as ShardBudget allows    │
 *   │            ▲                       │                          │
 *   │  memory    │ refill, once the      ▼                          │
 *   │  is full   │ lane runs dry     Completion <── per entry ──────┘
 *   │            │                    written: receipt.written
 *   └──> Spool ──┘                    dropped: receipt.dropped
 *        (files per key)              failed: the lane's record again, unchanged
 * ```
 *
 * **The rules.**
 *
 * 1. Per key, one record is on its way at a time (docs/adr/0006-one-record-in-flight-per-key.md). A call that timed
 *    out may have been carried out: consumers may see duplicates, never another order.
 * 2. A unit whose key has units on the disk goes to the disk (docs/adr/0007-spool.md). In memory it would overtake them.
 * 3. `put` never waits and never throws for load. What memory cannot hold goes to the disk, what the disk cannot hold
 *    is dropped, cheapest class first (pressure.ts).
 * 4. Every unit's receipt is told once: when Kinesis has acknowledged all its records, or when it is lost for good.
 * 5. Each lane may hold `floorBytes` whatever the others do: another key's backlog must not delay a key that keeps up.
 * 6. A backlog gets what live lanes leave of a shard. Between backlogs of one shard, each gets up to three times its live
 *    rate before another gets more (catch-up.ts). With equal shares, the busiest key would be the last to catch up.
 * 7. While no call is taken, a single one tries for all lanes whether the stream is back (call-breaker.ts).
 * 8. Only `Completion` counts units in and out, only the lane writes the lane's fields, and only the sender makes calls.
 *
 * **What was tried.**
 *
 * - The SDK's own retries repeat a whole call and do not look at failed entries: `maxAttempts` is 1.
 * - Lines one to a record: one record a round trip is 75 lines a second, and a transcript waited behind rosters. Lines
 *   now share a record with those that came while the record before was on its way.
 * - A call for each record that becomes ready: a call leaves at most every `TICK_MS` instead and takes along what is
 *   ready by then (call-pace.ts). With two large wake-ups of the sockets instead of four, that saved an eighth of the CPU.
 * - Taking whatever the sockets bring: at 110 % of a core the loop did nothing but read and look, for each frame, for
 *   another one to drop; one in twenty was written. The remedy lies before `put`: rtms/wire/read-budget.ts.
 * - Other transports: with 8 calls at once, a call takes 33 ms the SDK's way, 21 ms over pooled HTTP/2, and 17 ms over
 *   kept HTTP/1.1 connections. The SDK over those costs two and a half times the CPU of our own writer
 *   (docs/adr/0014-our-own-putrecords-writer.md).
 * - Fresh buffers for each record: with pictures of 300 kB, V8 went through its whole heap 21 times in ten seconds
 *   (docs/adr/0008-reused-memory.md).
 *
 * Figures: docs/performance.md.
 */
export class Producer {
  #spool: Spool | undefined;
  readonly #metrics: Metrics;
  readonly #lanes: LaneTable;
  readonly #completion = new Completion();
  readonly #sender: Sender;
  readonly #pace: CallPace;

  /** Read once a tick and once an answer. Exact enough for arrival times, and cheaper than a clock read per frame. */
  #nowMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #ticking = false;
  #pumpQueued = false;
  #closed = false;

  constructor(options: ProducerOptions) {
    this.#lanes = new LaneTable({
      policies: flushPolicies(options),
      format: options.aggregate ? AGGREGATES : LINES,
      memory: options.pool ?? new MemoryPool(),
      limits: { ...DEFAULT_MEMORY_LIMITS, ...options.memory },
    });
    this.#pace = new CallPace(options.aggregate ? MEDIA_GAPS : LINE_GAPS);
    this.#metrics = options.metrics ?? NO_METRICS;
    this.#sender = new Sender({
      client: options.client,
      streamName: options.streamName,
      retry: options.retry ?? DEFAULT_RETRY,
      random: options.random ?? Math.random,
      logger: options.logger ?? SILENT_LOGGER,
      metrics: this.#metrics,
      done: (lane, units, cause) => this.#done(lane, units, cause),
      answered: () => {
        this.#completion.wake();
        this.#queuePump();
      },
    });
    if (options.spool) this.useSpool(options.spool);
  }

  /**
   * Takes a spool, once; also a producer that is at work, whose disk could not be used when it started. What an earlier
   * process left there goes behind what memory holds of the same key, and before what comes from now on. Readers refuse it
   * where a newer epoch of its stream stands before it (docs/adr/0007-spool.md). After `close` it stays for the next process.
   */
  useSpool(spool: Spool): void {
    if (this.#spool) throw new Error('a producer has one spool');
    if (this.#closed) return;
    this.#spool = spool;
    spool.attach((unit, cause) => {
      this.#completion.done(this.#lanes.lane(unit.partitionKey), unit, cause);
    });
    for (const [partitionKey, units] of spool.recovered()) {
      this.#completion.accept(this.#lanes.lane(partitionKey), units);
      this.#startTicking();
    }
  }

  /** Takes over a unit. After `close`, or with a key that Kinesis would refuse, it is dropped with `write_failed`. */
  put(unit: Unit): void {
    if (unit.records.length === 0) throw new Error('a unit without records');
    const lane = this.#lanes.lane(unit.partitionKey);
    this.#completion.accept(lane, 1);
    if (this.#closed || !isKey(unit.partitionKey)) {
      this.#completion.done(lane, unit, 'write_failed');
      return;
    }
    this.#startTicking();
    this.#pace.arrived(this.#nowMs);
    lane.catchUp.arrived(unit.payloadBytes, this.#nowMs);
    if (this.#spool && this.#mustSpool(this.#spool, lane, unit)) {
      this.#spool.append(unit, this.#nowMs);
    } else if (this.#spool || this.#lanes.makeRoom(lane, unit, this.#dropped)) {
      lane.push(unit, this.#nowMs - (unit.heldMs ?? 0));
      if (lane.isReady && !lane.isSending) this.#queuePump();
    } else {
      this.#completion.done(lane, unit, 'buffer_full');
    }
  }

  /** Waits until every unit put before is written or dropped, and hurries none of them. */
  done(): Promise<void> {
    return this.#completion.wait(this.#completion.openLanes, undefined, false);
  }

  /**
   * Waits until every unit put before is written or dropped; lanes do not wait for `lingerMs` meanwhile.
   *
   * @param keys @default all
   * @throws the signal's reason when it aborts first; nothing is dropped then
   */
  async flush(signal?: AbortSignal, keys: KeySelection = () => true): Promise<void> {
    const lanes = [...this.#lanes].filter(({ partitionKey }) => selects(keys, partitionKey));
    for (const lane of lanes) lane.startFlush();
    const flushed = this.#completion.wait(lanes, signal);
    this.#queuePump();
    await flushed;
  }

  /**
   * Takes no more units, writes what it has until `signal` aborts, then drops the rest with `write_failed`.
   * Every receipt has been told when it resolves. Units of an earlier process stay on the disk for the next
   * process. The client stays open: it is the caller's.
   */
  async close(signal?: AbortSignal): Promise<void> {
    this.#closed = true;
    await this.flush(signal).catch(() => {
      this.#spool?.dropOwn('write_failed');
      for (const lane of this.#lanes) {
        this.#done(lane, lane.dropAll('write_failed'), 'write_failed');
      }
    });
    await this.#sender.stop();
    clearTimeout(this.#timer);
    this.#completion.wake();
    await this.#spool?.idle();
  }

  /**
   * Drops what is buffered, on the disk too. A record that is on its way may still be written; its units' receipts
   * are told when its answer is there.
   *
   * @param unitClass units of this class alone
   */
  drop(keys: KeySelection, cause: DropCause, unitClass?: UnitClass): void {
    for (const lane of this.#lanes) {
      if (!selects(keys, lane.partitionKey)) continue;
      const units =
        unitClass === undefined
          ? lane.dropAll(cause)
          : lane.dropOldest(unitClass, Number.POSITIVE_INFINITY);
      this.#done(lane, units, cause);
    }
    this.#spool?.drop((partitionKey) => selects(keys, partitionKey), cause, unitClass);
    this.#completion.wake();
  }

  stats(): ProducerStats {
    let oldestAtMs = Number.POSITIVE_INFINITY;
    for (const lane of this.#completion.openLanes)
      oldestAtMs = Math.min(oldestAtMs, lane.oldestAtMs);
    const spooledAtMs = this.#spool?.oldestCapturedAtMs;
    return {
      bufferedBytes: this.#bufferedBytes,
      oldestAgeMs: Number.isFinite(oldestAtMs) ? Math.max(0, performance.now() - oldestAtMs) : 0,
      spoolBytes: this.#spool?.bytes ?? 0,
      spoolAgeMs: spooledAtMs === undefined ? 0 : Math.max(0, Date.now() - spooledAtMs),
      lanes: this.#lanes.size,
      callsInFlight: this.#sender.callsInFlight,
      units: this.#completion.writtenUnits,
      ...this.#sender.written,
      retries: this.#sender.retries,
      throttles: this.#sender.throttles,
      dropped: { ...this.#completion.droppedUnits },
    };
  }

  /** Observes the levels of `stats` as metrics; to be called once per metrics period. */
  observeLevels(): void {
    const stats = this.stats();
    this.#metrics.observe('BufferBytes', stats.bufferedBytes);
    this.#metrics.observe('BufferAge', stats.oldestAgeMs);
    this.#metrics.observe('SpoolBytes', stats.spoolBytes);
    this.#metrics.observe('SpoolAge', stats.spoolAgeMs);
  }

  get #bufferedBytes(): number {
    return this.#lanes.bytes + (this.#spool?.pendingBytes ?? 0);
  }

  #done(lane: Lane, units: readonly Unit[], cause?: DropCause): void {
    for (const unit of units) {
      this.#spool?.done(unit);
      this.#completion.done(lane, unit, cause);
    }
  }

  readonly #dropped = (lane: Lane, units: readonly Unit[]) => {
    this.#done(lane, units, 'buffer_full');
  };

  /** Whether memory has no room for a unit, or its key has older units on the disk, which it must not overtake. */
  #mustSpool(spool: Spool, lane: Lane, unit: Unit): boolean {
    return (
      spool.hasBacklog(unit.partitionKey) ||
      this.#lanes.overload(lane, unit, spool.pendingBytes) !== undefined
    );
  }

  #startTicking(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#nowMs = performance.now();
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    this.#nowMs = performance.now();
    if (this.#mayCall(this.#nowMs)) this.#pump();
    this.#spool?.write(this.#nowMs);
    this.#lanes.sweep(this.#nowMs);
    this.#completion.wake();
    this.#ticking = this.#completion.openUnits > 0;
    if (this.#ticking) this.#timer?.refresh();
  }

  /**
   * Pumps after the current batch of arrivals, as soon as the gap between calls is over. What becomes ready until then
   * shares the calls, and a call costs as much CPU as dozens of the records in it.
   */
  #queuePump(): void {
    if (this.#pumpQueued) return;
    this.#pumpQueued = true;
    const pump = () => {
      this.#pumpQueued = false;
      // A tick may have made calls meanwhile, which begins the gap anew.
      if (this.#mayCall(performance.now())) this.#pump();
      else this.#queuePump();
    };
    const waitMs = this.#pace.waitMs(performance.now(), this.#completion.isFlushing);
    if (waitMs > 0) setTimeout(pump, waitMs);
    else setImmediate(pump);
  }

  #mayCall(nowMs: number): boolean {
    return this.#pace.mayCall(nowMs, this.#completion.isFlushing);
  }

  #pump(): void {
    this.#nowMs = performance.now();
    this.#pace.called(this.#nowMs);
    this.#sender.pump(this.#completion.openLanes, (lane) => this.#refill(lane), this.#nowMs);
  }

  /** Reads from the disk when the lane runs dry. @returns whether more of its key lies there */
  #refill(lane: Lane): boolean {
    const spool = this.#spool;
    if (!spool?.hasBacklog(lane.partitionKey)) return false;
    if (lane.bytes < REFILL_BYTES) {
      spool.load(lane.partitionKey, (units) => {
        for (const unit of units) lane.push(unit, this.#nowMs);
        this.#queuePump();
      });
    }
    return true;
  }
}

/** Kinesis refuses a whole call for one invalid key, and the header of a spool file has no room for it. */
function isKey({ length }: string): boolean {
  return length > 0 && length <= KINESIS_LIMITS.keyCharacters;
}
