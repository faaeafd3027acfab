import { judgeMove } from '../../runner/ownership/move-rules.ts';
import { judgeRow, judgeSession } from '../../runner/ownership/rules.ts';
import { admit } from '../../runner/session/admission.ts';
import { holds, leaseAt, renewed } from '../../shared/lease/lease.ts';
import { isExpired, observe } from '../../shared/lease/sightings.ts';
import {
  writeClaim,
  writeOffered,
  writeProof,
  writeRelease,
} from '../../shared/session-table/runner-writes.ts';

/**
 * The shipped rules that the model follows, each the very function that runners call. Tests break one of them at a time, to
 * show that the search would find it.
 */
export interface ModelRules {
  readonly judgeRow: typeof judgeRow;
  readonly judgeSession: typeof judgeSession;
  readonly judgeMove: typeof judgeMove;
  readonly admit: typeof admit;
  readonly isExpired: typeof isExpired;
  readonly observe: typeof observe;
  readonly leaseAt: typeof leaseAt;
  readonly renewed: typeof renewed;
  /** May what was claimed or proved in a term be served under this lease? */
  readonly mayServe: typeof holds;
  readonly writeClaim: typeof writeClaim;
  readonly writeOffered: typeof writeOffered;
  readonly writeProof: typeof writeProof;
  readonly writeRelease: typeof writeRelease;
  /** Is the heartbeat of a dead owner read again after its row was read (`OrphanWatch.confirmDeath`)? */
  readonly confirmsDeath: boolean;
  /** Has a suspended session to prove its row before it writes again (`Tenure`, `RowProofs`)? */
  readonly provesRows: boolean;
  /** Does a task offer a row again that it owns, does not serve and has no room for (`RowClaims`)? */
  readonly offersAgain: boolean;
}

export const SHIPPED_RULES: ModelRules = {
  judgeRow,
  judgeSession,
  judgeMove,
  admit,
  isExpired,
  observe,
  leaseAt,
  renewed,
  mayServe: holds,
  writeClaim,
  writeOffered,
  writeProof,
  writeRelease,
  confirmsDeath: true,
  provesRows: true,
  offersAgain: true,
};
