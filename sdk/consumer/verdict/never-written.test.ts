import { expect, test } from 'vitest';
import type { EventData, EventName } from '../../../shared/record/event-data.ts';
import { event, START_MS } from '../../../test/support/test-records.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import { LedgerChecker } from './ledger.ts';

/**
 * Streams of which nobody wrote any media, s after the beginning. Kinesis takes nothing while the first owner receives a
 * stream, and it is lost with all that it had: only its successors write anything.
 */

const at = (seconds: number) => START_MS + seconds * 1_000;

const write = <Name extends EventName>(
  epoch: number,
  sequence: number,
  name: Name,
  atS: number,
  data: EventData[Name],
): ReceivedEvent => event(name, data, sequence, { epoch, timeMs: at(atS) });

type Cause = EventData['session_taken_over']['cause'];

const takenOver = (epoch: number, cause: Cause, seenS: number, atS: number) =>
  write(epoch, 1, 'session_taken_over', atS, {
    previousEpoch: epoch - 1,
    cause,
    ownerSeenAtMs: at(seenS),
    blind: [],
  });
const ledger = [{ mediaType: 'events', received: 1, written: 1, lost: 0 }] as const;
const handedOver = (epoch: number, atS: number) =>
  write(epoch, 2, 'session_handed_over', atS, { cause: 'operator', ledger: [...ledger] });
const ended = (epoch: number, leftS: number, atS: number) =>
  write(epoch, 2, 'session_ended', atS, {
    stopReason: 15,
    restartable: true,
    leftAtMs: at(leftS),
    ledger: [...ledger],
  } as EventData['session_ended']);

test.each<[string, readonly ReceivedEvent[], number[][]]>([
  [
    'its successor came when the stream had ended',
    [takenOver(2, 'owner_lost', 50, 120), ended(2, 110, 120)],
    [[50, 120]],
  ],
  [
    'its successor was connected to nothing and gave the stream away',
    [
      takenOver(2, 'owner_lost', 50, 70),
      handedOver(2, 70),
      takenOver(3, 'handed_over', 60, 120),
      ended(3, 110, 120),
    ],
    [[50, 120]],
  ],
  [
    'two of its successors gave the stream away',
    [
      takenOver(2, 'owner_lost', 50, 70),
      handedOver(2, 70),
      takenOver(3, 'handed_over', 60, 80),
      handedOver(3, 80),
      takenOver(4, 'handed_over', 70, 120),
      ended(4, 110, 120),
    ],
    [[50, 120]],
  ],
  [
    'its successor was lost too, and the next one tells of both',
    [takenOver(3, 'owner_lost', 50, 120), ended(3, 110, 120)],
    [[50, 120]],
  ],
  [
    'it had come after an owner that was connected to nothing and gave the stream away',
    [
      takenOver(2, 'handed_over', 5, 10),
      handedOver(2, 10),
      takenOver(4, 'owner_lost', 50, 120),
      ended(4, 110, 120),
    ],
    [[50, 120]],
  ],
  [
    'all that was told of an earlier run, which is over, and of another one that nobody was connected to',
    [
      takenOver(2, 'owner_lost', 50, 120),
      ended(2, 110, 120),
      takenOver(3, 'restarted', 110, 200),
      handedOver(3, 200),
      takenOver(4, 'handed_over', 190, 300),
      ended(4, 290, 300),
    ],
    [[50, 120]],
  ],
  [
    'nobody was lost: those who gave the stream away have written all that they received',
    [
      takenOver(2, 'handed_over', 50, 70),
      handedOver(2, 70),
      takenOver(3, 'handed_over', 60, 120),
      ended(3, 110, 120),
    ],
    [],
  ],
])('what a lost owner took along that had written nothing is named: %s', (_how, events, times) => {
  const checker = new LedgerChecker();
  for (const one of events) checker.event(one);
  const { losses, problems } = checker.report();
  expect(problems).toEqual([]);
  const named = losses.filter(({ kind }) => kind === 'hole');
  expect(named.map(({ mediaType, cause }) => [mediaType, cause])).toEqual(
    times.flatMap(() => [
      ['audio', 'owner_lost'],
      ['events', 'owner_lost'],
    ]),
  );
  // Zoom keeps a minute of audio, so what the lost one got may be older than its heartbeat.
  expect(named.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual(
    times.flatMap(([fromS = 0, toS = 0]) => [
      [at(fromS - 60), at(fromS)],
      [at(fromS), at(toS)],
    ]),
  );
});

test('of such a stream audio counts from a minute before its heartbeat said that all was written: Zoom keeps that much', () => {
  const told = takenOver(2, 'owner_lost', 80, 120);
  const checker = new LedgerChecker();
  checker.event({
    ...told,
    data: { ...(told.data as EventData['session_taken_over']), ownerWroteUntilMs: at(70) },
  } as ReceivedEvent);
  checker.event(ended(2, 110, 120));
  const named = checker.report().losses.filter(({ kind }) => kind === 'hole');
  expect(named.map(({ mediaType, fromMs, toMs }) => [mediaType, fromMs, toMs])).toEqual([
    ['audio', at(10), at(70)],
    ['events', at(70), at(120)],
  ]);
});
