import { expect, test } from 'vitest';
import { nameOf } from './constants.ts';
import { mediaTypeOfMessage } from './media-type.ts';
import { STOP_REASON } from './stop-reason.ts';

test('a number of a table has its name', () => {
  expect(nameOf(STOP_REASON, 6)).toBe('MEETING_ENDED');
});

test('an unknown number has no name', () => {
  expect(nameOf(STOP_REASON, 99)).toBeUndefined();
  expect(nameOf(STOP_REASON, undefined)).toBeUndefined();
});

test('each data message has its media type', () => {
  expect([14, 15, 16, 17, 18, 12].map(mediaTypeOfMessage)).toEqual([
    'audio',
    'video',
    'deskshare',
    'transcript',
    'chat',
    undefined,
  ]);
});
