import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
} from '@aws-sdk/client-dynamodb';
import { ServiceError } from '../../shared/errors.ts';

/** Errors of the client's making that pass all the same. */
const PASSING: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'LimitExceededException',
  'TransactionConflictException',
  'TransactionInProgressException',
  'ReplicatedWriteConflictException',
  'ExpiredTokenException',
  'RequestTimeTooSkewed',
]);

/** A condition that did not hold is an answer (undefined); everything else is our error. */
export async function guarded<T>(send: () => Promise<T>): Promise<T | undefined> {
  try {
    return await send();
  } catch (cause) {
    if (cause instanceof ConditionalCheckFailedException) return undefined;
    const name = cause instanceof Error ? cause.name : typeof cause;
    const options = { cause, detail: { name } };
    if (passes(cause)) {
      throw new ServiceError('session/store-failed', 'the session table did not answer', options);
    }
    throw new ServiceError('session/store-refused', 'the session table refused the call', options);
  }
}

/** May the same call succeed later? Only an answer that blames the call itself says that it will not. */
function passes(error: unknown): boolean {
  if (!(error instanceof DynamoDBServiceException)) return true;
  const { $fault, name, $metadata } = error;
  const status = $metadata.httpStatusCode ?? 500;
  return $fault === 'server' || status >= 500 || status === 429 || PASSING.has(name);
}
