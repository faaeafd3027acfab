import { ServiceError } from '../../../shared/errors.ts';

/**
 * What passes by itself: the service is busy or ill, or the network is. Names from the API references of GetRecords,
 * GetShardIterator and ListShards, and Node's own. Everything else is for good: waiting for a Region that nobody has
 * configured helps nobody.
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

/** Passing when the endpoint has answered before; else it is most likely the wrong one. */
const PASSING_LATER = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH']);

const ACCESS = new Set([
  'AccessDeniedException',
  'KMSAccessDeniedException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'ExpiredTokenException',
  'CredentialsProviderError',
]);

/** @param hasAnswered has any call of this reader had an answer? */
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
  const isPassing =
    names.some((name) => PASSING.has(name) || (hasAnswered && PASSING_LATER.has(name))) ||
    ($metadata?.httpStatusCode ?? 0) >= 500 ||
    $retryable !== undefined;
  const code = isPassing ? 'kinesis/read-failed' : 'kinesis/read-refused';
  return new ServiceError(code, `reading ${streamName} failed: ${why}`, options);
}

function namesOf(cause: unknown): string[] {
  if (!(cause instanceof Error)) return [];
  const { code } = cause as NodeJS.ErrnoException;
  return [cause.name, ...(typeof code === 'string' ? [code] : [])];
}
