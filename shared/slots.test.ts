import { expect, test } from 'vitest';
import { completeMediaRequest } from '../rtms/protocol/params.ts';
import { costOf, costOfRequest } from './slots.ts';

test('a session with everything costs one unit', () => {
  expect(costOf(['audio', 'video', 'deskshare', 'transcript', 'chat'])).toBe(1);
  expect(costOf(['audio', 'transcript'])).toBe(0.43);
});

test('every camera that is recorded at once costs as much as one', () => {
  const video = { dataOpt: 'VIDEO_SINGLE_INDIVIDUAL_STREAM', cameras: 3 };
  expect(costOfRequest(completeMediaRequest({}))).toBe(1);
  expect(costOfRequest(completeMediaRequest({ video }))).toBe(1.64);
  expect(costOfRequest(completeMediaRequest({ video: false }))).toBe(0.68);
});
