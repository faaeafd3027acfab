import { expect, test } from 'vitest';
import { checkKinesisClient, isBefore } from './bundle-options.ts';

test.each([
  ['3.614.0', '3.1143.0', true],
  ['3.1142.9', '3.1143.0', true],
  ['3.1143.0', '3.1143.0', false],
  ['3.1143.1', '3.1143.0', false],
  ['3.2000.0', '3.1143.0', false],
  ['4.0.0', '3.1143.0', false],
])('the Kinesis client %s is older than %s: %s', (version, other, isOlder) => {
  expect(isBefore(version, other)).toBe(isOlder);
});

test('checkKinesisClient accepts the client of this checkout', () => {
  expect(() => checkKinesisClient()).not.toThrow();
});
