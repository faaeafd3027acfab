import { ServiceError } from '../../shared/errors.ts';
import { isConditionRefused, tableErrorPasses } from '../../shared/lease/table-errors.ts';

/** A condition that did not hold is an answer (undefined); everything else is our error. */
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
