/**
 * Runs one call with one deadline for all of it: credentials, connection and answer. The call also ends with `signal`.
 *
 * It ends at that moment even where `run` does not: the SDK asks for credentials without any time limit, and a provider that
 * is never answered would keep the call, and with it the stop of its producer, for ever.
 *
 * @param run gets a signal that ends with the deadline and with `signal`; its reason is what the call ends with
 * @throws Error `TimeoutError` at the deadline, `AbortError` with `signal`, and what `run` throws
 */
export async function withDeadline<T>(
  timeoutMs: number,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw abortError();
  const ending = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (error: Error) => {
    reject(error);
    ending.abort(error);
  };
  const abort = () => end(abortError());
  const deadline = setTimeout(
    () => end(timeoutError(`no answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([run(ending.signal), ended]);
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', abort);
  }
}

/** Under the name that the SDK gives it. */
export function timeoutError(what: string): Error {
  return Object.assign(new Error(what), { name: 'TimeoutError' });
}

function abortError(): Error {
  return Object.assign(new Error('the call was aborted'), { name: 'AbortError' });
}
