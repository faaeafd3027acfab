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

/**
 * API reference of PutRecords and "Common errors", read 2026-11-22; names not listed are `failed`. What the reference calls
 * `IncompleteSignature` comes over AWS JSON with `Exception` behind it, as that of DynamoDB lists it.
 */
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
  IncompleteSignatureException: 'blocked',
  InvalidSignatureException: 'blocked',
  InvalidClientTokenId: 'blocked',
  MissingAuthenticationTokenException: 'blocked',
  RequestExpired: 'blocked',
  UnrecognizedClientException: 'blocked',
  ValidationException: 'refused',
  InvalidArgumentException: 'refused',
  RequestEntityTooLargeException: 'refused',
  SerializationException: 'refused',
  ValidationError: 'refused',
};

/** @param name error name of a call, or `ErrorCode` of an entry of PutRecords */
export function failureOf(name: string): Failure {
  // The name comes from an answer, and may be that of something every object has, such as `constructor`.
  return (Object.hasOwn(FAILURES, name) ? FAILURES[name] : undefined) ?? 'failed';
}

/** Longer than any name of AWS. A name comes from an answer, and goes into logs. */
const MAX_NAME_LENGTH = 100;

/** The name under which `failureOf` knows a thrown error. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name.slice(0, MAX_NAME_LENGTH) : 'unknown';
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
