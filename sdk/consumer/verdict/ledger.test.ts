import { describe, expect, test } from 'vitest';
import type { EventData, LedgerRow } from '../../../shared/record/event-data.ts';
import { event, frame, START_MS } from '../../../test/support/test-records.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import { LedgerChecker, verifyLedger } from './ledger.ts';

const row = (changes: Partial<LedgerRow> = {}): LedgerRow => ({
  mediaType: 'audio',
  userId: 7,
  received: 3,
  written: 3,
  lost: 0,
  ...changes,
});
const lines = (received: number, lost = 0): LedgerRow => ({
  mediaType: 'events',
  received,
  written: received - lost,
  lost,
});
const ended = (ledger: LedgerRow[], sequence: number, epoch = 1) =>
  event('session_ended', { restartable: false, ledger }, sequence, { epoch });
const handedOver = (ledger: LedgerRow[], sequence: number, epoch = 1) =>
  event('session_handed_over', { cause: 'shutdown', ledger }, sequence, { epoch });
const gap = (changes: Partial<EventData['gap']>, sequence = 1, epoch = 1) =>
  event(
    'gap',
    {
      mediaType: 'audio',
      userId: 7,
      fromSequence: 2,
      toSequence: 2,
      count: 1,
      bytes: 640,
      fromMs: START_MS,
      toMs: START_MS,
      cause: 'buffer_full',
      ...changes,
    },
    sequence,
    { epoch },
  );
const takenOver = (cause: EventData['session_taken_over']['cause'], epoch: number) =>
  event('session_taken_over', { previousEpoch: epoch - 1, cause }, 1, { epoch });
const audio = (...sequences: number[]) => sequences.map((sequence) => frame({ sequence }));

function check(frames: readonly Frame[], events: readonly ReceivedEvent[]) {
  const checker = new LedgerChecker();
  for (const each of frames) checker.frame(each);
  for (const each of events) checker.event(each);
  return checker.report();
}

describe('a ledger that adds up', () => {
  test.each<[string, Frame[], ReceivedEvent[]]>([
    ['all written', audio(1, 2, 3), [ended([row(), lines(0)], 1)]],
    [
      'one lost and explained',
      audio(1, 3),
      [gap({}), ended([row({ written: 2, lost: 1 }), lines(1)], 2)],
    ],
    [
      'lost at the end',
      audio(1, 2),
      [gap({ fromSequence: 3, toSequence: 3 }), ended([row({ written: 2, lost: 1 }), lines(1)], 2)],
    ],
    [
      'counted as lost, but written all the same',
      audio(1, 2, 3),
      [gap({ cause: 'write_failed' }), ended([row({ written: 2, lost: 1 }), lines(1)], 2)],
    ],
    ['handed over', audio(1, 2, 3), [handedOver([row(), lines(0)], 1)]],
    ['still running', audio(1, 2, 3), []],
    [
      'transcript and chat lines',
      [],
      [
        event('transcript', { text: 'hi', userName: 'Ada', timestampMs: START_MS }, 1),
        event('chat', { text: 'hi', timestampMs: START_MS }, 2),
        gap({ mediaType: 'chat', fromSequence: 3, toSequence: 5, count: 2 }, 4),
        ended(
          [
            { mediaType: 'transcript', received: 1, written: 1, lost: 0 },
            { mediaType: 'chat', received: 3, written: 1, lost: 2 },
            lines(1),
          ],
          6,
        ),
      ],
    ],
    [
      'a source that was lost altogether',
      [],
      [
        gap({ userId: 9, fromSequence: 1, toSequence: 3, count: 3 }),
        ended([row({ userId: 9, written: 0, lost: 3 }), lines(1)], 2),
      ],
    ],
  ])('is accepted: %s', (_what, frames, events) => {
    expect(check(frames, events).problems).toEqual([]);
    expect(check(frames, events).ok).toBe(true);
  });

  test('is counted per source, with duplicates', () => {
    const { ok, sources } = check(audio(1, 2, 2, 3, 1), [ended([row(), lines(0)], 1)]);
    expect(ok).toBe(true);
    expect(sources).toMatchObject([
      { mediaType: 'audio', userId: 7, found: 3, duplicates: 2, received: 3, written: 3, lost: 0 },
      { mediaType: 'events', found: 0, received: 0 },
    ]);
  });

  test('is not disturbed by an event that comes twice', () => {
    const events = [gap({}), gap({}), ended([row({ written: 2, lost: 1 }), lines(1)], 2)];
    expect(check(audio(1, 3), events).ok).toBe(true);
  });
});

describe('a ledger that does not add up', () => {
  test.each<[string, Frame[], ReceivedEvent[], string]>([
    [
      'a frame lacks',
      audio(1, 3),
      [ended([row(), lines(0)], 1)],
      '1 neither written nor explained',
    ],
    ['the last frame lacks', audio(1, 2), [ended([row(), lines(0)], 1)], '1 neither written'],
    ['a frame lacks in a running epoch', audio(1, 3), [], '1 neither written nor explained'],
    [
      'an unnamed loss',
      audio(1, 2),
      [ended([row({ written: 2, lost: 1 }), lines(0)], 1)],
      'gap events name 0',
    ],
    [
      'a sum that is none',
      audio(1, 2, 3),
      [ended([row({ lost: 1 }), lines(0)], 1)],
      'is not 3 + 1',
    ],
    ['a source unknown to it', audio(1), [ended([lines(0)], 1)], 'the ledger does not name it'],
    [
      'more than received',
      audio(1, 2, 3, 4),
      [ended([row({ written: 4 }), lines(0)], 1)],
      'more than was',
    ],
    ['an event line lacks', audio(1, 2, 3), [ended([row(), lines(0)], 2)], 'lines: 1 neither'],
  ])('is refused: %s', (_what, frames, events, problem) => {
    const { ok, problems } = check(frames, events);
    expect(ok).toBe(false);
    expect(problems.join('\n')).toContain(problem);
    expect(problems[0]).toMatch(/^stream-1 epoch 1 /);
  });

  test.each([
    ['an owner that is at work', audio(1, 2), [], true],
    ['an owner that was lost', audio(1, 2), [takenOver('owner_lost', 2)], true],
    ['an owner that wrote a later frame', audio(1, 2, 7), [], false],
    [
      'an owner with a ledger',
      audio(1, 2),
      [ended([row({ received: 6, lost: 2, written: 4 }), lines(1)], 2)],
      false,
    ],
  ])('says of frames 3 and 4, behind which a gap is told: %s', (_what, frames, events, isOk) => {
    const told = gap({ fromSequence: 5, toSequence: 6, count: 2, cause: 'spool_full' });
    expect(check(frames, [told, ...events]).ok).toBe(isOk);
  });

  test('names the ranges of numbers that are missing', () => {
    const { sources } = check(audio(1, 4, 5, 8), []);
    expect(sources[0]).toMatchObject({
      missingCount: 4,
      missing: [
        { from: 2, to: 3 },
        { from: 6, to: 7 },
      ],
    });
  });
});

describe('a change of owner', () => {
  const before = audio(1, 2, 3);
  const after = [1, 2].map((sequence) =>
    frame({ sequence, epoch: 2, capturedAtMs: START_MS + 5_000 + sequence * 20 }),
  );

  const started = event(
    'session_started',
    {
      product: 'meeting',
      entityId: 'a/b==',
      media: { audio: {}, transcript: {} } as never,
      requestedAtMs: START_MS,
      claimedAtMs: START_MS,
      streamingAtMs: START_MS,
    },
    1,
    { epoch: 1 },
  );

  test('after a lost owner leaves a gap from the end of its last audio to the next', () => {
    const events = [
      takenOver('owner_lost', 2),
      ended([row({ received: 2, written: 2 }), lines(1)], 2, 2),
    ];
    const { ok, holes, sources } = check([...before, ...after], events);
    expect(ok).toBe(true);
    expect(holes).toEqual([
      {
        rtmsStreamId: 'stream-1',
        mediaType: 'audio',
        fromEpoch: 1,
        toEpoch: 2,
        cause: 'owner_lost',
        fromMs: START_MS + 60,
        toMs: START_MS + 5_020,
      },
    ]);
    expect(sources.map(({ epoch, epochEnd }) => [epoch, epochEnd])).toContainEqual([
      1,
      'owner_lost',
    ]);
  });

  describe('after the end of the stream', () => {
    const END_MS = START_MS + 60_000;
    const told = [
      takenOver('owner_lost', 2),
      event('session_ended', { restartable: false, ledger: [lines(1)] }, 2, {
        epoch: 2,
        timeMs: END_MS,
      }),
    ];

    test('may lack all that the lost owner had not written', () => {
      const { verdict, losses } = check(before, [started, ...told]);
      expect(verdict).toBe('incomplete');
      const common = { kind: 'hole', epoch: 2, cause: 'owner_lost', toMs: END_MS };
      expect(losses).toMatchObject([
        { ...common, mediaType: 'transcript', fromMs: START_MS },
        { ...common, mediaType: 'audio', fromMs: START_MS + 60 },
      ]);
    });

    test('lacks all of it when the lost owner had written nothing', () => {
      const seen = event(
        'session_taken_over',
        { previousEpoch: 1, cause: 'owner_lost', ownerSeenAtMs: START_MS + 30_000 },
        1,
        { epoch: 2 },
      );
      const { verdict, losses } = check([], [seen, told[1] as ReceivedEvent]);
      expect(verdict).toBe('incomplete');
      expect(losses).toMatchObject([
        {
          kind: 'hole',
          mediaType: 'audio',
          fromMs: START_MS - 30_000,
          toMs: START_MS + 30_000,
        },
        { kind: 'hole', mediaType: 'events', fromMs: START_MS + 30_000, toMs: END_MS },
      ]);
    });

    test('lacks what came when the owner before had left, and no more, when that has written its ledger', () => {
      const handed = handedOver([row(), lines(1)], 2);
      const common = { kind: 'blind', epoch: 2, cause: 'owner_lost', toMs: END_MS };
      expect(check(before, [started, handed, ...told]).losses).toMatchObject([
        { ...common, mediaType: 'transcript', fromMs: START_MS },
        { ...common, mediaType: 'audio', fromMs: START_MS + 60 },
      ]);
    });
  });

  test('leaves a gap since a minute before the announcement, when the lost owner had audio and none of it is written', () => {
    const { verdict, holes } = check(after, [started, takenOver('owner_lost', 2)]);
    expect(verdict).toBe('incomplete');
    expect(holes).toMatchObject([
      { fromEpoch: 1, toEpoch: 2, fromMs: START_MS - 60_000, toMs: START_MS + 5_020 },
    ]);
    // An owner that has written its ledger has accounted for everything.
    const handed = handedOver([lines(1)], 2);
    expect(check(after, [started, handed, takenOver('handed_over', 2)]).holes).toEqual([]);
  });

  test('leaves no gap when the next owner begins with audio of before', () => {
    const overlap = frame({ epoch: 2, capturedAtMs: START_MS });
    expect(check([...before, overlap], []).holes).toEqual([]);
  });
});

describe('verifyLedger', () => {
  test('reads both streams to their end', async () => {
    async function* frames() {
      yield* audio(1, 2, 3);
    }
    const report = await verifyLedger(frames(), [ended([row(), lines(0)], 1)]);
    expect(report.ok).toBe(true);
  });

  test('needs memory for gaps, not for frames', () => {
    const checker = new LedgerChecker();
    const one = frame();
    for (let sequence = 1; sequence <= 200_000; sequence++) checker.frame({ ...one, sequence });
    expect(checker.report().sources[0]).toMatchObject({ found: 200_000, missingCount: 0 });
  });
});

describe('a ledger in pages', () => {
  const page = (number: number, ledger: LedgerRow[]) =>
    event('session_ledger', { page: number, pages: 2, ledger }, number);
  const last = (received: number) =>
    event(
      'session_ended',
      { restartable: false, ledger: [lines(received)], ledgerPages: 2 },
      received + 1,
    );

  test('counts like one in the last event', () => {
    const frames = [...audio(1, 2, 3), frame({ userId: 8, sequence: 1 })];
    const other = row({ userId: 8, received: 1, written: 1 });
    const report = check(frames, [page(1, [row()]), page(2, [other]), last(2)]);
    expect(report.problems).toEqual([]);
    expect(report.sources).toHaveLength(3);
  });

  test('is a problem when one page is missing', () => {
    const { problems } = check(audio(1, 2, 3), [page(1, [row()]), last(1)]);
    expect(problems).toEqual(['stream-1 epoch 1 ledger: 1 of its pages not found']);
  });
});

describe('a frame read back from the disk of a dead runner', () => {
  const back = (sequence: number) => ({ ...frame({ sequence }), recovered: true as const });

  test('explains the numbers right before it, as a loss', () => {
    const report = check(
      [...audio(1, 2), back(6), back(7), ...audio(9).map(() => back(9))],
      [takenOver('owner_lost', 2)],
    );
    expect(report.problems).toEqual([]);
    expect(report.losses).toMatchObject([{ kind: 'gap', cause: 'owner_lost', count: 4 }]);
    expect(report.verdict).toBe('incomplete');
  });

  test('names the time of those numbers, and not that of the frames that are there', () => {
    const at = (sequence: number) => START_MS + sequence * 1_000;
    const one = (sequence: number) => frame({ sequence, capturedAtMs: at(sequence) });
    const spooled = (...sequences: number[]) =>
      sequences.map((sequence) => ({ ...one(sequence), recovered: true as const }));
    const times = (...frames: Frame[]) => {
      const { losses } = check(frames, []);
      return losses.map(({ fromMs, toMs }) => [fromMs, toMs].map((ms) => (ms - START_MS) / 1_000));
    };
    expect(times(one(1), one(2), ...spooled(30, 31, 32))).toEqual([[2, 30]]);
    expect(times(one(1), ...spooled(2, 3, 20, 21, 40, 41))).toEqual([[3, 40]]);
    expect(times(...spooled(30, 31))).toEqual([[30, 30]]);
  });

  test('explains nothing before a frame that came the usual way', () => {
    const { problems } = check([...audio(1, 4), back(6)], [takenOver('owner_lost', 2)]);
    expect(problems).toEqual(['stream-1 epoch 1 audio user 7: 2 neither written nor explained']);
  });

  test('explains lines in the same way', () => {
    const line = (sequence: number) => event('first_packet', { timestampMs: START_MS }, sequence);
    const found = [line(1), { ...line(5), recovered: true as const }];
    const { problems, losses, verdict } = check([], found);
    expect({ problems, verdict }).toEqual({ problems: [], verdict: 'incomplete' });
    expect(losses).toMatchObject([
      { kind: 'gap', mediaType: 'events', cause: 'owner_lost', count: 3 },
    ]);
    expect(check([], [line(1), line(5)]).problems).toHaveLength(1);
  });
});

describe('a meeting of two streams', () => {
  const started = (rtmsStreamId: string, atMs: number, continues?: string) =>
    event(
      'session_started',
      {
        product: 'meeting',
        entityId: 'm==',
        media: { audio: {}, transcript: {}, video: {} },
        requestedAtMs: atMs,
        claimedAtMs: atMs,
        streamingAtMs: atMs,
        ...(continues !== undefined && { continues: { rtmsStreamId: continues } }),
      } as EventData['session_started'],
      1,
      { rtmsStreamId, timeMs: atMs },
    );
  const ends = (rtmsStreamId: string, atMs: number, restartable: boolean) =>
    event('session_ended', { restartable, ledger: [lines(1)] }, 2, {
      rtmsStreamId,
      timeMs: atMs,
    });
  const first = [started('a', START_MS), ends('a', START_MS + 60_000, true)];
  const restart = event('session_restart', { outcome: 'requested', attempt: 1 }, 1, {
    rtmsStreamId: 'a',
    epoch: 2,
  });
  const second = [started('b', START_MS + 65_000, 'a'), ends('b', START_MS + 90_000, false)];

  test('lacks what was said between them, and no picture that nobody sent', () => {
    const report = check([], [...second, restart, ...first]);
    const between = { kind: 'blind', cause: 'restarted', fromMs: START_MS + 60_000 };
    const toMs = START_MS + 65_000;
    expect(report.losses).toEqual([
      { rtmsStreamId: 'b', epoch: 1, mediaType: 'audio', ...between, toMs },
      { rtmsStreamId: 'b', epoch: 1, mediaType: 'transcript', ...between, toMs },
    ]);
    expect(report).toMatchObject({ ok: true, isOpen: false, verdict: 'incomplete' });
  });

  test('is judged by the one that was read, where only one was', () => {
    expect(check([], second).losses).toEqual([]);
    expect(check([], [...first, restart])).toMatchObject({ ok: true, isOpen: false, losses: [] });
  });
});
