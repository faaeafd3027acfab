import { expect, it } from 'vitest';
import { nameOf, STOP_REASON } from './constants.ts';
import { mediaTypeOfMessage } from './media-type.ts';

it('names a number of a table', () => {
  expect(nameOf(STOP_REASON, 6)).toBe('MEETING_ENDED');
});

it('has no name for a number it does not know', () => {
  expect(nameOf(STOP_REASON, 99)).toBeUndefined();
  expect(nameOf(STOP_REASON, undefined)).toBeUndefined();
});

it('knows which media type a message carries', () => {
  expect([14, 15, 16, 17, 18, 12].map(mediaTypeOfMessage)).toEqual([
    'audio',
    'video',
    'deskshare',
    'transcript',
    'chat',
    undefined,
  ]);
});
