import { type SessionRow, UNOWNED, wantedState } from '../../shared/session-table/session-row.ts';

/** A session that nobody has claimed after this long is taken back. */
export const CLAIM_WITHIN_MS = 5_000;
/** A new owner that is not connected after this long is asked to give the session back. */
export const CONNECT_WITHIN_MS = 20_000;
/** After this long nobody waits for the new owner any more. */
export const WATCH_FOR_MS = 30_000;

/** What a task knows of a session that it has given to another one. */
export interface Move {
  readonly taskId: string;
  /** The epoch in which it gave the session away. */
  readonly epoch: number;
  /** How long ago that was, ms. */
  readonly elapsedMs: number;
  /** Whether a task is known to be dead. */
  readonly isExpired: (taskId: string) => boolean;
}

/**
 * - `wait`: nothing to do yet
 * - `moved`: the new owner says that media flows
 * - `take_back`: nobody owns the session, or a dead task does
 * - `ask_back`: the new owner does not get connected
 * - `over`: there is nothing left to move, or nothing left to wait for
 */
export type MoveVerdict = 'wait' | 'moved' | 'take_back' | 'ask_back' | 'over';

/** Decides what to do about a session that was given away, by what its row says now. */
export function judgeMove(row: SessionRow | undefined, move: Move): MoveVerdict {
  if (row === undefined || wantedState(row).state !== 'started') return 'over';
  const { owner, epoch = 0, connectedEpoch = 0, operatorRequest } = row;
  if (owner === undefined || owner === move.taskId) return 'over';
  if (owner === UNOWNED) {
    // A higher epoch says that another task has claimed the session and given it back.
    const isGivenBack = epoch > move.epoch;
    return isGivenBack || move.elapsedMs >= CLAIM_WITHIN_MS ? 'take_back' : 'wait';
  }
  if (connectedEpoch >= epoch) return 'moved';
  if (move.isExpired(owner)) return 'take_back';
  if (move.elapsedMs >= WATCH_FOR_MS) return 'over';
  return move.elapsedMs >= CONNECT_WITHIN_MS && operatorRequest === undefined ? 'ask_back' : 'wait';
}
