import { expect, test } from 'vitest';
import type { EndReason } from '../../../rtms/events.ts';
import { joinFailure, leaveReason } from './end-reason.ts';

test.for<[Partial<EndReason> & Pick<EndReason, 'cause'>, number | undefined, number]>([
  [{ cause: 'left' }, undefined, 0],
  [{ cause: 'closed' }, undefined, 20],
  [{ cause: 'stopped', stopReason: 6 }, -1, 6],
  [{ cause: 'stopped' }, -1, 0],
  [{ cause: 'refused', status: 3 }, 3, 18],
  [{ cause: 'refused', status: 2 }, 2, 10],
  [{ cause: 'refused' }, -1, 10],
  [{ cause: 'lost', restartable: true }, 1, 19],
  [{ cause: 'failed' }, -1, 11],
])(
  'a client that ended with %j calls onJoinConfirm with %s and onLeave with %i',
  ([end, failure, reason]) => {
    const complete = { restartable: false, ...end };
    expect(joinFailure(complete)).toBe(failure);
    expect(leaveReason(complete)).toBe(reason);
  },
);
