import { expect, test } from 'vitest';
import type { WrittenUnit } from '../history.ts';
import { judgeLastEvents } from './last-events.ts';
import { PlantedHistory } from './planted-history.ts';

const A = 'runner-1/1';
const ROW = 'SESSION#s';

const words = (history: PlantedHistory) =>
  judgeLastEvents(history.events).map((found) => found.words);

const line = (type: string, epoch = 1): Partial<WrittenUnit> => ({ type, epoch });

/** A stream that `A` has claimed, and of which Kinesis has these lines. */
const served = (...units: Partial<WrittenUnit>[]) =>
  new PlantedHistory().claim(A, 's').record(A, units, { stream: 'events' });

/** The row gets these attributes, and loses `gone`. */
function written(history: PlantedHistory, fields: Record<string, unknown>, gone?: string) {
  const values = Object.fromEntries(Object.entries(fields).map(([name, it]) => [`:${name}`, it]));
  const sets = Object.keys(fields).map((name) => `${name} = :${name}`);
  const update = `SET ${sets.join(', ')}${gone === undefined ? '' : ` REMOVE ${gone}`}`;
  history.write(A, ROW, { update, values }).apply();
  return history;
}

const ENDED = { endedReason: 6, endedAtMs: 1 };
const REVOKED = { endedReason: 8, endedAtMs: 1 };
const HANDED_OVER = { handedOverBy: A, handedOverAtMs: 1 };
const MISSED = { endedReason: 'missed', untold: true, missed: { epoch: 1 } };

test.each<[string, PlantedHistory, string]>([
  ['an end', written(served(), ENDED), 'session_ended'],
  ['a hand-over', written(served(line('gap')), HANDED_OVER), 'session_handed_over'],
  [
    'a revocation that only ends',
    written(served(line('session_ended')), REVOKED),
    'session_revoked',
  ],
  ['an end of another epoch', written(served(line('session_ended', 2)), ENDED), 'session_ended'],
  [
    'a missed stream that counts as told',
    written(written(served(), MISSED), { endedAtMs: 2 }, 'untold'),
    'session_missed',
  ],
])('%s without its event is found', (_what, history, type) => {
  expect(words(history)).toEqual([
    `runner-1/1 wrote that epoch 1 of s is over, and Kinesis has no ${type} of it`,
  ]);
});

test.each<[string, PlantedHistory]>([
  ['an end', written(served(line('session_ended')), ENDED)],
  ['a hand-over', written(served(line('session_handed_over')), HANDED_OVER)],
  ['a revocation', written(served(line('session_revoked'), line('session_ended')), REVOKED)],
  ['a missed stream that is still to be told', written(served(), MISSED)],
  [
    'a missed stream that is told',
    written(written(served(line('session_missed')), MISSED), { endedAtMs: 2 }, 'untold'),
  ],
  ['a row that its owner leaves open', written(served(), { owner: 'UNOWNED' })],
])('%s in order is not', (_what, history) => {
  expect(words(history)).toEqual([]);
});
