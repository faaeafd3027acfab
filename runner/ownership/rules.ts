import type { TakeoverCause } from '../../shared/record/event-data.ts';
import type { OperatorRequest } from '../../shared/session-table/operator-writes.ts';
import {
  isRevocationUntold,
  type SessionRow,
  type StartRegister,
  startOf,
  UNOWNED,
  wantedState,
} from '../../shared/session-table/session-row.ts';

export type RowVerdict =
  /** Take it, then stream; or, when Zoom has stopped or revoked it meanwhile, take it to say so. */
  | { readonly act: 'claim'; readonly cause?: TakeoverCause }
  /** Stopped before anybody served this run: nothing was written, nothing is to be ended. */
  | { readonly act: 'clear' }
  | {
      readonly act: 'none';
      readonly why: 'settled' | 'served_here' | 'served_elsewhere' | 'quarantined';
    };

/**
 * What a runner without orders does with a row it has read.
 *
 * @param here this runner: does it already care for the stream? `nowMs`: Unix ms
 * @param isExpired is the owner, another task, known to be dead?
 */
export function judgeRow(
  row: SessionRow,
  here: { readonly taskId: string; readonly hasSession: boolean; readonly nowMs: number },
  isExpired: (taskId: string) => boolean,
): RowVerdict {
  const wanted = wantedState(row);
  // Without a start nobody knows what to serve or whose end to tell.
  if (wanted.state === 'nothing' || startOf(row) === undefined) {
    return { act: 'none', why: 'settled' };
  }
  const { owner } = row;
  if (here.hasSession) return { act: 'none', why: 'served_here' };
  const mineWithoutSession = owner === here.taskId;
  if (owner !== undefined && owner !== UNOWNED && !mineWithoutSession && !isExpired(owner)) {
    return { act: 'none', why: 'served_elsewhere' };
  }
  if (isQuarantined(row, here.nowMs)) return { act: 'none', why: 'quarantined' };
  const cause = takeoverCause(row);
  if (wanted.state === 'started')
    return cause === undefined ? { act: 'claim' } : { act: 'claim', cause };
  if (isRevocationUntold(row)) return { act: 'claim', cause: 'restarted' };
  if (owner === undefined) return { act: 'none', why: 'settled' };
  return cause === undefined || cause === 'restarted' ? { act: 'clear' } : { act: 'claim', cause };
}

/** A stream that has ended so many owners in a row is quarantined. */
export const MAX_STRIKES = 2;
/** For so long nobody claims it. */
export const QUARANTINE_MS = 600_000;
/**
 * An owner whose last heartbeat is not at least so much later than its claim has died of that claim, as far as
 * anybody can tell. One that lived for another heartbeat (every 3 s) is not suspected: owners are killed for
 * other reasons too, and a meeting must not be left alone because it was there twice.
 */
const SUSPICIOUS_LIFE_MS = 3_000;

/** Has a stream ended so many owners that nobody is to claim it for a while? */
export function isQuarantined({ quarantinedUntilMs = 0 }: SessionRow, nowMs: number): boolean {
  return quarantinedUntilMs > nowMs;
}

/**
 * How many owners in a row a stream has ended, counting the one that is found dead now.
 *
 * @param renewedAtMs the dead owner's last heartbeat, by its own clock as `claimedAtMs` is; undefined: not known
 */
export function strikesAfterDeath(row: SessionRow, renewedAtMs: number | undefined): number {
  const { strikes = 0, claimedAtMs } = row;
  if (renewedAtMs === undefined || claimedAtMs === undefined) return strikes;
  return renewedAtMs - claimedAtMs < SUSPICIOUS_LIFE_MS ? strikes + 1 : 0;
}

/** Why the next epoch of a row is not its first; undefined for the first. */
export function takeoverCause(row: SessionRow): TakeoverCause | undefined {
  if ((row.epoch ?? 0) === 0) return undefined;
  if (row.endedReason !== undefined) return 'restarted';
  return row.handedOverBy === undefined ? 'owner_lost' : 'handed_over';
}

/** What a session knows of itself when its row is looked at. */
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
  /** Somebody else owns the stream: close and write nothing more. */
  | { readonly act: 'drop' }
  | { readonly act: 'end'; readonly stopReason: number }
  | {
      readonly act: 'reconnect';
      readonly cause: 'fail_over' | 'interrupted';
      readonly start: StartRegister;
      readonly interruptEventTsMs: number;
    }
  /** A newer start at the same addresses: nothing to do but to remember it. */
  | { readonly act: 'adopt'; readonly start: StartRegister }
  | { readonly act: 'operator'; readonly request: OperatorRequest };

/**
 * What the owner of a row does about what the row says now.
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
  // Zoom may name two sets of addresses at one instant; the row holds the one that won.
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
