import { ServiceError } from '../../shared/errors.ts';

/** What AWS answers to a call that we made wrongly. */
const OUR_FAULT = new Set([
  'ValidationException',
  'SerializationException',
  'InvalidParameterValue',
]);

/** Node's and the SDK's names for a server that cannot be reached or does not answer in time. */
const UNREACHABLE = /^(?:TimeoutError|AbortError|E[A-Z_]+)$/;

/**
 * What a failed AWS call means: `webhook/store-failed` when AWS refused or did not answer, so that the alarm on
 * store failures is about AWS alone; anything else is a bug of ours.
 */
export function awsFailure(cause: unknown, what: string): ServiceError {
  const code = isAwsFailure(cause) ? 'webhook/store-failed' : 'webhook/defect';
  return new ServiceError(code, what, { cause });
}

function isAwsFailure(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const { name, code, $metadata } = cause as Error & { code?: unknown; $metadata?: unknown };
  if (UNREACHABLE.test(name) || UNREACHABLE.test(String(code))) return true;
  // The SDK gives this to what a service answered, and to errors of ours that it let through it does not.
  return typeof $metadata === 'object' && !OUR_FAULT.has(name);
}
