import { ServiceError } from '../../shared/errors.ts';
import { isConditionRefused, tableErrorPasses } from '../../shared/lease/table-errors.ts';

/**
 * Sends a call. @returns undefined when the call's condition did not hold
 *
 * @throws ServiceError `session/store-failed` when the same call may succeed later, else `session/store-refused`
 */
export async function guarded<T>(send: () => Promise<T>): Promise<T | undefined> {
  try {
    return await send();
  } catch (cause) {
    if (isConditionRefused(cause)) return undefined;
    const name = cause instanceof Error ? cause.name : typeof cause;
    const options = { cause, detail: { name } };
    if (tableErrorPasses(cause)) {
      throw new ServiceError('session/store-failed', 'the session table did not answer', options);
    }
    throw new ServiceError('session/store-refused', 'the session table refused the call', options);
  }
}
