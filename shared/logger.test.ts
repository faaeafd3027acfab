import { expect, test } from 'vitest';
import { describeError } from './describe-error.ts';
import { ServiceError } from './errors.ts';
import { boundFields } from './logger.ts';

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
