import { expect, test } from 'vitest';
import { costOf } from './slots.ts';

test('a session with everything costs one unit', () => {
  expect(costOf(['audio', 'video', 'deskshare', 'transcript', 'chat'])).toBe(1);
  expect(costOf(['audio', 'transcript'])).toBe(0.43);
});
