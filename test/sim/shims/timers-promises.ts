/** `setTimeout` of `node:timers/promises`, made of the global timer, which runs in virtual time. */
export function setTimeout<T>(
  delayMs?: number,
  value?: T,
  options: { signal?: AbortSignal; ref?: boolean } = {},
): Promise<T | undefined> {
  const { signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
  if (signal?.aborted) {
    reject(signal.reason);
    return promise;
  }
  const abort = () => {
    globalThis.clearTimeout(timer);
    reject(
      Object.assign(new Error('The operation was aborted'), {
        name: 'AbortError',
        cause: signal?.reason,
      }),
    );
  };
  const timer = globalThis.setTimeout(() => {
    signal?.removeEventListener('abort', abort);
    resolve(value);
  }, delayMs);
  signal?.addEventListener('abort', abort, { once: true });
  return promise;
}

export function setImmediate<T>(value?: T): Promise<T | undefined> {
  return new Promise((resolve) => globalThis.setImmediate(() => resolve(value)));
}
