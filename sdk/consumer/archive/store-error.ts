import { ServiceError } from '../../../shared/errors.ts';

/** Errors of S3, by name, that say that the same call will fail again: they are about rights, names or the request itself. */
const REFUSALS: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
  'EntityTooLarge',
  'InvalidAccessKeyId',
  'InvalidBucketName',
  'InvalidObjectState',
  'InvalidRequest',
  'KMS.DisabledException',
  'KMS.NotFoundException',
  'MethodNotAllowed',
  'NoSuchBucket',
  'NoSuchKey',
  'PermanentRedirect',
  'PreconditionFailed',
  'SignatureDoesNotMatch',
]);

/** SDKs give an answer without a body, as to HEAD, a name of its own or none. */
const NAME_OF_STATUS: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  403: 'AccessDenied',
  404: 'NoSuchKey',
  412: 'PreconditionFailed',
  409: 'ConditionalRequestConflict',
};

/** What S3's word does not say. */
const HINTS: Readonly<Record<string, string>> = {
  InvalidObjectState: ' (it is in an archive class of S3: restore it first)',
  PermanentRedirect: ' (the bucket is in another Region)',
};

/**
 * What a failed call of S3 says about its repetition. Only an answer that blames the call is final; no answer at all, a busy
 * or a broken service may pass.
 *
 * @returns ServiceError `archive/store-failed` or `archive/store-refused`, its `detail.name` the name that S3 gave it
 */
export function toStoreError(cause: unknown, bucket: string, key: string): ServiceError {
  const name = nameOf(cause);
  const isFinal = REFUSALS.has(name);
  const code = isFinal ? 'archive/store-refused' : 'archive/store-failed';
  const where = key === '' ? bucket : `${bucket}/${key}`;
  const hint = HINTS[name] ?? '';
  const message = `S3 ${where}: ${name}${hint}`;
  return new ServiceError(code, message, { cause, detail: { bucket, key, name } });
}

function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause;
  const { name, $metadata } = cause as Error & { $metadata?: { httpStatusCode?: number } };
  if (name !== 'Error' && name !== 'Unknown' && name !== 'UnknownError' && name !== 'NotFound')
    return name;
  const { code } = cause as NodeJS.ErrnoException;
  const { httpStatusCode: status } = $metadata ?? {};
  if (status === undefined) return code ?? name;
  return NAME_OF_STATUS[status] ?? code ?? `HTTP ${status}`;
}
