import { expect, test } from 'vitest';
import { completeMediaRequest } from '../../rtms/protocol/params.ts';
import { slotsOf, slotsOfRequest } from './slots.ts';

test('a session with everything costs one unit', () => {
  expect(slotsOf(['audio', 'video', 'deskshare', 'transcript', 'chat'])).toBe(1);
  expect(slotsOf(['audio', 'transcript'])).toBe(0.43);
});

test('every camera that is recorded at once costs as much as one', () => {
  const video = { dataOpt: 'VIDEO_SINGLE_INDIVIDUAL_STREAM', cameras: 3 };
  expect(slotsOfRequest(completeMediaRequest({}))).toBe(1);
  expect(slotsOfRequest(completeMediaRequest({ video }))).toBe(1.64);
  expect(slotsOfRequest(completeMediaRequest({ video: false }))).toBe(0.68);
});
