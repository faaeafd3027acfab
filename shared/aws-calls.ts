/** How long one try of one AWS call may take, ms. */
export interface AwsTimeouts {
  readonly connectMs: number;
  readonly answerMs: number;
}

/**
 * Options for the SDK's HTTP handler. Without `throwOnRequestTimeout` the SDK only logs a warning when an answer is
 * late and waits on, so that a server which hangs would hang its caller.
 */
export function httpHandlerOptions({ connectMs, answerMs }: AwsTimeouts) {
  return {
    connectionTimeout: connectMs,
    requestTimeout: answerMs,
    throwOnRequestTimeout: true,
  } as const;
}

/** Names that Node and the SDK have for a server that cannot be reached or does not answer in time. */
const UNREACHABLE = /^(?:TimeoutError|AbortError|E[A-Z_]+|UND_ERR_\w+)$/;

/** Whether an error says that no server answered. */
export function isUnreachable({
  name,
  code,
}: {
  readonly name: string;
  readonly code?: unknown;
}): boolean {
  return UNREACHABLE.test(name) || UNREACHABLE.test(String(code));
}

/** Errors for which DynamoDB blames the caller although the same call may succeed later. */
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

/** Whether a conditional write of DynamoDB was refused because its condition did not hold: an answer, and no failure. */
export function isConditionRefused(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

/** May the same call of DynamoDB succeed later? Only an answer that blames the call itself says that it will not. */
export function tableErrorPasses(error: unknown): boolean {
  // Errors of the service have a `$fault`; all others are of the network, or of its time-outs.
  if (!(error instanceof Error) || !('$fault' in error)) return true;
  const { $fault, name, $metadata } = error as ServiceFault;
  const status = $metadata?.httpStatusCode ?? 500;
  return $fault === 'server' || status >= 500 || status === 429 || PASSING.has(name);
}

interface ServiceFault extends Error {
  readonly $fault: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}
