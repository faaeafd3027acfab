import type { MissReason, TakeoverCause } from '../../shared/record/session-causes.ts';
import { missReasonOf } from '../../shared/session-table/missed.ts';
import type { OperatorRequest } from '../../shared/session-table/operator-writes.ts';
import {
  hasFlowed,
  isNewRun,
  isRevocationUntold,
  isUnowned,
  mayHaveRecords,
  RESTARTS,
  type SessionRow,
  type StartRegister,
  startOf,
  wantedState,
} from '../../shared/session-table/session-row.ts';

/**
 * The rules of ownership: which task serves a stream, and what a task does about a row that it has read.
 *
 * # The problem
 *
 * Zoom allows one connection per stream, and no frame may be written by two tasks. Tasks are killed, freeze and go on
 * where they stood, or lose the network, and say nothing of it. They agree through one table, which may be slow or away.
 * A stream must find its next owner within the 60 s for which Zoom keeps audio.
 *
 * # How a stream changes hands
 *
 * ```text
 *  row      UNOWNED │ owner A, epoch 1                        │ owner B, epoch 2          │ no owner
 *  task A           claims ─── beat ─── beat ─── beat ╳ dies  │                           │
 *                              every 3 s         │            │                           │
 *  lease                                         ├── 7 s ──┤  A would not write any more  │
 *  expiry                                        ├── 10 s ────┤                           │
 *  task B                                                     claims ─── beat ─── beat ─── ends
 * ```
 *
 * # The rules
 *
 * 1. A row has one owner and one epoch. A claim changes both in one conditional write (`session-table/conditions.ts`),
 *    so one of many claimers wins, and every record says under which epoch it was written.
 * 2. A task writes only while its lease holds (`shared/lease`), and others call it dead only later (`tenure.ts`). Each side
 *    measures on its own clock what it has seen itself; no two clocks are compared.
 * 3. What was claimed in one term of the lease is not served in the next. After a lapse a session keeps what comes in and
 *    writes nothing, until a write has proved that the row is still its task's (`tenure.ts`).
 * 4. Before a claim from a dead owner that owner's heartbeat is read once more, after the row (`orphans.ts`).
 * 5. Live tasks with room stand in a line that differs from stream to stream, and claim one second after each other
 *    (`placement.ts`).
 * 6. Nothing depends on a message. Every owner reads its rows every 2 s and acts on what they say (`reconcile.ts`); a row
 *    that nobody owns is found by the line.
 * 7. Zoom's newest event wins, whatever order it comes in; a stop of the run that is served ends it even when a newer run
 *    has been started since.
 * 8. A stream that has ended two owners in a row is left alone for ten minutes, so that a defect which one stream brings
 *    out does not end the fleet.
 *
 * `test/takeover-model/` searches every order of the steps of some tasks for a state in which two write one stream, and for
 * schedules in which a stream waits for ever (docs/simulation.md).
 *
 * # What was tried, and why it failed
 *
 * The model still tries the first three and finds two writers for each.
 *
 * - A claim that is served in whatever term its answer comes: another task has claimed the row in the lapse between.
 * - A proof that only reads the row: a task that read it before the proof can still claim it afterwards.
 * - A death that is believed once and for all: the dead task has recovered and proved its row since.
 * - Ending every session when the heartbeat lapses: 30 s without the table ended every meeting of every task.
 * - One register for Zoom's events in the row: a start that came after its stop revived the stream
 *   (docs/adr/0001-three-registers-in-the-session-row.md).
 *
 * The reasons are told at length in docs/adr/0009-lease-against-expiry.md and
 * docs/adr/0005-owners-hold-while-the-table-is-away.md.
 */

export type RowVerdict =
  /** Claim it and stream; or, when Zoom has stopped or revoked it meanwhile, claim it to write that into the records. */
  | { readonly act: 'claim'; readonly cause?: TakeoverCause }
  /** Nobody has served the run, and nobody can any more: the row says so, and then the records do. */
  | { readonly act: 'miss'; readonly reason: MissReason }
  /** The row says that a stream was missed, and the records do not yet. */
  | { readonly act: 'tell' }
  | {
      readonly act: 'none';
      readonly why: 'nothing_to_do' | 'served_here' | 'served_elsewhere' | 'quarantined';
    };

/**
 * What a task does about a row that it has read and does not serve.
 *
 * @param here this task; `hasSession`: does it serve the stream already? `nowMs`: Unix ms
 * @param isExpired whether another task, the owner, is known to be dead
 */
export function judgeRow(
  row: SessionRow,
  here: { readonly taskId: string; readonly hasSession: boolean; readonly nowMs: number },
  isExpired: (taskId: string) => boolean,
): RowVerdict {
  const wanted = wantedState(row);
  const isUntold = row.untold === true;
  // Without a start nobody knows what to serve, or whose end to record.
  if ((wanted.state === 'nothing' && !isUntold) || startOf(row) === undefined) {
    return { act: 'none', why: 'nothing_to_do' };
  }
  const { owner } = row;
  if (here.hasSession) return { act: 'none', why: 'served_here' };
  const mineWithoutSession = owner === here.taskId;
  if (owner !== undefined && !isUnowned(row) && !mineWithoutSession && !isExpired(owner)) {
    return { act: 'none', why: 'served_elsewhere' };
  }
  if (isUntold) return { act: 'tell' };
  if (isQuarantined(row, here.nowMs)) return { act: 'none', why: 'quarantined' };
  const cause = takeoverCause(row);
  const reason = missReasonOf(row);
  const isUnserved = isNewRun(row) || !hasFlowed(row);
  const hasToBeRevoked = reason === 'revoked' && mayHaveRecords(row, cause);
  if (reason !== undefined && isUnserved && owner !== undefined && !hasToBeRevoked) {
    return { act: 'miss', reason };
  }
  if (wanted.state === 'started')
    return cause === undefined ? { act: 'claim' } : { act: 'claim', cause };
  if (isRevocationUntold(row)) return { act: 'claim', cause: 'restarted' };
  if (owner === undefined || owner === RESTARTS) return { act: 'none', why: 'nothing_to_do' };
  return cause === undefined ? { act: 'claim' } : { act: 'claim', cause };
}

/** Does a row need a task with room? What only has to be written does not. */
export function needsRoom(row: SessionRow): boolean {
  return row.untold !== true && missReasonOf(row) === undefined;
}

/** A stream that has ended this many owners in a row is quarantined. */
export const MAX_STRIKES = 2;
/** Nobody claims a quarantined stream for this long. */
export const QUARANTINE_MS = 600_000;
/**
 * An owner that died within this time after its claim is taken to have died of the stream. One that lived for another
 * heartbeat (every 3 s) is not: owners are killed for other reasons too, and a meeting must not be left alone because it
 * was there twice.
 */
const SUSPICIOUS_LIFE_MS = 3_000;

/** @returns whether a stream has ended so many owners that nobody may claim it now */
export function isQuarantined({ quarantinedUntilMs = 0 }: SessionRow, nowMs: number): boolean {
  return quarantinedUntilMs > nowMs;
}

/**
 * How many owners in a row a stream has ended, including the one that is found dead now.
 *
 * @param aliveAtMs the dead owner's last heartbeat, by its own clock as `claimedAtMs` is; undefined when that is not known
 */
export function strikesAfterDeath(row: SessionRow, aliveAtMs: number | undefined): number {
  const { strikes = 0, claimedAtMs } = row;
  if (aliveAtMs === undefined || claimedAtMs === undefined) return strikes;
  return aliveAtMs - claimedAtMs < SUSPICIOUS_LIFE_MS ? strikes + 1 : 0;
}

/** Why the next epoch of a row is not its first; undefined for the first. */
function takeoverCause(row: SessionRow): TakeoverCause | undefined {
  if ((row.epoch ?? 0) === 0) return undefined;
  if (row.endedReason !== undefined) return 'restarted';
  return row.handedOverBy === undefined ? 'owner_lost' : 'handed_over';
}

/** What a session knows of itself, to be compared with its row. */
export interface SessionView {
  readonly taskId: string;
  readonly epoch: number;
  /** `startEventTsMs` of the newest start this session has followed. */
  readonly startEventTsMs: number;
  readonly serverUrls: readonly string[];
  /** The newest interruption this session has acted upon; 0 for none. */
  readonly handledInterruptTsMs: number;
  /** When the last signaling handshake succeeded, Unix ms; 0 before the first. */
  readonly lastHandshakeAtMs: number;
}

export type SessionVerdict =
  | { readonly act: 'keep' }
  /** Another task owns the stream: the session closes and writes nothing more. */
  | { readonly act: 'drop' }
  | { readonly act: 'end'; readonly stopReason: number }
  | {
      readonly act: 'reconnect';
      readonly cause: 'fail_over' | 'interrupted';
      readonly start: StartRegister;
      readonly interruptEventTsMs: number;
    }
  /** A newer start at the same addresses: the session goes on, as the run of that start. */
  | { readonly act: 'adopt'; readonly start: StartRegister }
  | { readonly act: 'operator'; readonly request: OperatorRequest };

/**
 * What a session does about what its row says now.
 *
 * @param row read from the table; undefined when it is gone
 */
export function judgeSession(session: SessionView, row: SessionRow | undefined): SessionVerdict {
  if (row?.owner !== session.taskId || row.epoch !== session.epoch) return { act: 'drop' };
  const { stopEventTsMs, stopReason = 0, operatorRequest } = row;
  // A stop of the run being served ends it even when a newer run has been started since.
  if (stopEventTsMs !== undefined && stopEventTsMs >= session.startEventTsMs) {
    return { act: 'end', stopReason };
  }
  if (operatorRequest !== undefined) return { act: 'operator', request: operatorRequest };
  const wanted = wantedState(row);
  if (wanted.state !== 'started') return { act: 'keep' };
  const { start, interruptedAtMs = 0 } = wanted;
  // `>=`, because Zoom may send two starts of one instant with different addresses, and the row holds the one that won.
  if (
    start.startEventTsMs >= session.startEventTsMs &&
    !sameAddresses(start.serverUrls, session.serverUrls)
  ) {
    const interruptEventTsMs = Math.max(interruptedAtMs, session.handledInterruptTsMs);
    return { act: 'reconnect', cause: 'fail_over', start, interruptEventTsMs };
  }
  if (start.startEventTsMs > session.startEventTsMs) return { act: 'adopt', start };
  const isNews =
    interruptedAtMs > session.handledInterruptTsMs && interruptedAtMs > session.lastHandshakeAtMs;
  return isNews
    ? { act: 'reconnect', cause: 'interrupted', start, interruptEventTsMs: interruptedAtMs }
    : { act: 'keep' };
}

function sameAddresses(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((url, index) => url === right[index]);
}
