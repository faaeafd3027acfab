import { vi } from 'vitest';

/** A wait that fails costs this long. Vitest's own second is over before a loaded machine has done what is waited for. */
const TIMEOUT_MS = 15_000;

/** The same for tests that share their process with others at the same time, and so wait for what those compute, too. */
export const BESIDE_OTHERS_MS = 45_000;

/** @see the same of `vi`; a number is the timeout, ms */
type Options = number | { readonly timeout?: number; readonly interval?: number };

/** Calls `check` again and again until it does not throw. @returns what it returned then */
export function waitFor<T>(check: () => T | Promise<T>, options?: Options): Promise<T> {
  return vi.waitFor(check, complete(options));
}

/** Calls `look` again and again until what it returns is truthy. @returns that */
export function waitUntil<T>(look: () => T | Promise<T>, options?: Options) {
  return vi.waitUntil(look, complete(options));
}

function complete(options: Options = {}) {
  return { timeout: TIMEOUT_MS, ...(typeof options === 'number' ? { timeout: options } : options) };
}
