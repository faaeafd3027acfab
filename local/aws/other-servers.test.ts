import { expect, test } from 'vitest';
import { otherServers, resourceNames } from './other-servers.ts';

const read = (LOCAL_AWS_SERVERS: string) => otherServers({ LOCAL_AWS_SERVERS });

test('no other emulator serves anything unless the variable says so', () => {
  expect(otherServers({})).toEqual({});
  expect(read('')).toEqual({});
  expect(resourceNames({})('rtms-jobs')).toBe('rtms-jobs');
});

test('names on another emulator are unique', () => {
  const servers = read('{"dynamodb": 4566, "secretsManager": 5000}');
  expect(servers).toEqual({ dynamodb: 4566, secretsManager: 5000 });
  const [one, two] = [resourceNames(servers), resourceNames(servers)];
  expect(one('rtms-jobs')).toMatch(/^rtms-jobs-[0-9a-f]{8}$/);
  expect(one('rtms-jobs')).toBe(one('rtms-jobs'));
  expect(one('rtms-jobs')).not.toBe(two('rtms-jobs'));
});

test.each([
  ['4566', '(root)'],
  ['{"dynamodb": "4566"}', 'dynamodb'],
  ['{"dynamo": 4566}', 'dynamo'],
  ['{"kinesis": 0}', 'kinesis'],
])('%s is refused, and the error names the field', (text, field) => {
  expect(() => read(text)).toThrow(`LOCAL_AWS_SERVERS: ${field}: `);
});
