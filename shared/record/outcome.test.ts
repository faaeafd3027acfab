import { expect, test } from 'vitest';
import { Told } from '../../test/support/session/session-parts.ts';
import type { EventName } from './event-data.ts';
import { countMissed, tellsLoss } from './outcome.ts';

const blind = (ms: number) => [{ mediaType: 'transcript', fromMs: 0, toMs: ms }];

test.each<[string, EventName, object, boolean]>([
  ['a gap', 'gap', { cause: 'buffer_full' }, true],
  ['what was dropped for a revocation', 'gap', { cause: 'revoked' }, false],
  [
    'a planned change of runner',
    'session_taken_over',
    { cause: 'handed_over', blind: blind(300) },
    false,
  ],
  [
    'a change of runner that took long',
    'session_taken_over',
    { cause: 'handed_over', blind: blind(2_001) },
    true,
  ],
  ['a lost runner', 'session_taken_over', { cause: 'owner_lost', blind: [] }, true],
  ['a fast reconnect', 'session_reconnected', { cause: 'watchdog', blind: blind(2_000) }, false],
  ['a slow reconnect', 'session_reconnected', { cause: 'watchdog', blind: blind(9_000) }, true],
  ['a transcript', 'transcript', { text: 'owner_lost' }, false],
])('%s: in part %s', (_what, name, data, isLoss) => {
  expect(tellsLoss(name, data as never)).toBe(isLoss);
});

test.each([
  ['no_room', ['SessionsMissed/no_room', 'MeetingsWhole', 'MeetingsInPart', 'MeetingsMissed']],
  ['operator_stop', ['SessionsMissed/operator_stop']],
  ['revoked', ['SessionsMissed/revoked']],
])('a stream that was missed by %s', (reason, counts) => {
  const told = new Told();
  countMissed(told.metrics, reason);
  expect(told.counts).toEqual(counts);
});
