import { expect, test } from 'vitest';
import { decodeCatcherLook, encodeCatcherLook, isCatcher, newCatcherId } from './catcher.ts';
import { decodeSessionJob, encodeSessionJob } from './session-job.ts';

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
