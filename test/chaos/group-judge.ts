import type { SunkBatch } from './group-worker.ts';

/** A worker that was hit, and the shards it read then. */
export interface Hit {
  readonly kind: 'kill' | 'freeze' | 'drain';
  readonly workerId: string;
  readonly atMs: number;
  /** By shard, the fence it held. */
  readonly held: ReadonlyMap<string, number>;
}

export interface GroupReport {
  readonly seed: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly frames: number;
  readonly batches: number;
  /** Frames that were never handed out. */
  readonly missing: number;
  /** Frames that came before an earlier one of their key. */
  readonly outOfOrder: number;
  /** Batches that came under a fence below the highest of their shard. */
  readonly late: number;
  /** Frames that came again. */
  readonly repeated: number;
  /** The most batches of one owner of a shard that its next owner repeated, whole or in part. */
  readonly repeatedPages: number;
  /**
   * Until the next owner of a shard handed out its first batch, the slowest, ms; by what hit the worker. Counted from the
   * last fault before that: a worker that is to take a shard over may be hit itself, and the table may hang.
   */
  readonly movedMs: Readonly<Record<Hit['kind'], number>>;
  /** The same, counted from the hit itself, through all faults that came on top of it. */
  readonly movedInAllMs: Readonly<Record<Hit['kind'], number>>;
  /** Shards that moved in that way. */
  readonly moves: number;
}

/** Takes every batch of a run, in the order of arrival, and judges them. */
export class GroupJudge {
  /** By key, the highest sequence number handed out. */
  readonly #highest = new Map<string, number>();
  /** By key and sequence number, in which batch it came last. */
  readonly #broughtBy = new Map<string, number>();
  readonly #fences = new Map<string, { fence: number; workerId: string }>();
  /** By shard and fence: the batches of earlier owners that were repeated. */
  readonly #repeatedPages = new Map<string, Set<number>>();
  /** By shard, when each fence was seen first. */
  readonly #began = new Map<string, Map<number, number>>();
  readonly #hits: Hit[] = [];
  /** When any fault began or ended. */
  readonly #faultsAtMs: number[] = [];
  #batches = 0;
  #late = 0;
  #outOfOrder = 0;
  #repeated = 0;

  take(batch: SunkBatch, nowMs: number): void {
    const { shardId, fence, workerId } = batch;
    const owner = this.#fences.get(shardId);
    this.#batches += 1;
    if (owner !== undefined && fence < owner.fence) {
      this.#late += 1;
      return;
    }
    this.#fences.set(shardId, { fence, workerId });
    const began = this.#began.get(shardId) ?? new Map<number, number>();
    this.#began.set(shardId, began);
    if (!began.has(fence)) began.set(fence, nowMs);
    for (const [key, sequence] of batch.frames) this.#frame(key, sequence, batch);
  }

  #frame(key: string, sequence: number, { shardId, fence }: SunkBatch): void {
    const highest = this.#highest.get(key) ?? 0;
    const id = `${key} ${sequence}`;
    if (sequence > highest + 1) this.#outOfOrder += 1;
    if (sequence > highest) this.#highest.set(key, sequence);
    else {
      this.#repeated += 1;
      const pages = this.#repeatedPages.get(`${shardId} ${fence}`) ?? new Set();
      pages.add(this.#broughtBy.get(id) ?? -1);
      this.#repeatedPages.set(`${shardId} ${fence}`, pages);
    }
    this.#broughtBy.set(id, this.#batches);
  }

  /** To be called when a fault begins or ends that keeps shards from moving. */
  fault(atMs: number): void {
    this.#faultsAtMs.push(atMs);
  }

  /** To be called when a worker is hit. */
  hit(kind: Hit['kind'], workerId: string, atMs: number): void {
    const held = new Map<string, number>();
    for (const [shardId, owner] of this.#fences) {
      if (owner.workerId === workerId) held.set(shardId, owner.fence);
    }
    this.#hits.push({ kind, workerId, atMs, held });
    this.fault(atMs);
  }

  /** @param sent by key, how many were put. @returns how many of them have not come */
  missing(sent: ReadonlyMap<string, number>): number {
    let missing = 0;
    for (const [key, count] of sent) {
      for (let sequence = 1; sequence <= count; sequence += 1) {
        if (!this.#broughtBy.has(`${key} ${sequence}`)) missing += 1;
      }
    }
    return missing;
  }

  report(
    seed: number,
    sent: ReadonlyMap<string, number>,
    faults: GroupReport['faults'],
  ): GroupReport {
    const movedMs = { kill: 0, freeze: 0, drain: 0 };
    const movedInAllMs = { ...movedMs };
    let moves = 0;
    for (const { kind, atMs, held } of this.#hits) {
      for (const [shardId, fence] of held) {
        // A shard without a later owner had ended, or its worker woke up in time and kept it.
        const next = [...(this.#began.get(shardId) ?? [])].find(([later]) => later > fence);
        if (next === undefined) continue;
        moves += 1;
        const lastMs = Math.max(...this.#faultsAtMs.filter((faultMs) => faultMs <= next[1]));
        movedMs[kind] = Math.max(movedMs[kind], next[1] - lastMs);
        movedInAllMs[kind] = Math.max(movedInAllMs[kind], next[1] - atMs);
      }
    }
    return {
      seed,
      faults,
      frames: [...sent.values()].reduce((sum, count) => sum + count, 0),
      batches: this.#batches,
      missing: this.missing(sent),
      outOfOrder: this.#outOfOrder,
      late: this.#late,
      repeated: this.#repeated,
      repeatedPages: Math.max(0, ...[...this.#repeatedPages.values()].map(({ size }) => size)),
      movedMs,
      movedInAllMs,
      moves,
    };
  }
}
