import { type SessionRow, UNOWNED, wantedState } from '../../shared/session-table/session-row.ts';

/** A session that nobody has claimed for so long is taken back. */
export const CLAIM_WITHIN_MS = 5_000;
/** Who has claimed it has to be connected by then; it is asked to give it back. */
export const CONNECT_WITHIN_MS = 20_000;
/** After so long it is not waited for any more. */
export const WATCH_FOR_MS = 30_000;

/** What a runner knows of a session that it has given to a newer revision. */
export interface Move {
  readonly taskId: string;
  /** The epoch that it has given away. */
  readonly epoch: number;
  /** Since it did. */
  readonly elapsedMs: number;
  /** Is a task known to be dead? */
  readonly isExpired: (taskId: string) => boolean;
}

/**
 * - `wait`: nothing to do yet
 * - `moved`: its new owner says that media flows
 * - `take_back`: nobody has it, or nobody who lives
 * - `ask_back`: its new owner does not get connected
 * - `over`: there is nothing left to move, or to wait for
 */
export type MoveVerdict = 'wait' | 'moved' | 'take_back' | 'ask_back' | 'over';

/** What to do about a session that was given away, by what its row says now. */
export function judgeMove(row: SessionRow | undefined, move: Move): MoveVerdict {
  if (row === undefined || wantedState(row).state !== 'started') return 'over';
  const { owner, epoch = 0, connectedEpoch = 0, operatorRequest } = row;
  if (owner === undefined || owner === move.taskId) return 'over';
  if (owner === UNOWNED) {
    // Claimed and given away again: it did not work out there.
    const isGivenBack = epoch > move.epoch;
    return isGivenBack || move.elapsedMs >= CLAIM_WITHIN_MS ? 'take_back' : 'wait';
  }
  if (connectedEpoch >= epoch) return 'moved';
  if (move.isExpired(owner)) return 'take_back';
  if (move.elapsedMs >= WATCH_FOR_MS) return 'over';
  return move.elapsedMs >= CONNECT_WITHIN_MS && operatorRequest === undefined ? 'ask_back' : 'wait';
}
