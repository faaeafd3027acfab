import { expect, test } from 'vitest';
import type { EventData } from '../../../shared/record/event-data.ts';
import { event, frame, START_MS } from '../../../test/support/test-records.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import { LedgerChecker } from './ledger.ts';

/** The disk of an owner gives back number 35 of a source, captured at 100 s, and nothing before it. */

const at = (seconds: number) => START_MS + seconds * 1_000;

const started = (epoch: number, sequence: number, requestedS: number, streamingS: number) =>
  event(
    'session_started',
    {
      product: 'meeting',
      entityId: 'e',
      media: { audio: {}, video: {} },
      requestedAtMs: at(requestedS),
      claimedAtMs: at(requestedS),
      streamingAtMs: at(streamingS),
    } as unknown as EventData['session_started'],
    sequence,
    { epoch, timeMs: at(streamingS) },
  );
const takenOver = (epoch: number, seenS: number) =>
  event(
    'session_taken_over',
    { previousEpoch: epoch - 1, cause: 'owner_lost', ownerSeenAtMs: at(seenS), blind: [] },
    1,
    { epoch, timeMs: at(seenS + 12) },
  );

test.each<[string, readonly ReceivedEvent[], number, number]>([
  ['its own line, when media flowed', [takenOver(2, 80), started(2, 2, 0, 92)], 32, 92],
  ['its own line, when the owner before it was seen last', [takenOver(2, 80)], 20, 80],
  [
    'the next owner, when Zoom announced the stream',
    [takenOver(3, 90), started(3, 2, 70, 120)],
    10,
    70,
  ],
  [
    'the next owner, when one before it was seen last',
    [takenOver(3, 80), started(3, 2, 110, 120)],
    20,
    80,
  ],
  ['no record', [], 100, 100],
])(
  'what died with an owner is named from the earliest moment on that is told by %s',
  (_by, lines, audioS, videoS) => {
    const checker = new LedgerChecker();
    const one = { epoch: 2, sequence: 35, userId: 7, capturedAtMs: at(100) };
    checker.frame({ ...frame(one), recovered: true });
    checker.frame({ ...frame({ ...one, mediaType: 2, codec: 7 }), recovered: true });
    for (const each of lines) checker.event(each);
    const { losses, problems } = checker.report();
    expect(problems).toEqual([]);
    const gaps = losses.filter(({ kind, epoch }) => kind === 'gap' && epoch === 2);
    const named = gaps.map(({ mediaType, fromMs, toMs, count }) => [
      mediaType,
      fromMs,
      toMs,
      count,
    ]);
    expect(named.sort()).toEqual([
      ['audio', at(audioS), at(100), 34],
      ['video', at(videoS), at(100), 34],
    ]);
  },
);

test('lines that died with an owner are named from when Zoom announced the stream, which the next owner tells', () => {
  const checker = new LedgerChecker();
  const back = event('first_packet', { timestampMs: at(100) }, 5, { epoch: 2, timeMs: at(100) });
  checker.event({ ...back, recovered: true });
  for (const each of [takenOver(3, 90), started(3, 2, 70, 120)]) checker.event(each);
  const [gap] = checker.report().losses.filter(({ kind }) => kind === 'gap');
  expect(gap).toMatchObject({ mediaType: 'events', fromMs: at(70), toMs: at(100), count: 4 });
});
