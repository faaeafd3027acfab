import { ServiceError } from '../../shared/errors.ts';

/** One entry of a PutRecords call. */
export interface PutEntry {
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/** `PutRecordsResultEntry` of the API reference: what Kinesis answers of one entry. */
export interface PutResult {
  readonly SequenceNumber?: string | undefined;
  readonly ShardId?: string | undefined;
  readonly ErrorCode?: string | undefined;
}

/** Most PutRecords calls that one client makes at once, each over a connection of its own. */
export const MAX_CALLS = 16;

/** The connections of one client to Kinesis. */
export const PUT_CONNECTIONS = {
  /** Those of its calls, and two of calls that were aborted and are not closed yet. */
  most: MAX_CALLS + 2,
  connectMs: 2_000,
  /** Kinesis closes idle connections after about a minute. A call sent at that moment would fail, so ours close earlier. */
  idleMs: 30_000,
} as const;

/** Makes PutRecords calls, and nothing else. Used by one producer alone. */
export interface PutRecordsClient {
  /**
   * Makes one call, once: repeating it is the producer's, which knows the failed entries and their order.
   *
   * @returns the results of the answer, in its order; it may have too few or too many
   * @throws Error whose `name` is Kinesis' own name of the error, or the SDK's for what never came to an answer; see
   *   `failureOf`. ServiceError `session/not-owner` when the fence refuses the call
   */
  putRecords(
    streamName: string,
    entries: readonly PutEntry[],
    signal: AbortSignal,
  ): Promise<readonly PutResult[]>;
  /**
   * Refuses calls while this task may not serve. A process that was frozen goes on where it stood, and without this check
   * its buffers would leave before any timer has noticed how late it is.
   *
   * Asked twice a call: at its beginning, so that nothing is encoded in vain, and after the signature, right before the
   * bytes go to the socket. A process that is frozen in between would otherwise send, when it goes on, a call that was
   * allowed before. Both have to have the same term: while a call waits for its connection, the heartbeat may have come
   * back, and sessions whose records are in the call may have been lost to other tasks meanwhile. The deadline of the call
   * does not rule that out:
   *
   * ```text
   * 0 s      last renewal of this task
   * 6.9 s    a call begins, and waits for its connection
   * 7 s      the lease lapses
   * 10.5 s   another task has claimed the sessions
   * 11 s     a renewal reaches the table: another term, and the proofs are refused
   * 11.8 s   the connection is there, 0.1 s before the deadline of the call
   * ```
   *
   * What a socket has taken already cannot be called back; readers refuse it by its epoch.
   *
   * @param writeTerm in which term of its lease this task may write now; undefined: it may not. It may end sessions and
   *   drop what they have buffered
   */
  fence(writeTerm: () => number | undefined): void;
  destroy(): void;
}

/** What a call ends with while this task may not serve. */
export function notOwner(): ServiceError {
  return new ServiceError('session/not-owner', 'this task may not write now');
}
