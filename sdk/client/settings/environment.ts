import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Executor } from '../callbacks/executor.ts';

/** Every variable that the SDK reads. An explicit argument always wins over its variable. */
export type SdkVariable =
  | 'ZM_RTMS_CLIENT'
  | 'ZM_RTMS_SECRET'
  | 'ZM_RTMS_VIDEO_SDK_KEY'
  | 'ZM_RTMS_VIDEO_SDK_SECRET'
  | 'ZM_RTMS_WEBHOOK_SECRET'
  | 'ZM_RTMS_PORT'
  | 'ZM_RTMS_PATH'
  | 'ZM_RTMS_CA'
  | 'ZM_RTMS_CERT'
  | 'ZM_RTMS_KEY'
  | 'ZM_RTMS_CA_WEBHOOK'
  | 'ZM_RTMS_ALLOWED_HOSTS'
  | 'ZM_RTMS_LOG_LEVEL'
  | 'ZM_RTMS_LOG_FORMAT'
  | 'ZM_RTMS_LOG_ENABLED';

let dotEnv: Readonly<Record<string, string | undefined>> | undefined;

/**
 * Reads a variable from the environment, else from the file `.env` in the working directory. The file is read once.
 * An empty value counts as absent.
 */
export function environment(name: SdkVariable): string | undefined {
  const value = process.env[name];
  if (value !== undefined && value !== '') return value;
  dotEnv ??= readDotEnv();
  return dotEnv[name] || undefined;
}

function readDotEnv(): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch {
    // Most programs have no such file, and one that cannot be read must not stop the program.
    return {};
  }
}

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
