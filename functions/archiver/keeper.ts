import type { KinesisClient } from '@aws-sdk/client-kinesis';
import * as kinesis from '@aws-sdk/client-kinesis';
import { sweepSession } from '../../sdk/consumer/archive/deletion.ts';
import { deletionKey } from '../../sdk/consumer/archive/layout.ts';
import type { FinalisedBecause } from '../../sdk/consumer/archive/manifest.ts';
import { ShardReader } from '../../sdk/consumer/reading/shard-reader.ts';
import { type FinaliserOptions, finaliseSession } from './finaliser.ts';
import { type Duty, dueOf, isSweptForGood } from './session-duty.ts';
import type { ArchiveRows, OpenRow, StreamKind } from './session-rows.ts';

/** Sessions that one worker finalises at a time. Each has an object of up to some ten MB in memory, four times. */
const AT_ONCE = 2;
/** A worker that finalises a session raises its beat this often; one that has not for four times as long is dead. */
const BEAT_MS = 15_000;
const DEAD_MS = 60_000;

export interface KeeperOptions extends FinaliserOptions {
  readonly rows: ArchiveRows;
  readonly kinesis: KinesisClient;
  /** Called for each session that has ended or is revoked, at every look: what is gathered of it is written now. */
  readonly onOver: (row: OpenRow) => void;
}

/**
 * Looks after the sessions that are not finalised: finalises those that have ended or fallen silent, once everything that
 * arrived of them is in S3, and deletes those whose consent was taken back. Every worker of the archive does this; a beat in
 * the row keeps two of them from doing the same.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #busy = new Map<string, Promise<void>>();
  /** Beats of others, and since when they stand still by our own clock. */
  readonly #beats = new Map<string, { readonly beat: number; readonly sinceMs: number }>();
  #revoked: ReadonlySet<string> = new Set();
  /** What the last look found to be done and nobody has begun. */
  #due: { readonly row: OpenRow; readonly duty: Duty }[] = [];

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  readonly isRevoked = (rtmsStreamId: string): boolean => this.#revoked.has(rtmsStreamId);

  /** Resolves when what is being done is done. Nothing further is begun. */
  async idle(): Promise<void> {
    this.#due = [];
    await Promise.all(this.#busy.values());
  }

  /** @throws ServiceError `group/*`, `kinesis/*` */
  async look(signal: AbortSignal): Promise<void> {
    const { rows, onOver, config } = this.#options;
    const all = await rows.all();
    this.#revoked = new Set(
      all.filter((row) => row.revokedAtMs !== undefined).map((row) => row.rtmsStreamId),
    );
    for (const row of all)
      if (row.endedAtMs !== undefined || row.revokedAtMs !== undefined) onOver(row);
    for (const id of this.#beats.keys())
      if (!all.some((row) => row.rtmsStreamId === id)) this.#beats.delete(id);
    const due = all.flatMap((row) => {
      const duty = dueOf(row, Date.now(), config.idleMs);
      return duty === undefined || !this.#isFree(row) ? [] : [{ row, duty }];
    });
    this.#due = [];
    if (due.length === 0) return;
    const through = await this.#durableThrough(signal);
    this.#due = due.filter(({ duty }) =>
      Object.entries(duty.after).every(([kind, ms]) => through[kind as StreamKind] >= ms),
    );
    this.#startDue();
  }

  /** Begins what is due, and goes on with the next when something is done: meetings end many at a time, at the full hour. */
  #startDue(): void {
    while (this.#busy.size < AT_ONCE) {
      const next = this.#due.shift();
      if (next === undefined) return;
      const { row, duty } = next;
      const { rtmsStreamId } = row;
      if (this.#busy.has(rtmsStreamId)) continue;
      const work = () =>
        duty.kind === 'sweep' ? this.#sweep(row) : this.#finalise(row, duty.because);
      const done = this.#claimed(row, work).finally(() => {
        this.#busy.delete(rtmsStreamId);
        this.#startDue();
      });
      this.#busy.set(rtmsStreamId, done);
    }
  }

  /** Deletes what there is of a revoked session, and writes down what was deleted. */
  readonly sweep = async (row: OpenRow): Promise<void> => {
    const { config, store, logger, metrics } = this.#options;
    const { rtmsStreamId, eventId, revokedAtMs } = row;
    const record = await sweepSession(store, {
      prefix: config.prefix,
      rtmsStreamId,
      deletes: config.deletesRevoked,
      bypassGovernance: config.bypassGovernance,
      eventId,
      revokedAtMs,
      nowMs: Date.now(),
    });
    const fields = {
      event: 'recording_deleted',
      rtmsStreamId,
      deleted: record.deleted.length,
      left: record.left,
      sweeps: record.sweeps,
    };
    metrics.count('ArchiveDeletionsLeft', config.deletesRevoked ? record.left : 0);
    if (record.left === 0) logger.info('a revoked recording is deleted', fields);
    else logger.error('a revoked recording is still there in part', fields);
  };

  async #sweep(row: OpenRow): Promise<void> {
    const { rows } = this.#options;
    await this.sweep(row);
    const swept = await rows.swept(row);
    if (isSweptForGood(swept)) await rows.remove(swept);
  }

  async #finalise(row: OpenRow, because: FinalisedBecause): Promise<void> {
    const { rows, store, config } = this.#options;
    const { rtmsStreamId } = row;
    let isUnchanged = false;
    try {
      const made = await finaliseSession(this.#options, rtmsStreamId, because);
      if (made === 'revoked') await rows.revoked(rtmsStreamId, undefined);
      // When it fails, something was written meanwhile, or the consent was taken back: the next look sees it.
      else isUnchanged = await rows.remove(row);
    } finally {
      // A worker that was frozen in here may write after the last sweep of others, when there is no row any more.
      if (
        !isUnchanged &&
        (await store.etag(deletionKey(config.prefix, rtmsStreamId))) !== undefined
      )
        await this.sweep(row);
    }
  }

  #isFree({ rtmsStreamId, beat }: OpenRow): boolean {
    if (beat === 0) return true;
    const seen = this.#beats.get(rtmsStreamId);
    if (seen?.beat === beat) return performance.now() - seen.sinceMs >= DEAD_MS;
    this.#beats.set(rtmsStreamId, { beat, sinceMs: performance.now() });
    return false;
  }

  async #claimed(row: OpenRow, work: () => Promise<void>): Promise<void> {
    const { rows, logger } = this.#options;
    let { beat } = row;
    const raise = async () => {
      if (await rows.claim({ ...row, beat })) beat += 1;
    };
    try {
      if (!(await rows.claim(row))) return;
      beat += 1;
      const beating = setInterval(() => void raise().catch(() => undefined), BEAT_MS);
      try {
        await work();
      } finally {
        clearInterval(beating);
        await rows.unclaim(row.rtmsStreamId);
      }
    } catch (error) {
      logger.error('a session of the archive is not finalised yet', {
        event: 'archive_finalise_failed',
        rtmsStreamId: row.rtmsStreamId,
        error,
      });
    }
  }

  /** Up to when everything that arrived in all shards of a stream is in S3, Unix ms. */
  async #durableThrough(signal: AbortSignal): Promise<Readonly<Record<StreamKind, number>>> {
    const { rows, config, kinesis: client } = this.#options;
    const progress = await rows.progress();
    const of = async (kind: StreamKind, streamName: string) => {
      const settings = { pollMs: 0, stopAtTip: true };
      const reader = new ShardReader(kinesis, client, streamName, settings, signal);
      // A shard that is closed is in S3 when its children are read: the group reads them only then.
      const open = (await reader.list()).filter(({ isClosed }) => !isClosed);
      const known = open.map(({ shardId }) => progress.get(`${kind}#${shardId}`) ?? 0);
      return known.reduce((least, ms) => Math.min(least, ms), Number.POSITIVE_INFINITY);
    };
    const [media, events] = await Promise.all([
      of('media', config.mediaStream),
      of('events', config.eventsStream),
    ]);
    return { media, events };
  }
}
