import { describe, expect, test } from 'vitest';
import { isRestartable, STOP_REASON } from './stop-reason.ts';

describe('stop reasons', () => {
  const restartable = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 24];
  test.each(Object.entries(STOP_REASON))('%s (%i)', (_name, reason) => {
    expect(isRestartable(reason)).toBe(restartable.includes(reason));
  });

  test('a reason that this version does not know is deliberate', () => {
    expect(isRestartable(9_999)).toBe(false);
  });
});
