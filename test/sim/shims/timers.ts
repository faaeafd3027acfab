/** The timers of `node:timers` for packages that take them from there: the global ones, which run in virtual time. */
export function setTimeout(onTimeout: () => void, delayMs?: number): NodeJS.Timeout {
  return globalThis.setTimeout(onTimeout, delayMs);
}
