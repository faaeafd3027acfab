import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { BackoffPolicy } from '../../shared/backoff.ts';
import { KINESIS_LIMITS, PUT_UNIT_BYTES } from '../../shared/kinesis-limits.ts';
import { type Logger, SILENT_LOGGER } from '../../shared/logger.ts';
import { type Metrics, NO_METRICS } from '../../shared/metrics.ts';
import type { FlushPolicies, Lane } from './lane.ts';
import { type KeySelection, LaneTable, selects } from './lane-table.ts';
import { AGGREGATES, LINES } from './packing.ts';
import {
  chooseVictim,
  DEFAULT_MEMORY_LIMITS,
  type MemoryLimits,
  type Overload,
  overload,
  SHED_STEP_BYTES,
} from './pressure.ts';
import type { ProducerStats } from './producer-stats.ts';
import { Sender } from './sender.ts';
import { Settlement } from './settlement.ts';
import type { Spool } from './spool/spool.ts';
import { type DropCause, type Unit, type UnitClass, unitBytes } from './unit.ts';

export interface ProducerOptions {
  /** Used by this producer alone; see transport.ts. */
  readonly client: KinesisClient;
  readonly streamName: string;
  /** true: any bytes, in KPL aggregates. false: lines that end with a newline, behind each other. */
  readonly aggregate: boolean;
  /** Used by this producer alone. @default none: what memory cannot hold is dropped */
  readonly spool?: Spool;
  /** @default DEFAULT_MEMORY_LIMITS */
  readonly memory?: Partial<MemoryLimits>;
  /**
   * @default 190 ms or just under one PUT unit; with `aggregate: false` at once, with
   *   what came while the record before was on its way
   */
  readonly flush?: Partial<FlushPolicies>;
  /** @default 100 ms, doubled up to 5 s */
  readonly retry?: BackoffPolicy;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/** How often lanes are looked at while anything waits: how far a flush may be late. */
const TICK_MS = 20;
/** The disk is read again when a lane holds less than that. */
const REFILL_BYTES = 4 * PUT_UNIT_BYTES;

const DEFAULT_RETRY: BackoffPolicy = { baseMs: 100, maxMs: 5_000 };
const AGGREGATED = { targetBytes: PUT_UNIT_BYTES - 1, lingerMs: 190 };
/**
 * A line waits for nothing but the line before it. Eight PUT units cost what their lines would cost in eight
 * records, and one record each round trip then carries thousands of lines a second.
 */
const AT_ONCE = { targetBytes: 8 * PUT_UNIT_BYTES - 1, lingerMs: 0 };

/**
 * Writes units to one Kinesis stream: in order per partition key, again where that failed, and telling each
 * unit's receipt what became of it. A call that timed out may have been carried out: duplicates are
 * possible, reordering is not.
 *
 * `put` never waits and never throws for load: what memory cannot hold goes to the spool, and what that
 * cannot hold is dropped, cheapest first.
 */
export class Producer {
  readonly #spool: Spool | undefined;
  readonly #memory: MemoryLimits;
  readonly #metrics: Metrics;
  readonly #lanes: LaneTable;
  readonly #settlement = new Settlement();
  readonly #sender: Sender;

  /** Read once a tick and once an answer: exact enough to stamp arrivals with. */
  #nowMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #ticking = false;
  #pumpQueued = false;
  #pumpedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: ProducerOptions) {
    const policy = options.aggregate ? AGGREGATED : AT_ONCE;
    const policies = {
      video: policy,
      deskshare: policy,
      audio: policy,
      crowd: policy,
      text: policy,
      event: policy,
    };
    const packing = options.aggregate ? AGGREGATES : LINES;
    this.#lanes = new LaneTable({ ...policies, ...options.flush }, packing);
    this.#memory = { ...DEFAULT_MEMORY_LIMITS, ...options.memory };
    this.#metrics = options.metrics ?? NO_METRICS;
    this.#sender = new Sender({
      client: options.client,
      streamName: options.streamName,
      retry: options.retry ?? DEFAULT_RETRY,
      random: options.random ?? Math.random,
      logger: options.logger ?? SILENT_LOGGER,
      metrics: this.#metrics,
      settle: (lane, units, cause) => this.#settle(lane, units, cause),
      answered: () => {
        this.#settlement.wake();
        this.#queuePump();
      },
    });
    this.#spool = options.spool;
    this.#spool?.attach((unit, cause) => {
      this.#settlement.settle(this.#lanes.lane(unit.partitionKey), unit, cause);
    });
    for (const [partitionKey, units] of this.#spool?.recovered() ?? []) {
      this.#settlement.accept(this.#lanes.lane(partitionKey), units);
      this.#startTicking();
    }
  }

  /** Takes over a unit. After `close`, or with a key that Kinesis never takes, it is dropped with `write_failed`. */
  put(unit: Unit): void {
    if (unit.records.length === 0) throw new Error('a unit without records');
    const lane = this.#lanes.lane(unit.partitionKey);
    this.#settlement.accept(lane, 1);
    if (this.#closed || !isKey(unit.partitionKey)) {
      this.#settlement.settle(lane, unit, 'write_failed');
      return;
    }
    this.#startTicking();
    lane.meter(unit.payloadBytes, this.#nowMs);
    if (this.#spool && this.#mustSpool(lane, unit)) {
      this.#spool.append(unit, this.#nowMs);
    } else if (this.#spool || this.#makeRoom(lane, unit)) {
      lane.push(unit, this.#nowMs - (unit.heldMs ?? 0));
      if (lane.isReady && !lane.isSending) this.#queuePump();
    } else {
      this.#settlement.settle(lane, unit, 'buffer_full');
    }
  }

  /**
   * Waits until every unit put before has been written or dropped; lanes do not wait for company meanwhile.
   *
   * @param keys @default all
   * @throws the signal's reason when it aborts first; nothing is given up then
   */
  async flush(signal?: AbortSignal, keys: KeySelection = () => true): Promise<void> {
    const lanes = [...this.#lanes].filter(({ partitionKey }) => selects(keys, partitionKey));
    for (const lane of lanes) lane.flushUntil = lane.accepted;
    this.#queuePump();
    await this.#settlement.wait(lanes, signal);
  }

  /**
   * Takes no more units, writes what it has until `signal` aborts, then drops the rest with `write_failed`.
   * Every receipt has been called when it resolves. Units of an earlier process stay on the disk for the
   * next. The client stays open: it is the caller's.
   */
  async close(signal?: AbortSignal): Promise<void> {
    this.#closed = true;
    await this.flush(signal).catch(() => {
      this.#spool?.giveUp('write_failed');
      for (const lane of this.#lanes) {
        this.#settle(lane, lane.abandon('write_failed'), 'write_failed');
      }
    });
    await this.#sender.stop();
    clearTimeout(this.#timer);
    this.#settlement.wake();
    await this.#spool?.idle();
  }

  /**
   * Drops what is buffered, on the disk too. A record that is on its way may still be written, and is
   * reported as what becomes of it.
   *
   * @param unitClass units of this class alone
   */
  drop(keys: KeySelection, cause: DropCause, unitClass?: UnitClass): void {
    for (const lane of this.#lanes) {
      if (!selects(keys, lane.partitionKey)) continue;
      const units =
        unitClass === undefined
          ? lane.abandon(cause)
          : lane.shed(unitClass, Number.POSITIVE_INFINITY);
      this.#settle(lane, units, cause);
    }
    this.#spool?.drop((partitionKey) => selects(keys, partitionKey), cause, unitClass);
    this.#settlement.wake();
  }

  stats(): ProducerStats {
    let oldestAtMs = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes) oldestAtMs = Math.min(oldestAtMs, lane.oldestAtMs);
    const spooledAtMs = this.#spool?.oldestCapturedAtMs;
    return {
      bufferedBytes: this.#bufferedBytes,
      oldestAgeMs: Number.isFinite(oldestAtMs) ? Math.max(0, performance.now() - oldestAtMs) : 0,
      spoolBytes: this.#spool?.bytes ?? 0,
      spoolAgeMs: spooledAtMs === undefined ? 0 : Math.max(0, Date.now() - spooledAtMs),
      lanes: this.#lanes.size,
      callsInFlight: this.#sender.callsInFlight,
      units: this.#settlement.writtenUnits,
      ...this.#sender.written,
      retries: this.#sender.retries,
      throttles: this.#sender.throttles,
      dropped: { ...this.#settlement.droppedUnits },
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
    return this.#lanes.task.bytes + (this.#spool?.pendingBytes ?? 0);
  }

  #settle(lane: Lane, units: readonly Unit[], cause?: DropCause): void {
    for (const unit of units) {
      this.#spool?.settled(unit);
      this.#settlement.settle(lane, unit, cause);
    }
  }

  /** Behind what lies on the disk there is only the disk: else a unit would overtake older ones. */
  #mustSpool(lane: Lane, unit: Unit): boolean {
    return (
      this.#spool?.hasBacklog(unit.partitionKey) === true ||
      this.#overload(lane, unit) !== undefined
    );
  }

  #overload(lane: Lane, unit: Unit): Overload | undefined {
    const load = this.#lanes.load(lane, this.#spool?.pendingBytes ?? 0);
    return overload(load, unitBytes(unit), this.#memory);
  }

  /** Without a spool: drops queued units until one more fits. @returns false when none is cheap enough */
  #makeRoom(lane: Lane, unit: Unit): boolean {
    for (let scope = this.#overload(lane, unit); scope; scope = this.#overload(lane, unit)) {
      const victim = chooseVictim(this.#lanes.within(scope, lane), unit.class);
      if (!victim) return false;
      const { holder, unitClass } = victim;
      const shed = holder.shed(unitClass, Math.max(SHED_STEP_BYTES, unitBytes(unit)));
      this.#settle(holder, shed, 'buffer_full');
    }
    return true;
  }

  #startTicking(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#nowMs = performance.now();
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    this.#pump();
    this.#spool?.write(this.#nowMs);
    this.#lanes.sweep(this.#nowMs);
    this.#settlement.wake();
    this.#ticking = this.#settlement.open > 0;
    if (this.#ticking) this.#timer?.refresh();
  }

  /**
   * Pumps after the current batch of arrivals, but not twice within a tick: what becomes ready in the meantime
   * shares its calls, and a call costs as much as dozens of the records in it.
   */
  #queuePump(): void {
    if (this.#pumpQueued) return;
    this.#pumpQueued = true;
    const pump = () => {
      this.#pumpQueued = false;
      this.#pump();
    };
    const waitMs = this.#pumpedAtMs + TICK_MS - performance.now();
    if (waitMs > 0) setTimeout(pump, waitMs);
    else setImmediate(pump);
  }

  #pump(): void {
    this.#nowMs = performance.now();
    this.#pumpedAtMs = this.#nowMs;
    this.#sender.pump(this.#lanes, (lane) => this.#refill(lane), this.#nowMs);
  }

  /** Reads on where a lane runs dry. @returns whether more of its key lies on the disk */
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

/** Kinesis refuses the whole call for one key that is none, and the disk has no room for it in a header. */
function isKey({ length }: string): boolean {
  return length > 0 && length <= KINESIS_LIMITS.keyCharacters;
}
