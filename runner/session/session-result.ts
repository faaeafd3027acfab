import type { EndReason } from '../../rtms/events.ts';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import type {
  EndingWhy,
  EpochAccount,
  Miss,
  RecordedResult,
  SessionResult,
} from './session-inputs.ts';

/** What a session has to know to say why its stream was missed. */
export interface Unserved {
  readonly epoch: number;
  /** What made it too late to connect. */
  readonly late?: 'came_too_late' | 'no_room';
  /** There may be media of an earlier epoch all the same: `mayHaveRecords`. */
  readonly hasRecords?: true;
}

/** Why a stream that Zoom or an operator stopped before it was connected counts as missed. */
export function missByStop({ late }: Unserved, stopReason: number): Miss {
  switch (stopReason) {
    case STOP_REASON.STREAM_REVOKED:
      return { reason: 'revoked', stopReason };
    case STOP_REASON.RECEIVER_REQUEST_CLOSE:
      return { reason: 'operator_stop', stopReason };
    default:
      return { reason: late ?? 'stopped_first', stopReason };
  }
}

/**
 * Why a stream that could not be connected to counts as missed.
 *
 * @param ours what kept us from trying at all
 */
export function missByFailure(
  { late }: Unserved,
  { cause, status }: Pick<EndReason, 'cause' | 'status'>,
  ours?: 'address_refused' | 'no_credentials',
): Miss {
  const how =
    cause === 'failed' ? 'address_refused' : cause === 'refused' ? cause : 'not_connected';
  return { reason: ours ?? late ?? how, ...(status !== undefined && { status }) };
}

/** An ending, as the state of a session has it. `epoch`: only of a stream that was missed. */
interface Ending {
  readonly why: EndingWhy;
  readonly atMs: number;
  readonly epoch?: number;
}

/**
 * What becomes of the row of a session that has ended.
 *
 * An epoch is over for its row only when its last event is in Kinesis. Otherwise nobody would ever tell what is missing of it:
 * the next owner of a row that was handed over has nothing to say of the epoch before, and a row that has ended has no next owner.
 * So it stays open, as after a crash, and whoever claims it tells `owner_lost`.
 */
export function resultOf(
  ending: Ending,
  { isRecorded, account }: { readonly isRecorded: boolean; readonly account?: EpochAccount },
): SessionResult {
  const result = recordedResult(ending, account);
  if (!isRecorded) return unrecorded(result);
  return result;
}

/** @param of what the row would say if the last event were in Kinesis */
export function unrecorded(of: RecordedResult): SessionResult {
  return { kind: 'unrecorded', of, atMs: of.atMs };
}

function recordedResult(
  { why, atMs, epoch = 0 }: Ending,
  account: EpochAccount | undefined,
): RecordedResult {
  switch (why.name) {
    case 'stopped':
      return { kind: 'ended', reason: why.stopReason, atMs };
    case 'handed_over':
      return { kind: 'handed_over', cause: why.cause, atMs };
    case 'defect':
      return { kind: 'defect', atMs };
    case 'missed': {
      const { name: _, ...miss } = why;
      const missed = { ...miss, atMs, epoch, sequence: 1, ledger: [], ...account };
      return { kind: 'missed', missed, atMs };
    }
    default:
      return { kind: 'ended', reason: why.name, atMs };
  }
}
