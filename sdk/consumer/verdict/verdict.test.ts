import { describe, expect, test } from 'vitest';
import type { BlindTime, EventData } from '../../../shared/record/event-data.ts';
import { event, frame, START_MS } from '../../../test/support/test-records.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import { LedgerChecker } from './ledger.ts';
import { describeLoss, type Loss } from './loss.ts';
import { describeLosses, describeVerdict } from './verdict.ts';

/** Sessions of two epochs, told with the least that tells them. */

const MEDIA = { audio: {}, video: {}, transcript: {}, chat: {} };
const at = (seconds: number) => START_MS + seconds * 1000;

/** A second of audio, user 7 unless said otherwise, from `fromS` on. */
const audio = (epoch: number, fromS: number, changes: Partial<Parameters<typeof frame>[0]> = {}) =>
  Array.from({ length: 50 }, (_, index) =>
    frame({ epoch, sequence: index + 1, capturedAtMs: at(fromS) + index * 20, ...changes }),
  );

/** One picture of user 7: a camera was on. */
const picture = (epoch: number, atS: number) =>
  frame({ epoch, sequence: 1, mediaType: 2, codec: 7, capturedAtMs: at(atS) });

const started = (epoch: number, sequence: number, streamingS: number, media: object = MEDIA) =>
  event(
    'session_started',
    {
      product: 'meeting',
      entityId: 'a/b==',
      media,
      requestedAtMs: START_MS,
      claimedAtMs: at(streamingS),
      streamingAtMs: at(streamingS),
    },
    sequence,
    { epoch },
  );

const takenOver = (data: Omit<EventData['session_taken_over'], 'previousEpoch'>, epoch = 2) =>
  event('session_taken_over', { previousEpoch: epoch - 1, ...data }, 1, { epoch });

/** The last heartbeat of an owner that had written all by then. */
const seenAt = (seconds: number) => ({
  ownerSeenAtMs: at(seconds),
  ownerWroteUntilMs: at(seconds),
});

const blind = (mediaType: BlindTime['mediaType'], fromS: number, toS: number): BlindTime => ({
  mediaType,
  fromMs: at(fromS),
  toMs: at(toS),
});

const ledgerOf = (events: number, frames: number): EventData['session_ended']['ledger'] => [
  ...(frames === 0
    ? []
    : [{ mediaType: 'audio', userId: 7, received: frames, written: frames, lost: 0 } as const]),
  { mediaType: 'events', received: events, written: events, lost: 0 },
];
const ended = (epoch: number, sequence: number, frames: number, changes: object = {}) =>
  event(
    'session_ended',
    { stopReason: 6, restartable: false, ledger: ledgerOf(sequence - 1, frames), ...changes },
    sequence,
    { epoch },
  );
const handedOver = (sequence: number, frames: number) =>
  event(
    'session_handed_over',
    { cause: 'shutdown', ledger: ledgerOf(sequence - 1, frames) },
    sequence,
  );

function report(frames: readonly Frame[], events: readonly ReceivedEvent[]) {
  const checker = new LedgerChecker();
  for (const one of frames) checker.frame(one);
  for (const one of events) checker.event(one);
  return checker.report();
}

/** The gap event of ten audio frames of user 7. */
function lostTen(cause: 'revoked' | 'buffer_full') {
  const [fromSequence, toSequence, count, bytes] = [51, 60, 10, 1];
  const lost = { fromSequence, toSequence, count, bytes, fromMs: at(1), toMs: at(2), cause };
  return event('gap', { mediaType: 'audio', userId: 7, ...lost }, 2);
}

describe('a session is complete', () => {
  test('after a hand-over of audio that lost nothing, though its frames are 20 ms apart', () => {
    const events = [
      started(1, 1, 0, { audio: {} }),
      handedOver(2, 50),
      takenOver({ cause: 'handed_over', ownerSeenAtMs: at(1), blind: [] }),
      started(2, 2, 1.5, { audio: {} }),
      ended(2, 3, 50),
    ];
    expect(report([...audio(1, 0), ...audio(2, 1)], events)).toMatchObject({
      verdict: 'complete',
      losses: [],
      holes: [],
      isOpen: false,
    });
  });

  test('when a speaker was silent around a hand-over', () => {
    const events = [
      started(1, 1, 0, { audio: {} }),
      handedOver(2, 50),
      takenOver({ cause: 'handed_over', blind: [] }),
      ended(2, 2, 50),
    ];
    expect(report([...audio(1, 0), ...audio(2, 9)], events).verdict).toBe('complete');
  });

  test('when its owner was lost while another speaker went on speaking', () => {
    const other = { userId: 8 } as const;
    const frames = [
      ...audio(1, 0),
      ...audio(1, 4, other).map((one, index) => ({ ...one, sequence: index + 1 })),
      ...audio(2, 5, other).map((one, index) => ({ ...one, sequence: index + 1 })),
      ...audio(2, 30),
    ];
    const events = [
      started(1, 1, 0, { audio: {} }),
      takenOver({ cause: 'owner_lost', ownerSeenAtMs: at(2), blind: [] }),
    ];
    expect(report(frames, events)).toMatchObject({ verdict: 'complete', holes: [] });
  });

  test('when frames were dropped because Zoom took the consent back', () => {
    const gap = lostTen('revoked');
    const ledger = [
      { mediaType: 'audio', userId: 7, received: 60, written: 50, lost: 10 },
      { mediaType: 'events', received: 3, written: 3, lost: 0 },
    ];
    const revoked = event('session_revoked', { timestampMs: at(2) }, 3);
    const events = [started(1, 1, 0), gap, revoked, ended(1, 4, 50, { stopReason: 8, ledger })];
    expect(report(audio(1, 0), events)).toMatchObject({
      verdict: 'complete',
      revoked: ['stream-1'],
    });
  });
});

test('a session is complete when no camera was on around the time that nobody received video', () => {
  const events = [
    started(1, 1, 0),
    handedOver(2, 50),
    takenOver({ cause: 'handed_over', blind: [blind('video', 1, 2), blind('deskshare', 1, 2)] }),
    ended(2, 2, 50),
  ];
  expect(report([...audio(1, 0), ...audio(2, 1)], events).verdict).toBe('complete');
});

describe('a session is incomplete', () => {
  test('when its owner was killed: what Zoom does not keep, and what was not written yet', () => {
    const events = [
      started(1, 1, 0),
      takenOver({
        cause: 'owner_lost',
        ...seenAt(0.5),
        blind: [blind('video', 0.5, 12), blind('transcript', 0.5, 12), blind('chat', 0.5, 12)],
      }),
      started(2, 2, 12),
      ended(2, 3, 50),
    ];
    const { verdict, losses, holes, problems } = report(
      [...audio(1, 0), ...audio(2, 1.3), picture(1, 0.1)],
      events,
    );
    expect({ verdict, problems }).toEqual({ verdict: 'incomplete', problems: [] });
    expect(losses.map(({ kind, mediaType }) => `${kind} ${mediaType}`)).toEqual([
      // Of lines that came late, its heartbeat proves nothing.
      'hole transcript',
      'hole chat',
      'blind video',
      'blind transcript',
      'blind chat',
      'hole audio',
    ]);
    expect(holes).toMatchObject([{ fromMs: at(1), toMs: at(1.3) }]);
    expect(losses.map(describeLoss)).toContain(
      'transcript may lack lines between 08:00:00.500 and 08:00:12.000 (11.5 s): its runner was lost',
    );
  });

  test('when two owners in a row were killed, and the second one recorded nothing', () => {
    const bounds = [blind('video', 0.5, 40), blind('transcript', 0.5, 40), blind('chat', 0.5, 40)];
    const events = [
      started(1, 1, 0),
      takenOver({ cause: 'owner_lost', ...seenAt(0.5), blind: bounds }, 3),
      started(3, 2, 40),
      ended(3, 3, 50),
    ];
    const found = report([...audio(1, 0), ...audio(3, 1.3), picture(1, 0.1)], events);
    expect(found).toMatchObject({ verdict: 'incomplete', problems: [] });
    expect(found.losses.map(({ mediaType, fromMs, toMs }) => [mediaType, fromMs, toMs])).toEqual([
      ['transcript', at(0), at(0.5)],
      ['chat', at(0), at(0.5)],
      ['video', at(0.5), at(40)],
      ['transcript', at(0.5), at(40)],
      ['chat', at(0.5), at(40)],
      ['audio', at(1), at(1.3)],
    ]);
  });

  test('when the second of two owners was killed after it had told its blind time, and no more', () => {
    const first = [blind('video', 0.5, 12), blind('transcript', 0.5, 12), blind('chat', 0.5, 12)];
    const second = [blind('video', 0.5, 40), blind('transcript', 0.5, 40), blind('chat', 0.5, 40)];
    const events = [
      started(1, 1, 0),
      takenOver({ cause: 'owner_lost', ...seenAt(0.5), blind: first }, 2),
      takenOver({ cause: 'owner_lost', ...seenAt(0.5), blind: second }, 3),
      started(3, 2, 40),
      ended(3, 3, 50),
    ];
    const found = report([...audio(1, 0), ...audio(3, 1.3), picture(1, 0.1)], events);
    expect(found).toMatchObject({ verdict: 'incomplete', problems: [] });
    expect(found.losses.map(({ mediaType, fromMs, toMs }) => [mediaType, fromMs, toMs])).toEqual([
      ['transcript', at(0), at(0.5)],
      ['chat', at(0), at(0.5)],
      ['video', at(0.5), at(12)],
      ['transcript', at(0.5), at(12)],
      ['chat', at(0.5), at(12)],
      ['audio', at(1), at(1.3)],
      ['video', at(12), at(40)],
      ['transcript', at(12), at(40)],
      ['chat', at(12), at(40)],
    ]);
  });

  test('from the loss of a connection on that was not back when its owner was killed', () => {
    const data = { scope: 'signaling', cause: 'x', attempt: 0, durationMs: 0 } as const;
    const interrupted = { ...event('session_interrupted', data, 2), time: new Date(at(3)) };
    const bounds = [blind('transcript', 20, 30), blind('chat', 20, 30)];
    const events = [
      started(1, 1, 0),
      interrupted,
      takenOver({ cause: 'owner_lost', blind: bounds }),
      started(2, 2, 30),
    ];
    const { losses } = report([], events);
    expect(losses.map(({ mediaType, fromMs, toMs }) => [mediaType, fromMs, toMs])).toEqual([
      // Audio of the first owner may have been lost with it, and what Zoom kept for the second one begins here.
      ['audio', at(-60), at(-30)],
      ['transcript', at(3), at(30)],
      ['chat', at(3), at(30)],
    ]);
  });

  test.each([
    ['from its last audio on', audio(1, 0), at(1)],
    ['from a minute before the announcement on, when it had written none', [], at(-60)],
  ])(
    'when the next owner got no audio that would show what a lost one took along: %s',
    (_title, before, fromMs) => {
      const media = { audio: {} };
      const late = { ...ended(2, 3, 0), time: new Date(at(30)) };
      const again = [takenOver({ cause: 'owner_lost' }), started(2, 2, 12, media), late];
      const { verdict, losses } = report(before, [started(1, 1, 0, media), ...again]);
      expect(verdict).toBe('incomplete');
      expect(losses).toMatchObject([
        { kind: 'hole', mediaType: 'audio', cause: 'owner_lost', fromMs, toMs: at(12) },
      ]);
      // An owner that has accounted for all that it received took nothing along.
      const handed = { ...handedOver(2, before.length), time: new Date(at(10)) };
      expect(report(before, [started(1, 1, 0, media), handed, ...again]).verdict).toBe('complete');
    },
  );

  test('from no earlier than the last record that the lost owner has written', () => {
    const line = event('transcript', { text: 'x', timestampMs: at(3) }, 2);
    const late = { ...line, time: new Date(at(3)) };
    const bounds = [blind('video', 1, 12), blind('transcript', 1, 12)];
    const events = [started(1, 1, 0), late, takenOver({ cause: 'owner_lost', blind: bounds })];
    const { losses } = report([picture(1, 4)], events);
    expect(losses.map(({ mediaType, fromMs, toMs }) => [mediaType, fromMs, toMs])).toEqual([
      ['transcript', at(3), at(12)],
      ['video', at(4), at(12)],
    ]);
  });

  test.each([
    ['lost', 'owner_lost'],
    ['handed over', 'handed_over'],
  ] as const)('when a runner that tells no blind time took over what was %s', (_title, cause) => {
    const before = cause === 'handed_over' ? [handedOver(2, 50)] : [];
    const events = [started(1, 1, 0), ...before, takenOver({ cause }), started(2, 2, 12)];
    const { losses } = report([...audio(1, 0), picture(2, 12), ...audio(2, 1)], events);
    const types = ['video', 'transcript', 'chat'];
    const untilMs = (endMs: number) =>
      losses.filter(({ toMs }) => toMs === endMs).map(({ mediaType }) => mediaType);
    expect(untilMs(at(12))).toEqual(types);
    // A lost one may have held what came before its last record.
    expect(untilMs(at(1))).toEqual(cause === 'owner_lost' ? types : []);
  });

  test('when a connection to Zoom was lost and came back', () => {
    const reconnected = event(
      'session_reconnected',
      { scope: 'signaling', cause: 'x', attempt: 1, durationMs: 2_000 },
      2,
    );
    const losses = report([...audio(1, 0), picture(1, 0)], [started(1, 1, 0), reconnected]).losses;
    expect(losses.map(({ mediaType, cause }) => `${mediaType} ${cause}`)).toEqual([
      'video reconnected',
      'transcript reconnected',
      'chat reconnected',
    ]);
  });

  test('when a connection was lost and did not come back before Zoom ended the stream', () => {
    const data = { scope: 'video', cause: 'x', attempt: 0, durationMs: 0 } as const;
    const interrupted = event('session_interrupted', data, 2);
    const late = (restartable: boolean) => ({
      ...ended(1, 3, 50, { restartable }),
      time: new Date(at(20)),
    });
    const losses = (restartable: boolean) =>
      report([...audio(1, 0), picture(1, 0)], [started(1, 1, 0), interrupted, late(restartable)])
        .losses;
    expect(losses(true)).toMatchObject([{ mediaType: 'video', cause: 'not_reconnected' }]);
    // At the end of a meeting Zoom closes its sockets before it says so.
    expect(losses(false)).toEqual([]);
  });

  test.each([
    [4.9, []],
    [5.1, ['audio', 'transcript', 'chat']],
  ])('when a connection was lost %d s before its meeting ended', (downS, lost) => {
    const data = { scope: 'signaling', cause: 'x', attempt: 0, durationMs: 0 } as const;
    const interrupted = [1, 0.5].map((share, index) => ({
      ...event('session_interrupted', data, 2 + index),
      time: new Date(at(20 - downS * share)),
    }));
    // What waited for Kinesis made the last event late.
    const late = { ...ended(1, 4, 50, { leftAtMs: at(20) }), time: new Date(at(90)) };
    const { losses } = report(audio(1, 0), [started(1, 1, 0), ...interrupted, late]);
    expect(losses.map(({ mediaType }) => mediaType)).toEqual(lost);
    for (const { fromMs, toMs } of losses) expect([fromMs, toMs]).toEqual([at(20 - downS), at(20)]);
  });

  test('when one camera of several did not come back, and nobody had deselected it', () => {
    const data = { scope: 'video', userId: 7, cause: 'x', attempt: 0, durationMs: 0 } as const;
    const interrupted = event('session_interrupted', data, 2);
    const selected = (...userIds: number[]) =>
      event(
        'video_selected',
        {
          follow: 'active-speaker',
          cameras: userIds.map((userId) => ({ userId })),
          timestampMs: at(3),
        },
        3,
      );
    const end = { ...ended(1, 4, 50, { restartable: true }), time: new Date(at(20)) };
    const losses = (selection: ReturnType<typeof selected>) =>
      report([...audio(1, 0), picture(1, 0)], [started(1, 1, 0), interrupted, selection, end])
        .losses;
    expect(losses(selected(7, 8))).toMatchObject([
      { mediaType: 'video', cause: 'not_reconnected' },
    ]);
    expect(losses(selected(8))).toEqual([]);
  });

  test('when a gap event names a loss', () => {
    const gap = lostTen('buffer_full');
    const { verdict, losses } = report(audio(1, 0), [started(1, 1, 0), gap]);
    expect(verdict).toBe('incomplete');
    expect(losses.map(describeLoss)).toEqual([
      'audio of user 7 lacks 10 frames between 08:00:01.000 and 08:00:02.000: buffers were full',
    ]);
  });
});

test('a session is contradictory when frames are missing that nothing explains, whatever else is lost', () => {
  const [first, , ...rest] = audio(1, 0) as [Frame, Frame, ...Frame[]];
  const events = [
    started(1, 1, 0),
    takenOver({ cause: 'owner_lost', blind: [blind('chat', 1, 2)] }),
  ];
  const result = report([first, ...rest], events);
  expect(result.verdict).toBe('contradictory');
  expect(describeVerdict(result).at(-1)).toMatch(
    /^contradictory so far; the session still runs: 1 /,
  );
});

test('one capture time far ahead does not cover up the audio that a lost owner took along', () => {
  const outlier = frame({ sequence: 51, capturedAtMs: at(600) });
  const events = [started(1, 1, 0, { audio: {} }), takenOver({ cause: 'owner_lost', blind: [] })];
  const { holes } = report([...audio(1, 0), outlier, ...audio(2, 3)], events);
  expect(holes).toMatchObject([{ fromMs: at(1), toMs: at(3) }]);
});

test.each<[string, readonly Loss['kind'][]]>([
  ['nothing is lost', []],
  ['1 loss', ['gap']],
  ['2 losses', ['gap', 'gap']],
  ['nothing is known to be lost, but something may be in 1 time', ['blind']],
  ['nothing is known to be lost, but something may be in 3 times', ['blind', 'hole', 'blind']],
  ['1 loss, and 1 time in which more may be lost', ['hole', 'gap']],
  ['2 losses, and 2 times in which more may be lost', ['gap', 'blind', 'gap', 'hole']],
])('known losses are told apart from possible ones: %s', (words, kinds) => {
  const where = { rtmsStreamId: 'stream-1', epoch: 2, mediaType: 'transcript', cause: '' } as const;
  const losses = kinds.map((kind) => ({ ...where, kind, fromMs: 0, toMs: 1 }));
  expect(describeLosses(losses)).toBe(words);
});

test('a stream that was never recorded is incomplete, and over', () => {
  const checker = new LedgerChecker();
  const data: EventData['session_missed'] = {
    product: 'meeting',
    entityId: 'a',
    reason: 'refused',
    status: 3,
    requestedAtMs: START_MS,
    ledger: [{ mediaType: 'events', received: 0, written: 0, lost: 0 }],
  };
  checker.event(event('session_missed', data, 1));
  const report = checker.report();
  expect(report).toMatchObject({ verdict: 'incomplete', isOpen: false, problems: [] });
  expect(describeVerdict(report)).toEqual([
    'the stream was never recorded: Zoom refused the handshake (status 3)',
    'incomplete: 1 loss; all named above',
  ]);
});
