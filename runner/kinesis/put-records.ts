import type { ServiceError } from '../../shared/errors.ts';
import { errorName, type Failure, failureOf, toServiceError } from './kinesis-error.ts';
import type { PutEntry, PutRecordsClient, PutResult } from './put-client.ts';

/** What became of one entry. */
export type EntryOutcome =
  | { readonly name: 'written'; readonly shardId: string }
  /** `code` is Kinesis' own; of a call that failed as a whole, its error's name. */
  | { readonly name: Failure; readonly code: string };

/** The answer to a call: one outcome per entry, in order. */
export type PutAnswer =
  | { readonly outcomes: readonly EntryOutcome[]; readonly error?: never }
  /** The call failed as a whole; `code` is its error's name, and that of every entry. */
  | {
      readonly outcomes: readonly EntryOutcome[];
      readonly error: ServiceError;
      readonly code: string;
    };

/** Written is only what the answer says nothing else of: what it leaves open is sent again, twice rather than never. */
function outcomeOf(result: PutResult | undefined): EntryOutcome {
  const { SequenceNumber, ShardId, ErrorCode } = result ?? {};
  if (!ErrorCode && SequenceNumber && ShardId) return { name: 'written', shardId: ShardId };
  const code = ErrorCode || 'MissingResult';
  return { name: failureOf(code), code };
}

/**
 * One PutRecords call. Never rejects: a failed call is a failure of each of its entries. A call may also succeed while
 * some of its entries fail.
 */
export async function putRecords(
  client: Pick<PutRecordsClient, 'putRecords'>,
  streamName: string,
  entries: readonly PutEntry[],
  signal: AbortSignal,
): Promise<PutAnswer> {
  try {
    const results = await client.putRecords(streamName, entries, signal);
    // Kinesis answers with one result for each entry. Of any other number, nobody knows which entry a result speaks of.
    const isWhole = results.length === entries.length;
    return { outcomes: entries.map((_, index) => outcomeOf(isWhole ? results[index] : undefined)) };
  } catch (cause) {
    const code = errorName(cause);
    const outcome: EntryOutcome = { name: failureOf(code), code };
    const error = toServiceError(cause, 'PutRecords failed', streamName);
    return { outcomes: entries.map(() => outcome), error, code };
  }
}
