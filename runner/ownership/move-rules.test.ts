import { expect, test } from 'vitest';
import { type SessionRow, UNOWNED } from '../../shared/session-table/session-row.ts';
import { CLAIM_WITHIN_MS, CONNECT_WITHIN_MS, judgeMove, WATCH_FOR_MS } from './move-rules.ts';

/** Given away by `old` in epoch 3. */
const GIVEN: SessionRow = {
  pk: 'SESSION#s',
  rtmsStreamId: 's',
  owner: UNOWNED,
  epoch: 3,
  handedOverBy: 'old',
  startEventTsMs: 1,
  serverUrls: ['wss://a'],
  product: 'meeting',
  entityId: 'e',
  requestedAtMs: 1,
};
const TAKEN: SessionRow = { ...GIVEN, owner: 'new', epoch: 4 };

test.each<[string, SessionRow | undefined, number, ReturnType<typeof judgeMove>]>([
  ['waits for somebody to claim it', GIVEN, CLAIM_WITHIN_MS - 1, 'wait'],
  ['takes back what nobody claims', GIVEN, CLAIM_WITHIN_MS, 'take_back'],
  ['takes back at once what was claimed and given back', { ...GIVEN, epoch: 4 }, 1, 'take_back'],
  ['waits for its new owner to connect', TAKEN, CONNECT_WITHIN_MS - 1, 'wait'],
  ['does not take an earlier epoch for the new one', { ...TAKEN, connectedEpoch: 3 }, 1, 'wait'],
  ['is done when media flows', { ...TAKEN, connectedEpoch: 4 }, 1, 'moved'],
  ['asks it back of an owner that does not connect', TAKEN, CONNECT_WITHIN_MS, 'ask_back'],
  ['asks once', { ...TAKEN, operatorRequest: 'handover' }, CONNECT_WITHIN_MS, 'wait'],
  ['waits no longer than so', TAKEN, WATCH_FOR_MS, 'over'],
  ['takes back from an owner that died', { ...TAKEN, owner: 'dead' }, 1, 'take_back'],
  ['leaves what this task has again', { ...TAKEN, owner: 'old' }, 1, 'over'],
  ['leaves what Zoom has stopped', { ...GIVEN, stopEventTsMs: 2, stopReason: 6 }, 1, 'over'],
  ['leaves what is gone', undefined, 1, 'over'],
])('%s', (_title, row, elapsedMs, verdict) => {
  const isExpired = (taskId: string) => taskId === 'dead';
  expect(judgeMove(row, { taskId: 'old', epoch: 3, elapsedMs, isExpired })).toBe(verdict);
});
