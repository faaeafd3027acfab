import { type ErrorCode, ServiceError } from '../../shared/errors.ts';

/**
 * What a failed call or entry means for its records.
 *
 * - `throttled`: too much at once; sent again later
 * - `failed`: sent again; a call that timed out may have been carried out
 * - `blocked`: sent again, because an operator can repair rights, keys and streams while records wait
 * - `refused`: Kinesis will never take this request
 */
export type Failure = 'throttled' | 'failed' | 'blocked' | 'refused';

/** API reference of PutRecords and "Common errors", read 2026-11-22; names not listed are `failed`. */
const FAILURES: Readonly<Record<string, Failure>> = {
  ProvisionedThroughputExceededException: 'throttled',
  LimitExceededException: 'throttled',
  KMSThrottlingException: 'throttled',
  ThrottlingException: 'throttled',
  TooManyRequestsException: 'throttled',
  AccessDeniedException: 'blocked',
  ResourceNotFoundException: 'blocked',
  KMSAccessDeniedException: 'blocked',
  KMSDisabledException: 'blocked',
  KMSInvalidStateException: 'blocked',
  KMSNotFoundException: 'blocked',
  KMSOptInRequired: 'blocked',
  NotAuthorized: 'blocked',
  OptInRequired: 'blocked',
  CredentialsProviderError: 'blocked',
  ExpiredTokenException: 'blocked',
  IncompleteSignature: 'blocked',
  InvalidSignatureException: 'blocked',
  UnrecognizedClientException: 'blocked',
  ValidationException: 'refused',
  InvalidArgumentException: 'refused',
  SerializationException: 'refused',
};

/** @param name error name of a call, or `ErrorCode` of an entry of PutRecords */
export function failureOf(name: string): Failure {
  return FAILURES[name] ?? 'failed';
}

/** The name under which `failureOf` knows a thrown error. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

/** An error of the SDK or of Node as a ServiceError. `detail.awsError` has the original name. */
export function toServiceError(error: unknown, what: string, streamName: string): ServiceError {
  if (error instanceof ServiceError) return error;
  const awsError = errorName(error);
  return new ServiceError(codeOf(awsError), what, {
    cause: error,
    detail: { awsError, stream: streamName },
  });
}

function codeOf(awsError: string): ErrorCode {
  if (awsError === 'ResourceNotFoundException') return 'kinesis/stream-missing';
  switch (failureOf(awsError)) {
    case 'throttled':
      return 'kinesis/throttled';
    case 'blocked':
      return 'kinesis/access-denied';
    case 'failed':
    case 'refused':
      return 'kinesis/write-failed';
  }
}
