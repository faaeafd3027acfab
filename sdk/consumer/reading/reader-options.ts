import { ServiceError } from '../../../shared/errors.ts';
import type { StreamReader } from './stream-pages.ts';

/** Every option of a reader, and whether a value of it can be used. */
const KNOWN: Readonly<Record<string, (value: unknown) => boolean>> = {
  client: (value) => typeof (value as { send?: unknown } | null)?.send === 'function',
  streamName: (value) => typeof value === 'string' && value !== '',
  startAt: (value) => value === 'TRIM_HORIZON' || value === 'LATEST' || isDate(value),
  endAt: isDate,
  checkpoints: (value) =>
    typeof (value as { load?: unknown })?.load === 'function' &&
    typeof (value as { save?: unknown }).save === 'function',
  partitionKey: (value) => typeof value === 'string' && value !== '',
  signal: (value) => value instanceof AbortSignal,
  pollMs: isCount,
  maxCallsPerSecond: (value) => isCount(value) && value > 0 && value <= 5,
  stopAtTip: (value) => typeof value === 'boolean',
  reorderWindowMs: isCount,
  onBadRecord: isFunction,
  onRetry: isFunction,
  onTrimmed: isFunction,
  onProgress: isFunction,
  repeats: (value) => value === 'drop' || value === 'keep',
};

/**
 * Refuses options that are misspelt or missing. A misspelt one would be read as its default, and somebody would wait for
 * what never comes.
 *
 * @throws ServiceError `config/invalid` that names the option
 */
export function checkReader(reader: StreamReader): void {
  requireOption('client', reader.client);
  requireOption('streamName', reader.streamName);
  for (const [name, value] of Object.entries(reader)) {
    const isFine = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
    if (isFine === undefined) {
      const what = `no such option: ${name}; there are ${Object.keys(KNOWN).join(', ')}`;
      throw new ServiceError('config/invalid', what);
    }
    if (value !== undefined && !isFine(value)) {
      throw new ServiceError(
        'config/invalid',
        `the option ${name} has a value that cannot be used`,
      );
    }
  }
}

/** @throws ServiceError `config/invalid` when an option that has no default is absent or undefined */
export function requireOption(name: string, value: unknown): void {
  if (value === undefined)
    throw new ServiceError('config/invalid', `the option ${name} is missing`);
}

function isDate(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
