import { expect, test, vi } from 'vitest';
import { ServiceError } from '../../shared/errors.ts';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { isPassing, StartUp } from './start-up.ts';

const named = (name: string, fields: object = {}) =>
  Object.assign(new Error('x'), { name, ...fields });
const ours = (cause: Error) => new ServiceError('config/invalid', 'cannot be read', { cause });

test.each<[string, unknown, boolean]>([
  ['a throttled DescribeStreamSummary', ours(named('LimitExceededException')), true],
  ['a throttled secret', ours(named('ThrottlingException')), true],
  ['a table over its throughput', ours(named('ProvisionedThroughputExceededException')), true],
  ['a fault of AWS', ours(named('SomethingNew', { $fault: 'server' })), true],
  ['credentials that are not there yet', ours(named('CredentialsProviderError')), true],
  ['a refused connection', ours(named('Error', { code: 'ECONNREFUSED' })), true],
  [
    'a fetch that failed',
    ours(new TypeError('x', { cause: named('E', { code: 'ENOTFOUND' }) })),
    true,
  ],
  ['no answer in time', ours(named('TimeoutError')), true],
  ['a retryable error of ours', new ServiceError('ecs/metadata-unavailable', 'x'), true],
  ['missing rights', ours(named('AccessDeniedException', { $fault: 'client' })), false],
  [
    'a missing table',
    new ServiceError('session/store-failed', 'x', { cause: named('ResourceNotFoundException') }),
    false,
  ],
  ['a secret of the wrong shape', new ServiceError('config/invalid', 'x'), false],
  ['a stream that does not fit', new ServiceError('kinesis/stream-unfit', 'x'), false],
  ['a bug', new TypeError('x'), false],
  ['what is no error', 'x', false],
])('%s', (_what, error, passing) => {
  expect(isPassing(error)).toBe(passing);
});

test('a start-up call that may succeed later is tried again until it does', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  const outcomes = [ours(named('ThrottlingException')), ours(named('TimeoutError')), 'there'];
  const start = new StartUp(SILENT_LOGGER);
  const call = async () => {
    const outcome = outcomes.shift();
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  expect(await start.attempt('secret', call)).toBe('there');
  vi.restoreAllMocks();
});

test('a start-up call that will not succeed ends the start at once, with its cause', async () => {
  const error = ours(named('AccessDeniedException'));
  const call = vi.fn(() => Promise.reject(error));
  await expect(new StartUp(SILENT_LOGGER).attempt('stream', call)).rejects.toBe(error);
  expect(call).toHaveBeenCalledOnce();
});

test('a start that takes too long ends with the last cause', async () => {
  const error = ours(named('ThrottlingException'));
  const call = vi.fn(() => Promise.reject(error));
  await expect(new StartUp(SILENT_LOGGER, 0).attempt('stream', call)).rejects.toBe(error);
  expect(call).toHaveBeenCalledOnce();
});
