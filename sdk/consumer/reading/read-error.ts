import { ServiceError } from '../../../shared/errors.ts';

/**
 * Errors that pass by themselves: the service or the network is busy or broken. The names are from the API references of
 * GetRecords, GetShardIterator and ListShards, and Node's own. All other errors last, and end the reading at once: to
 * wait for a Region that is not configured helps nobody.
 */
const PASSING = new Set([
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'KMSThrottlingException',
  'ThrottlingException',
  'InternalFailure',
  'InternalFailureException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'ExpiredIteratorException',
  'TimeoutError',
  'RequestTimeout',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
]);

/** Errors that pass only when the endpoint has answered before. Otherwise it is most likely the wrong endpoint. */
const PASSING_LATER = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH']);

const ACCESS = new Set([
  'AccessDeniedException',
  'KMSAccessDeniedException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'ExpiredTokenException',
  'CredentialsProviderError',
]);

/** Records that Kinesis has dropped before they were read. */
export interface Trimmed {
  readonly shardId: string;
  /** Sequence number of the record read last. */
  readonly position: string;
  /** When the oldest record arrived that is still there; absent where the shard has none. What is lost arrived before. */
  readonly resumesAt?: Date;
}

/**
 * Says what a failed call means for the reader.
 *
 * @param cause what the AWS client threw
 * @param hasAnswered whether any call of this reader had an answer
 * @returns `kinesis/stream-missing`, `kinesis/access-denied` or `kinesis/read-refused`, which last, or the retryable
 *   `kinesis/read-failed`
 */
export function toReadError(
  cause: unknown,
  streamName: string,
  hasAnswered: boolean,
): ServiceError {
  const names = namesOf(cause);
  const options = { cause, detail: { streamName, name: names[0] ?? 'unknown' } };
  const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  if (names.includes('ResourceNotFoundException')) {
    return new ServiceError('kinesis/stream-missing', `no such stream or shard: ${why}`, options);
  }
  if (names.some((name) => ACCESS.has(name))) {
    return new ServiceError('kinesis/access-denied', `may not read ${streamName}: ${why}`, options);
  }
  const { $metadata, $retryable } = (cause ?? {}) as {
    $metadata?: { httpStatusCode?: number };
    $retryable?: object;
  };
  // The SDK sent the call and has no answer to it. HTTP/2 has many errors of this kind, some of them without a code.
  const isUnanswered = $metadata !== undefined && $metadata.httpStatusCode === undefined;
  const isPassing =
    names.some((name) => PASSING.has(name) || (hasAnswered && PASSING_LATER.has(name))) ||
    ($metadata?.httpStatusCode ?? 0) >= 500 ||
    $retryable !== undefined ||
    (hasAnswered && isUnanswered);
  const code = isPassing ? 'kinesis/read-failed' : 'kinesis/read-refused';
  return new ServiceError(code, `reading ${streamName} failed: ${why}`, options);
}

function namesOf(cause: unknown): string[] {
  if (!(cause instanceof Error)) return [];
  const { code } = cause as NodeJS.ErrnoException;
  return [cause.name, ...(typeof code === 'string' ? [code] : [])];
}
