import { expect, test } from 'vitest';
import { endOfConnection, stopped } from './end-reason.ts';

test.each([
  [6, false],
  [13, true],
  [99, false],
])('stop reason %i', (stopReason, restartable) => {
  expect(stopped(stopReason)).toEqual({ cause: 'stopped', stopReason, restartable });
});

test.each([
  [
    { name: 'expired', cause: 'watchdog' },
    { cause: 'lost', restartable: true },
  ],
  [
    { name: 'fatal', status: 3, cause: 'status' },
    { cause: 'refused', restartable: false, status: 3 },
  ],
  [
    { name: 'refused', status: undefined, cause: 'closed' },
    { cause: 'refused', restartable: false },
  ],
] as const)('a connection that is %o', (closure, reason) => {
  expect(endOfConnection(closure)).toEqual(reason);
});
