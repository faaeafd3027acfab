import { expect, test } from 'vitest';
import { readStartFacts, START_FACTS, startFactsOf } from './start-facts.ts';

const ALL = {
  account_id: 'acc',
  operator_id: 'op',
  host_id: 'host',
  meeting_id: 98_765_432_101,
  webinar_id: '123 456',
  topic: ' Board meeting ',
  is_original_host: true,
  session_key: 'key',
};

test('every fact is read by the name that Zoom gives it', () => {
  const facts = readStartFacts({ ...ALL, something_else: 1 });
  expect(facts).toEqual({
    accountId: 'acc',
    operatorId: 'op',
    hostId: 'host',
    meetingId: '98765432101',
    webinarId: '123 456',
    topic: 'Board meeting',
    isOriginalHost: true,
    sessionKey: 'key',
  });
  expect(Object.keys(facts)).toEqual(START_FACTS);
  expect(startFactsOf({ ...facts, ...{ app: 'default' } })).toEqual(facts);
});

test.for([null, undefined, {}, [], '', '\u0000', 'x'.repeat(257), Number.NaN])(
  '%j is no id, and costs no other fact',
  (value) => {
    const { meetingId, hostId } = readStartFacts({ ...ALL, meeting_id: value });
    expect(meetingId).toBeUndefined();
    expect(hostId).toBe('host');
  },
);

test.for([
  [true, true],
  [1, true],
  ['true', true],
  ['1', true],
  [false, false],
  [0, false],
  ['false', false],
  ['yes', undefined],
  [2, undefined],
  [null, undefined],
] as const)('is_original_host %j is %j', ([value, expected]) => {
  expect(readStartFacts({ is_original_host: value }).isOriginalHost).toBe(expected);
});

test('a long topic is cut between two characters', () => {
  const { topic = '' } = readStartFacts({ topic: '王'.repeat(1_000) });
  expect(Buffer.byteLength(topic)).toBe(510);
  expect(topic).toBe('王'.repeat(170));
});
