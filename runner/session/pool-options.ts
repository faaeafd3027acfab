import type { Heartbeat } from '../../shared/lease/heartbeat.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { Claim } from '../../shared/session-table/runner-writes.ts';
import type { TaskRow } from '../../shared/session-table/session-row.ts';
import type { SessionStore } from '../ownership/store.ts';
import type { Tenure } from '../ownership/tenure.ts';
import type { Load } from './admission.ts';
import type { SessionContext } from './context.ts';
import type { Session } from './session.ts';

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
  /** How long the oldest record has waited for Kinesis, ms. @default 0 */
  readonly backlogMs?: () => number;
  /**
   * What this task's heartbeat says is written, Unix ms. It stands still from when a session loses the right to write until its row says
   * so, because what is dropped then stands in no gap.
   */
  readonly wroteUntilMs?: () => number | undefined;
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
 * - `done`: somebody serves it, or there is nothing to do; the message may go
 * - `refused`: no room here; another runner should look at once
 * - `later`: look again in a moment
 */
export type OfferOutcome = 'done' | 'refused' | 'later';

/** A session of this task, from its claim until its row says how it ended. */
export interface ServedSession {
  readonly session: Session;
  readonly claim: Claim;
  readonly tenure: Tenure;
  /** How many owners in a row the stream had ended when it was claimed. */
  readonly strikes: number;
  /**
   * When the session began to leave the stream, Unix ms, what was written by then, and whether the next owner would read that in the
   * row.
   */
  left?: {
    readonly atMs: number;
    readonly wroteUntilMs?: number | undefined;
    readonly isTold: boolean;
  };
}

/** Until when this task leaves a stream to the others, by rtmsStreamId. */
export class AvoidedStreams {
  readonly #untilMs = new Map<string, number>();

  has(rtmsStreamId: string): boolean {
    return (this.#untilMs.get(rtmsStreamId) ?? 0) > performance.now();
  }

  add(rtmsStreamId: string, forMs: number): void {
    const nowMs = performance.now();
    for (const [id, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(id);
    this.#untilMs.set(rtmsStreamId, nowMs + forMs);
  }

  delete(rtmsStreamId: string): void {
    this.#untilMs.delete(rtmsStreamId);
  }
}
