import { describe, expect, test } from 'vitest';
import type { EventData, EventName, LedgerRow } from '../../../shared/record/event-data.ts';
import { event, frame, START_MS } from '../../../test/support/test-records.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import { LedgerChecker } from './ledger.ts';

/**
 * Owner A receives a stream from 0 s on. Its last heartbeat comes at 100 s, then it is lost; media flows to B at 112 s. What A wrote differs,
 * and what its heartbeat said.
 */

const at = (seconds: number) => START_MS + seconds * 1_000;

const line = <Name extends EventName>(
  name: Name,
  atS: number,
  data: object,
  epoch: number,
  sequence: number,
) => event(name, data as EventData[Name], sequence, { epoch, timeMs: at(atS) });

const mediaOf = (...types: string[]) => Object.fromEntries(types.map((type) => [type, {}]));
const started = (atS: number, types: string[], epoch = 1, sequence = 1) =>
  line(
    'session_started',
    atS,
    {
      product: 'meeting',
      entityId: 'e',
      media: mediaOf(...types),
      requestedAtMs: at(0),
      claimedAtMs: at(atS),
      streamingAtMs: at(atS),
    },
    epoch,
    sequence,
  );
/** @param wroteS until when all was written, as the heartbeat said; undefined: an older runner */
const takenOver = (
  types: string[],
  wroteS: number | undefined,
  { epoch = 2, seenS = 100, atS = 112 } = {},
) =>
  line(
    'session_taken_over',
    atS,
    {
      previousEpoch: 1,
      cause: 'owner_lost',
      ownerSeenAtMs: at(seenS),
      ...(wroteS !== undefined && { ownerWroteUntilMs: at(wroteS) }),
      blind: types
        .filter((type) => type !== 'audio')
        .map((mediaType) => ({ mediaType, fromMs: at(seenS), toMs: at(atS) })),
    },
    epoch,
    1,
  );
const ended = (atS: number, ledger: readonly LedgerRow[], epoch = 2, sequence = 3) =>
  line(
    'session_ended',
    atS,
    { stopReason: 6, restartable: false, leftAtMs: at(atS), ledger },
    epoch,
    sequence,
  );
const spoken = (atS: number, sequence: number, epoch = 1) =>
  line('transcript', atS, { text: 'x', timestampMs: at(atS) }, epoch, sequence);

const MEDIA_TYPE = { audio: 1, video: 2, deskshare: 4 } as const;
/** A frame of 20 ms audio, or a picture. */
const sample = (
  type: keyof typeof MEDIA_TYPE,
  atS: number,
  sequence = 1,
  epoch = 1,
  userId = 7,
): Frame =>
  frame({
    epoch,
    sequence,
    userId,
    mediaType: MEDIA_TYPE[type],
    ...(type !== 'audio' && { codec: 7 }),
    capturedAtMs: at(atS),
  });

function judged(frames: readonly Frame[], events: readonly ReceivedEvent[]) {
  const checker = new LedgerChecker();
  for (const one of frames) checker.frame(one);
  for (const one of events) checker.event(one);
  const { losses, problems, verdict } = checker.report();
  expect(problems).toEqual([]);
  const of = (mediaType: string) =>
    losses
      .filter((loss) => loss.mediaType === mediaType)
      .map(({ kind, fromMs, toMs }) => [kind, (fromMs - START_MS) / 1e3, (toMs - START_MS) / 1e3]);
  return { of, verdict };
}

/** B receives the stream from 112 s on, and Zoom ends it at 130 s. */
const afterwards = (types: string[], wroteS: number | undefined, audioFrames = 0) => [
  takenOver(types, wroteS),
  started(112, types, 2, 2),
  ended(130, [
    ...(audioFrames === 0
      ? []
      : [
          {
            mediaType: 'audio',
            userId: 7,
            received: audioFrames,
            written: audioFrames,
            lost: 0,
          } as const,
        ]),
    { mediaType: 'events', received: 2, written: 2, lost: 0 },
  ]),
];

describe.each(['transcript', 'chat'])('of the %s of a lost owner', (type) => {
  const types = ['audio', type];
  test.each<[string, ReceivedEvent[], number | undefined, (string | number)[][]]>([
    [
      'all is named after its last line, when Kinesis took nothing since',
      [spoken(30, 2)],
      29,
      [
        ['hole', 30, 100],
        ['blind', 100, 112],
      ],
    ],
    [
      'what came before the outage is not named, though nobody had spoken for long',
      [spoken(5, 2)],
      60,
      [
        ['hole', 55, 100],
        ['blind', 100, 112],
      ],
    ],
    [
      'only what may have come late is named, and the time without a connection, when all was written',
      [spoken(5, 2)],
      100,
      [
        ['hole', 95, 100],
        ['blind', 100, 112],
      ],
    ],
    [
      'only what came after its last line is named, when that is later than its heartbeat',
      [spoken(102, 2)],
      29,
      [['blind', 102, 112]],
    ],
    [
      'all is named after its last line, when nothing tells whether Kinesis took anything',
      [spoken(30, 2)],
      undefined,
      [
        ['hole', 30, 100],
        ['blind', 100, 112],
      ],
    ],
    [
      'all is named since media flowed, when it wrote no line after that',
      [],
      undefined,
      [
        ['hole', 0, 100],
        ['blind', 100, 112],
      ],
    ],
  ])('%s', (_how, lines, wroteS, named) => {
    const events = [started(0, types), ...lines, ...afterwards(types, wroteS)];
    expect(judged([], events).of(type)).toEqual(named);
    expect(judged([], events).verdict).toBe('incomplete');
  });
});

test('a line of any kind proves what came before it, and a frame proves nothing of lines', () => {
  const types = ['audio', 'transcript'];
  const joined = line('participant_joined', 50, { participants: [], timestampMs: at(50) }, 1, 2);
  const events = [started(0, types), joined, ...afterwards(types, 20)];
  expect(judged([sample('audio', 90)], events).of('transcript')[0]).toEqual(['hole', 50, 100]);
});

test('what an owner does not receive any more is the blind time of its connection', () => {
  const types = ['transcript'];
  const data = { scope: 'signaling', cause: 'x', attempt: 0, durationMs: 0 };
  const interrupted = line('session_interrupted', 70, data, 1, 2);
  const events = [started(0, types), interrupted, ...afterwards(types, 40)];
  // The line that tells of it was written, so everything before it was.
  expect(judged([], events).of('transcript')).toEqual([['blind', 70, 112]]);
});

describe.each(['video', 'deskshare'] as const)('of the %s of a lost owner', (type) => {
  const types = ['audio', type];
  test.each<[string, Frame[], number | undefined, (string | number)[][]]>([
    [
      'all is named after its last picture',
      [sample(type, 30)],
      29,
      [
        ['hole', 30.0, 100],
        ['blind', 100, 112],
      ],
    ],
    ['all was written', [sample(type, 30)], 100, [['blind', 100, 112]]],
    ['none was sent', [], 100, []],
    ['there is none, and Kinesis took nothing for long', [], 29, [['hole', 29, 112]]],
    [
      'there is none, and nothing tells whether Kinesis took anything',
      [sample('audio', 29.98)],
      undefined,
      [['hole', 0, 112]],
    ],
    [
      'there is none, and other media were written until its heartbeat',
      [sample('audio', 99)],
      undefined,
      [],
    ],
    [
      'the source that is furthest behind counts',
      [sample(type, 30), sample(type, 90, 1, 1, 8)],
      29,
      [
        ['hole', 30, 100],
        ['blind', 100, 112],
      ],
    ],
  ])('%s', (_how, frames, wroteS, named) => {
    const next = sample('audio', 112, 1, 2);
    const events = [started(0, types), ...afterwards(types, wroteS, 1)];
    expect(judged([...frames, next], events).of(type)).toEqual(named);
  });

  test('a stream is not complete where a share or a camera may have come and gone in an outage', () => {
    // The audio is whole: nobody spoke in between.
    const audio = [sample('audio', 111.98), sample('audio', 112, 1, 2)];
    const of = (wroteS: number) =>
      judged(audio, [started(0, types), ...afterwards(types, wroteS, 1)]).verdict;
    expect(of(100)).toBe('complete');
    expect(of(29)).toBe('incomplete');
  });
});

describe('of audio', () => {
  const types = ['audio'];
  test.each<[string, Frame[], number | undefined, (string | number)[][]]>([
    [
      'no more than what may have come late is named, in a meeting in which everybody was muted',
      [sample('audio', 4.98), sample('audio', 120, 1, 2)],
      100,
      [['hole', 40, 112]],
    ],
    [
      'all the silence is named where the heartbeat does not say that all was written',
      [sample('audio', 4.98), sample('audio', 120, 1, 2)],
      undefined,
      [['hole', 5, 112]],
    ],
    [
      'what was received in an outage is named',
      [sample('audio', 29.98), sample('audio', 101, 1, 2)],
      30,
      [['hole', 30, 101]],
    ],
    [
      'nothing is named where Zoom goes on with what the lost owner had written last',
      [sample('audio', 99.98), sample('audio', 100, 1, 2)],
      100,
      [],
    ],
  ])('%s', (_how, frames, wroteS, named) => {
    const { of, verdict } = judged(frames, [started(0, types), ...afterwards(types, wroteS, 1)]);
    expect(of('audio')).toEqual(named);
    expect(verdict).toBe(named.length === 0 ? 'complete' : 'incomplete');
  });

  test('what the first of two lost owners held is named, though the second one had written all that it received', () => {
    const events = [
      started(0, types),
      takenOver(types, 30),
      started(112, types, 2, 2),
      takenOver(types, 300, { epoch: 3, seenS: 300, atS: 312 }),
      started(312, types, 3, 2),
    ];
    expect(
      judged([sample('audio', 29.98), sample('audio', 320, 1, 3)], events).of('audio'),
    ).toEqual([
      ['hole', 30, 112],
      ['hole', 240, 312],
    ]);
  });
});

test('of audio that was read back from a disk, the speaker who is furthest behind counts: a later frame of another one proves nothing', () => {
  const recovered = (atS: number, sequence: number, userId: number): Frame => ({
    ...sample('audio', atS, sequence, 1, userId),
    recovered: true,
  });
  const frames = [recovered(49, 1, 7), recovered(50, 1, 8), recovered(80, 2, 7)];
  const types = ['audio'];
  const events = [started(0, types), takenOver(types, undefined), started(112, types, 2, 2)];
  const { of } = judged([...frames, sample('audio', 101, 1, 2)], events);
  expect(of('audio')).toEqual([['hole', 50.02, 101]]);
});

test('audio that an owner without any record took along is named, though the one before it had handed the stream over', () => {
  const types = ['audio'];
  const handed = line(
    'session_handed_over',
    30,
    {
      cause: 'shutdown',
      ledger: [
        { mediaType: 'audio', userId: 7, received: 1, written: 1, lost: 0 },
        { mediaType: 'events', received: 1, written: 1, lost: 0 },
      ],
    },
    1,
    2,
  );
  const named = (epoch: number) => {
    const change = takenOver(types, undefined, { epoch, seenS: 30 });
    const events = [started(0, types), handed, change, started(112, types, epoch, 2)];
    return judged([sample('audio', 29.98), sample('audio', 110, 1, epoch)], events).of('audio');
  };
  expect(named(3)).toEqual([['hole', 30, 110]]);
  // The next epoch is that of the owner that got all that Zoom had kept, which is a minute.
  expect(named(2)).toEqual([['blind', 30, 52]]);
});

test('what Zoom had kept for an owner that was lost counts as written as far as it is: media flowed later than that was captured', () => {
  const types = ['audio'];
  const events = [started(40, types), ...afterwards(types, 20, 1)];
  const { of } = judged([sample('audio', 29.98), sample('audio', 112, 1, 2)], events);
  expect(of('audio')).toEqual([['hole', 30, 112]]);
});

test('what comes right after the last audio of an owner that left in order is named too: its clock may be ahead of that of Zoom', () => {
  const types = ['audio'];
  const ledger: LedgerRow[] = [
    { mediaType: 'audio', userId: 7, received: 1, written: 1, lost: 0 },
    { mediaType: 'events', received: 1, written: 1, lost: 0 },
  ];
  const named = (lastS: number) => {
    const handed = line('session_handed_over', 30, { cause: 'shutdown', ledger }, 1, 2);
    const change = takenOver(types, undefined, { epoch: 3, seenS: 30 });
    const events = [started(0, types), handed, change, started(112, types, 3, 2)];
    return judged([sample('audio', lastS), sample('audio', 110, 1, 3)], events).of('audio');
  };
  expect(named(26.98)).toEqual([['hole', 27, 110]]);
  // Nobody spoke for longer than clocks differ.
  expect(named(10)).toEqual([['hole', 25, 110]]);
});

test('the same where the one before it left before Zoom had sent any audio: all since a minute before the announcement', () => {
  const types = ['audio'];
  const ledger: LedgerRow[] = [{ mediaType: 'events', received: 1, written: 1, lost: 0 }];
  const events = [
    started(10, types),
    line('session_handed_over', 10.5, { cause: 'caught', ledger }, 1, 2),
    takenOver(types, undefined, { epoch: 3, seenS: 10.5 }),
    started(112, types, 3, 2),
  ];
  expect(judged([sample('audio', 110, 1, 3)], events).of('audio')).toEqual([['hole', -60, 110]]);
});

test('what a lost owner held is named where the next one got no audio, also when it hands the silence on', () => {
  const types = ['audio'];
  const ledger: LedgerRow[] = [{ mediaType: 'events', received: 2, written: 2, lost: 0 }];
  const events = [
    started(0, types),
    takenOver(types, 30),
    started(112, types, 2, 2),
    line('session_handed_over', 200, { cause: 'shutdown', ledger }, 2, 3),
    line(
      'session_taken_over',
      201,
      { previousEpoch: 2, cause: 'handed_over', ownerSeenAtMs: at(200), blind: [] },
      3,
      1,
    ),
    started(201, types, 3, 2),
  ];
  const frames = [sample('audio', 29.98), sample('audio', 500, 1, 3)];
  expect(judged(frames, events).of('audio')).toEqual([['hole', 30, 112]]);
});

describe('of an owner that has left no record at all', () => {
  const types = ['audio', 'transcript'];
  test.each<[string, number | undefined, number, number]>([
    ['since the announcement, and audio of a minute before it', undefined, 0, -60],
    ['since its heartbeat was that of a task that wrote everything', 70, 65, 10],
  ])('everything is named %s', (_how, wroteS, transcriptS, audioS) => {
    const events = [takenOver(types, wroteS), started(112, types, 2, 2)];
    const { of } = judged([sample('audio', 112, 1, 2)], events);
    expect(of('transcript')).toEqual([
      ['hole', transcriptS, 100],
      ['blind', 100, 112],
    ]);
    expect(of('audio')).toEqual([['hole', audioS, 112]]);
  });
});

/** B takes the stream at 112 s, and is connected to nothing; media flows to C at 116 s. */
const handedOn = (announcedS: number) => {
  const given = { cause: 'operator', ledger: [{ mediaType: 'events', ...COUNTS }] };
  const again = line('session_started', 116, FLOW(announcedS), 3, 2);
  return [
    takenOver(['transcript'], 40),
    line('session_handed_over', 114, given, 2, 2),
    line(
      'session_taken_over',
      116,
      { previousEpoch: 2, cause: 'handed_over', ownerSeenAtMs: at(113), blind: [] },
      3,
      1,
    ),
    again,
  ];
};
const COUNTS = { received: 1, written: 1, lost: 0 };
const FLOW = (announcedS: number) => ({
  product: 'meeting',
  entityId: 'e',
  media: mediaOf('audio', 'transcript'),
  requestedAtMs: at(announcedS),
  claimedAtMs: at(116),
  streamingAtMs: at(116),
});

test.each([
  ['and it tells when Zoom announced the stream', 60, [60, 100], [0, 56]],
  ['which Zoom announced once more when it moved it', 104, [35, 100], [-20, 56]],
])(
  'what owners without any record held is named by the first to whom media flows: %s',
  (_what, announcedS, lines, audio) => {
    const { of } = judged([], handedOn(announcedS));
    expect(of('transcript').filter(([kind]) => kind === 'hole')).toEqual([['hole', ...lines]]);
    expect(of('audio').filter(([kind]) => kind === 'hole')).toEqual([['hole', ...audio]]);
  },
);

describe('of the last owner of a stream that ended meanwhile', () => {
  test.each<[string, number | undefined, number[]]>([
    ['all is named after its last line', 29, [30, 130]],
    ['what it had written is not', 100, [95, 130]],
    ['all is named where nothing tells', undefined, [30, 130]],
  ])('%s', (_how, wroteS, [fromS = 0, toS = 0]) => {
    const types = ['transcript'];
    const ledger: LedgerRow[] = [{ mediaType: 'events', received: 1, written: 1, lost: 0 }];
    const events = [
      started(0, types),
      spoken(30, 2),
      takenOver(types, wroteS, { atS: 130 }),
      ended(130, ledger, 2, 2),
    ];
    const spans = judged([], events).of('transcript');
    expect(Math.min(...spans.map(([, from]) => Number(from)))).toBe(fromS);
    expect(Math.max(...spans.map(([, , to]) => Number(to)))).toBe(toS);
  });
});
