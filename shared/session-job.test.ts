import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { isStreamId } from './input-limits.ts';
import {
  decodeCatcherLook,
  decodeSessionJob,
  encodeCatcherLook,
  encodeSessionJob,
  isCatcher,
  newCatcherId,
} from './session-job.ts';

property.prop([fc.string({ unit: 'binary', minLength: 1 }).filter(isStreamId)])(
  'any stream id survives, as printable ASCII',
  (rtmsStreamId) => {
    const body = encodeSessionJob(rtmsStreamId);
    expect(body).toMatch(/^[\x20-\x7e]+$/);
    expect(decodeSessionJob(body)).toEqual({ version: 1, rtmsStreamId });
  },
);

test.each([
  'no JSON',
  'null',
  '7',
  '{}',
  '{"version": 2, "rtmsStreamId": "s"}',
  '{"version": 1, "rtmsStreamId": ""}',
  '{"version": 1, "rtmsStreamId": 7}',
  '{"version": 1, "rtmsStreamId": "a\\nb"}',
  '{"version": 1, "rtmsStreamId": "\\ud800"}',
  `{"version": 1, "rtmsStreamId": "${'x'.repeat(241)}"}`,
  `{"version": 1, "rtmsStreamId": "${'é'.repeat(121)}"}`,
])('%s is not a job', (body) => {
  expect(decodeSessionJob(body)).toBeUndefined();
});

test('an execution of the catcher is told from a task by its id', () => {
  expect(isCatcher(newCatcherId())).toBe(true);
  expect(isCatcher('0123456789abcdef0123456789abcdef')).toBe(false);
  expect(isCatcher('runner-1')).toBe(false);
});

test('a look at a catcher is read back as it was written, and is no session job', () => {
  const catcherId = newCatcherId();
  for (const look of [
    { catcherId, heartbeat: 7 },
    { catcherId, heartbeat: 7, isChain: true as const },
    { catcherId, heartbeat: '12345678901234567890' },
  ]) {
    const body = encodeCatcherLook(look);
    expect(decodeCatcherLook(body)).toEqual({ version: 1, ...look });
    expect(decodeSessionJob(body)).toBeUndefined();
  }
});

test.each([
  '',
  'null',
  '[]',
  encodeSessionJob('stream'),
  '{"version":2,"catcherId":"catcher-1","heartbeat":1}',
  '{"version":1,"catcherId":"runner-1","heartbeat":1}',
  '{"version":1,"catcherId":"catcher-1"}',
  '{"version":1,"catcherId":"catcher-1","heartbeat":{}}',
])('a body that is no look at a catcher is not taken for one: %s', (body) => {
  expect(decodeCatcherLook(body)).toBeUndefined();
});
