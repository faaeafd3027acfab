import type { EndReason } from '../../rtms/events.ts';
import type { AgreedMedia, LeftOutMedia } from '../../rtms/protocol/agreed-media.ts';
import type { HandshakeCredentials } from '../../rtms/protocol/client-messages.ts';
import type { MetricName } from '../../shared/metrics.ts';
import type { HandOverCause, MissReason } from '../../shared/record/session-causes.ts';
import type { EndedReason, MissedRegister } from '../../shared/session-table/registers.ts';
import type { StartRegister } from '../../shared/session-table/session-row.ts';
import type { DefectPlace } from './guard.ts';

/** Why a session ends; decides which last event it writes and what becomes of its row. */
export type EndingWhy =
  /** The stream is over: by Zoom's stop reason, or the operator's. */
  | { readonly name: 'stopped'; readonly stopReason: number; readonly restartable: boolean }
  /** No stop reason is known. */
  | { readonly name: 'refused' | 'lost'; readonly restartable: boolean }
  /** Media never flowed in this run of the stream, and will not. */
  | ({ readonly name: 'missed' } & Miss)
  /** Another runner goes on with the stream. */
  | { readonly name: 'handed_over'; readonly cause: Exclude<HandOverCause, 'defect'> }
  /** A defect of ours: another runner may try, and the stream gets a strike. */
  | { readonly name: 'defect' };

/** Why a stream was never recorded, and what Zoom said. */
export type Miss = Pick<MissedRegister, 'status' | 'stopReason'> & { readonly reason: MissReason };

/** What an epoch had written when it ended: the number of its next line, and the rows of its ledger. */
export type EpochAccount = Pick<MissedRegister, 'sequence' | 'ledger' | 'restart'>;

/** How an epoch has ended whose last event is in Kinesis. `atMs`: when it began to leave the stream, Unix ms. */
export type RecordedResult =
  | { readonly kind: 'ended'; readonly reason: EndedReason; readonly atMs: number }
  | { readonly kind: 'handed_over'; readonly cause: HandOverCause; readonly atMs: number }
  | { readonly kind: 'missed'; readonly missed: MissedRegister; readonly atMs: number }
  | { readonly kind: 'defect'; readonly atMs: number };

/** How a session has ended, for whoever writes the row. */
export type SessionResult =
  | RecordedResult
  /** The last event is not in Kinesis, and so the row may not say that the epoch is over. `of`: what it would say. */
  | { readonly kind: 'unrecorded'; readonly of: RecordedResult; readonly atMs: number }
  /** The row is another runner's, or this task may not serve: nothing is to be written about it. */
  | { readonly kind: 'dropped' };

/** Everything that can happen to a session: what its client, its row, an operator, the task and its own steps say. */
export type SessionInput =
  /** The row is claimed. `stopReason`: Zoom has stopped the stream before that. */
  | { readonly name: 'begin'; readonly stopReason?: number }
  | { readonly name: 'credentials'; readonly credentials: HandshakeCredentials }
  /** There is no address to connect to, or nothing to sign with. */
  | { readonly name: 'cannot_connect'; readonly why: 'address_refused' | 'no_credentials' }
  /** What the client tells, in its own words; see `RtmsClientEvents`. */
  | ({ readonly name: 'joined' } & MediaFlow)
  | { readonly name: 'paused' | 'resumed' }
  | {
      readonly name: 'interrupted';
      readonly info: { readonly scope: string; readonly cause: string };
      /** Is it unknown whether the row is still this task's? */
      readonly isSuspended: boolean;
    }
  | { readonly name: 'reconnected'; readonly info: { readonly scope: string } }
  | { readonly name: 'client_ended'; readonly reason: EndReason }
  /** The row was read again after the client had ended without a stop reason. */
  | {
      readonly name: 'stop_looked_up';
      readonly reason: EndReason;
      readonly stopReason: number | undefined;
    }
  /** The row says that Zoom has stopped the stream. */
  | { readonly name: 'stop_wanted'; readonly stopReason: number }
  | { readonly name: 'operator_stop' }
  | { readonly name: 'hand_over'; readonly cause: Exclude<HandOverCause, 'defect'> }
  /** A stream that was handed to this task has not been connected in time. */
  | { readonly name: 'hand_back_due' }
  /** Zoom has started the stream again at the same addresses. */
  | { readonly name: 'started_again'; readonly start: StartRegister }
  | ReconnectWanted
  /** The right to serve is gone. `mayFinish`: not for an ending that has begun. */
  | { readonly name: 'fenced'; readonly why: string; readonly mayFinish: boolean }
  /** The session uses more than its share of the event loop, for long. */
  | { readonly name: 'overloading' }
  | { readonly name: 'defect'; readonly place: DefectPlace }
  /** All steps of the ending are done. `isRecorded`: as of `EndedEpoch`. `account`: of a stream that was missed. */
  | { readonly name: 'finished'; readonly isRecorded: boolean; readonly account?: EpochAccount }
  /** The ending, in which something broke, is not done in time. */
  | { readonly name: 'ending_overdue' };

interface MediaFlow {
  readonly media: AgreedMedia;
  readonly leftOut: readonly LeftOutMedia[];
}

type ReconnectWanted = {
  readonly name: 'reconnect_wanted';
  readonly cause: 'fail_over' | 'interrupted';
  readonly start: StartRegister;
  readonly interruptEventTsMs: number;
};

/** What the session does about an input, in this order. */
export type SessionEffect =
  /** Get credentials; then `credentials` or `cannot_connect`. */
  | { readonly do: 'get_credentials' }
  | { readonly do: 'join'; readonly credentials: HandshakeCredentials }
  /** Write `session_started`. */
  | ({ readonly do: 'write_started'; readonly atMs: number } & MediaFlow)
  | { readonly do: 'remember_start'; readonly start: StartRegister }
  | { readonly do: 'reconnect'; readonly wanted: ReconnectWanted }
  /** Look whether Zoom's stopped webhook comes; then `stop_looked_up`. */
  | { readonly do: 'look_up_stop'; readonly reason: EndReason }
  /** Ask Zoom to close the stream for everybody. */
  | { readonly do: 'close_stream' }
  /** Close the sockets, write the last event; then `finished`. */
  | { readonly do: 'end'; readonly why: EndingWhy; readonly atMs: number }
  /** Give `ending_overdue` after a while. */
  | { readonly do: 'watch_ending' }
  /** Close everything at once and write nothing more. */
  | { readonly do: 'drop'; readonly why: string }
  /** What is not written by now is lost. */
  | { readonly do: 'drop_unwritten' }
  /** Say how it ended: always the last effect of a session. */
  | { readonly do: 'tell_result'; readonly result: SessionResult }
  | { readonly do: 'count'; readonly metric: MetricName; readonly by?: string }
  | {
      readonly do: 'log';
      readonly level: 'info' | 'warn' | 'error';
      readonly text: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
