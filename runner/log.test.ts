import { expect, test } from 'vitest';
import { ServiceError } from '../shared/errors.ts';
import { describeError } from './log.ts';

test('describes our errors with their code, detail and cause', () => {
  const cause = new Error('a foreign text that may quote anything');
  const error = new ServiceError('session/store-failed', 'no answer', { cause, detail: { n: 1 } });
  expect(describeError(error)).toEqual({
    code: 'session/store-failed',
    message: '[session/store-failed] no answer',
    n: 1,
    cause: { name: 'Error' },
  });
});

test('says of foreign errors only what they are called', () => {
  expect(describeError(Object.assign(new Error('secret'), { code: 'ECONNRESET' }))).toEqual({
    name: 'Error',
    code: 'ECONNRESET',
  });
  expect(describeError('secret')).toEqual({ name: 'string' });
});
