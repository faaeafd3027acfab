import { ServiceError } from '../../shared/errors.ts';

const NO_CREDENTIALS = /^(?:CredentialsProviderError)$/;
const NOT_ALLOWED = /AccessDenied|NotAuthorized/;
const EXPIRED = /^(?:ExpiredToken(?:Exception)?|RequestExpired)$/;
/** The words in which AWS names the right that is missing. */
const ACTION = /not authorized to perform: ([\w-]+:\w+)/;

/**
 * Says in a sentence why something cannot be read, and what helps.
 *
 * @param whom for example `session table rtms-sessions`
 * @param action the IAM action that was needed, where AWS does not name it itself
 */
export function wordsOf(error: unknown, whom: string, action: string): string {
  const causes = [...chainOf(error)];
  const names = causes.flatMap(({ name, code }) => [name, code ?? '']);
  const messages = causes.map(({ message }) => message);
  if (names.some((name) => NO_CREDENTIALS.test(name)) || messages.includes('Region is missing')) {
    return `${whom}: no AWS credentials or no Region; run \`aws sso login\`, or give --profile and --region`;
  }
  if (names.some((name) => EXPIRED.test(name))) {
    return `${whom}: the AWS credentials have expired; log in again and start the console anew`;
  }
  if (names.some((name) => NOT_ALLOWED.test(name))) {
    const named = messages.map((message) => ACTION.exec(message)?.[1]).find(Boolean);
    return `${whom}: access denied; these credentials lack ${named ?? action}`;
  }
  const [first] = causes;
  if (error instanceof ServiceError)
    return `${whom}: ${error.message.replace(`[${error.code}] `, '')}`;
  return `${whom}: ${first === undefined ? String(error) : `${first.name}: ${first.message}`}`;
}

function* chainOf(error: unknown): Generator<Error & { readonly code?: string }> {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause) {
    depth += 1;
    yield cause;
  }
}
