import { expect, test } from 'vitest';
import { ServiceError } from '../../shared/errors.ts';
import { failureOf, toServiceError } from './kinesis-error.ts';

test.each([
  ['ProvisionedThroughputExceededException', 'throttled', 'kinesis/throttled', true],
  ['KMSThrottlingException', 'throttled', 'kinesis/throttled', true],
  ['AccessDeniedException', 'blocked', 'kinesis/access-denied', false],
  ['KMSDisabledException', 'blocked', 'kinesis/access-denied', false],
  ['CredentialsProviderError', 'blocked', 'kinesis/access-denied', false],
  ['IncompleteSignatureException', 'blocked', 'kinesis/access-denied', false],
  ['RequestExpired', 'blocked', 'kinesis/access-denied', false],
  ['ResourceNotFoundException', 'blocked', 'kinesis/stream-missing', false],
  ['ValidationException', 'refused', 'kinesis/write-failed', true],
  ['RequestEntityTooLargeException', 'refused', 'kinesis/write-failed', true],
  ['constructor', 'failed', 'kinesis/write-failed', true],
  ['__proto__', 'failed', 'kinesis/write-failed', true],
  ['InternalFailure', 'failed', 'kinesis/write-failed', true],
  ['TimeoutError', 'failed', 'kinesis/write-failed', true],
  ['never heard of', 'failed', 'kinesis/write-failed', true],
] as const)('%s: %s', (name, failure, code, retryable) => {
  expect(failureOf(name)).toBe(failure);
  const cause = Object.assign(new Error('text nobody matches on'), { name });
  expect(toServiceError(cause, 'PutRecords failed', 'media')).toMatchObject({
    code,
    retryable,
    cause,
    detail: { awsError: name, stream: 'media' },
  });
});

test('a name of any length is cut', () => {
  const cause = Object.assign(new Error('no'), { name: 'x'.repeat(100_000) });
  const { detail } = toServiceError(cause, 'x', 'media');
  expect(detail?.['awsError']).toBe('x'.repeat(100));
});

test('a ServiceError is passed on as it is', () => {
  const error = new ServiceError('kinesis/stream-missing', 'no such stream');
  expect(toServiceError(error, 'x', 'media')).toBe(error);
});
