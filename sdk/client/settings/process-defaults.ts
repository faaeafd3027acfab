import type { Executor } from '../callbacks/executor.ts';

let executor: Executor | undefined;
let ca: string | undefined;
let initialized = false;

/** The executor that `run` was given; serves clients without one of their own. */
export function defaultExecutor(): Executor | undefined {
  return executor;
}

export function setDefaultExecutor(value: Executor | undefined): void {
  executor = value;
}

/** The roots that `Client.initialize` named, as the join parameter `ca`. */
export function defaultCa(): { readonly ca?: string } {
  return ca === undefined ? {} : { ca };
}

export function setDefaultCa(value: string | undefined): void {
  ca = value;
}

/** Whether a client has joined or `initialize` was called. Programs ask this before they call `initialize`. */
export function isInitialized(): boolean {
  return initialized;
}

export function setInitialized(value: boolean): void {
  initialized = value;
}
