import { ServiceError } from '../../shared/errors.ts';
import { EXIT, exitCodeOf } from '../terminal/exit-code.ts';

/** One thing that was looked at. `hint`: something only a person can check. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed' | 'hint';
  readonly found: string;
  /** What to do about it. */
  readonly fix?: string;
  /** It failed because nobody answered, or gave no access. */
  readonly unreachable?: true;
  /** Nobody answered at all. */
  readonly unanswered?: true;
}

/** Runs a check; an error of ours is a failed check, whose message says what to do. */
export async function attempt(
  name: string,
  fix: string,
  look: () => Promise<Check | readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    const found = await look();
    return Array.isArray(found) ? found : [found as Check];
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const found = error.message.replace(`[${error.code}] `, '');
    const isUnreachable = exitCodeOf(error) === EXIT.UNREACHABLE;
    // That a name, the credentials or the Region are missing says itself what to do.
    const { missing, name: cause } = error.detail;
    const isSaid =
      missing !== undefined || ['CredentialsProviderError', 'NoRegion'].includes(String(cause));
    const remedy = isSaid ? {} : { fix };
    const reach = {
      ...(isUnreachable && { unreachable: true as const }),
      ...(error.detail['answered'] === false && { unanswered: true as const }),
    };
    return [{ name, status: 'failed', found, ...remedy, ...reach }];
  }
}
