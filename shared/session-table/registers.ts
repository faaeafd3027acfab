import type { LedgerRow, START_NOTICES } from '../record/event-data.ts';
import type { RestartPlan } from '../record/session-causes.ts';

/** What a session row keeps about one matter, as a map of its own; `restart.ts` has the one about restarts. */

/**
 * Why a run ended: Zoom's stop reason; `missed`: media never flowed in it, and the register `missed` says why; `refused`, `lost`:
 * Zoom refused a later handshake, or could not be reached, and no stop reason is known.
 */
export type EndedReason = number | 'missed' | 'refused' | 'lost';

/**
 * Where the blind time of a change of owner began. The claim of `epoch` writes it, and it goes when the `session_taken_over` of
 * that epoch is in Kinesis. An owner that dies before then leaves it to the next one, which would otherwise count from the
 * claim of an owner that has recorded nothing. It counts in its own epoch alone: a claim by an older release raises the
 * epoch and leaves it standing.
 */
export interface BlindSince {
  readonly epoch: number;
  readonly atMs: number;
  /** What the owner that received it then had received before this is written; absent where that is not known. */
  readonly wroteUntilMs?: number;
  /** Why the run ended that was received until then; absent where the same run went on. */
  readonly endedReason?: EndedReason;
}

/**
 * What `session_missed` says, fixed before it is written: whoever writes it after a crash writes the same event, with the
 * same identity, so that readers take it once.
 */
export interface MissedRegister {
  /** One of `MISS_REASONS`; a newer release may know others. */
  readonly reason: string;
  readonly atMs: number;
  /** Identity of the event. */
  readonly epoch: number;
  readonly sequence: number;
  readonly status?: number;
  readonly stopReason?: number;
  /** What follows; absent where nothing does. */
  readonly restart?: RestartPlan;
  /** What the epoch wrote before. */
  readonly ledger: readonly LedgerRow[];
}

/** What Zoom said of a start that brought no stream. The row's stream id is made up of it. */
export interface NoticeRegister {
  readonly event: keyof typeof START_NOTICES;
  readonly operatorId?: string;
  readonly numbers: Readonly<Record<string, number>>;
  /** Zoom's payload, JSON. */
  readonly raw?: string;
}
