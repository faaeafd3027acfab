import { expect, test } from 'vitest';
import { ServiceError } from './errors.ts';
import { boundFields, describeError } from './logger.ts';

test('whatever would make a line of unknown length is cut', () => {
  const many = Array.from({ length: 100_000 }, (_, userId) => ({ userId }));
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const error = new ServiceError('session/store-failed', 'x'.repeat(1e6), {
    detail: { many: many.map(String) },
  });
  const fields = { text: 'x'.repeat(1e6), many, circle, error: describeError(error) };
  expect(JSON.stringify(boundFields(fields)).length).toBeLessThan(20_000);
  expect(boundFields({ ...fields, short: { a: [1] }, at: 5, count: 1n })).toMatchObject({
    circle: { cut: true },
    short: { a: [1] },
    at: 5,
    count: 1n,
  });
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test('tells code, message and detail of our errors, and their causes', () => {
  const cause = new ServiceError('session/not-owner', 'row taken');
  const error = new ServiceError('session/store-failed', 'not written', {
    cause,
    detail: { rtmsStreamId: 's' },
  });
  expect(describeError(error)).toEqual({
    code: 'session/store-failed',
    message: '[session/store-failed] not written',
    rtmsStreamId: 's',
    cause: { code: 'session/not-owner', message: '[session/not-owner] row taken' },
  });
});

test('tells where a foreign error comes from', () => {
  const error = thrownBy(() => (undefined as unknown as { a: { b: string } }).a.b);
  const described = describeError(error) as { name: string; stack: string[] };
  expect(described.name).toBe('TypeError');
  expect(described.stack[0]).toMatch(/^at .*logger\.test\.ts:\d+:\d+\)?$/);
  expect(described.stack.length).toBeLessThanOrEqual(8);
});

test.each([
  ['one line', 'confidential'],
  ['several lines', 'first\nconfidential\nlast'],
  ['a line that looks like a frame', 'x\n    at confidential (/confidential.ts:1:1)'],
  ['nothing', ''],
])('never tells the message of a foreign error: %s', (_what, message) => {
  const error = thrownBy(() => {
    throw new TypeError(message);
  });
  const described = JSON.stringify(describeError(error));
  expect(described).not.toContain('confidential');
  expect(described).toContain('logger.test.ts');
});

test('tells no stack when the message was changed after the error was made', () => {
  const error = new Error('confidential\n    at confidential (/a.ts:1:1)');
  // V8 writes the stack down when it is first read.
  expect(error.stack).toContain('confidential');
  error.message = 'at';
  expect(describeError(error)).toEqual({ name: 'Error' });
});

test('keeps the code of a system error', () => {
  const error = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED' });
  expect(describeError(error)).toMatchObject({ name: 'Error', code: 'ECONNREFUSED' });
});

test('tells only the type of what is no error', () => {
  expect(describeError('confidential')).toEqual({ name: 'string' });
});
