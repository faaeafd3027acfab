import { ServiceError } from '../../../shared/errors.ts';

const KNOWN: Readonly<Record<string, (value: unknown) => boolean>> = {
  client: (value) => typeof (value as { send?: unknown } | null)?.send === 'function',
  streamName: (value) => typeof value === 'string' && value !== '',
  rtmsStreamId: (value) => typeof value === 'string' && value !== '',
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

const REQUIRED = ['client', 'streamName'];

/**
 * A misspelt option would be read as its default, and somebody would wait for what never comes.
 *
 * @throws ServiceError `config/invalid` that names the option
 */
export function checkReader(reader: object): void {
  for (const name of REQUIRED) {
    if (!(name in reader))
      throw new ServiceError('config/invalid', `the option ${name} is missing`);
  }
  for (const [name, value] of Object.entries(reader)) {
    const isFine = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
    if (isFine === undefined) {
      const what = `no such option: ${name}; there are ${Object.keys(KNOWN).join(', ')}`;
      throw new ServiceError('config/invalid', what);
    }
    if (value !== undefined && !isFine(value)) {
      throw new ServiceError('config/invalid', `the option ${name} cannot be what it is`);
    }
  }
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
