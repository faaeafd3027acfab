import { expect, test } from 'vitest';
import type { BlindTime, EventData, EventName } from '../../../shared/record/event-data.ts';
import { event, frame, START_MS } from '../../../test/support/test-records.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import { LedgerChecker } from './ledger.ts';

/**
 * Streams of audio and transcript, s after the beginning. Owner A receives from 0 s on and has left it by 10 s. All that its
 * records and those of its successors must name is the time until somebody receives the stream again, or until Zoom ends it; and of the
 * transcript the 5 s before the heartbeat of an owner that was lost, as far as no line of it comes later.
 */

const at = (seconds: number) => START_MS + seconds * 1_000;
const MEDIA = { audio: {}, transcript: {} };

type Line = (sequence: number) => ReceivedEvent;

/** Numbers the lines of one epoch. */
const epoch = (number: number, ...lines: readonly ((epoch: number) => Line)[]) =>
  lines.map((line, index) => line(number)(index + 1));

const line =
  <Name extends EventName>(name: Name, atS: number, data: object) =>
  (number: number) =>
  (sequence: number) =>
    event(name, data as EventData[Name], sequence, { epoch: number, timeMs: at(atS) });

const ledger = (lines: number, audioFrames = 0) => [
  ...(audioFrames === 0
    ? []
    : [{ mediaType: 'audio', userId: 7, received: audioFrames, written: audioFrames, lost: 0 }]),
  { mediaType: 'events', received: lines, written: lines, lost: 0 },
];
const started = (atS: number, more: object = {}) =>
  line('session_started', atS, {
    product: 'meeting',
    entityId: 'e',
    media: MEDIA,
    requestedAtMs: at(0),
    claimedAtMs: at(atS),
    streamingAtMs: at(atS),
    ...more,
  });
const blind = (fromS: number, toS: number): BlindTime[] =>
  toS > fromS ? [{ mediaType: 'transcript', fromMs: at(fromS), toMs: at(toS) }] : [];
const takenOver = (
  cause: 'handed_over' | 'owner_lost' | 'restarted',
  seenS: number,
  atS: number,
  ranToS = atS,
) =>
  line('session_taken_over', atS, {
    previousEpoch: 1,
    cause,
    ownerSeenAtMs: at(seenS),
    // All that it had received by then was written: unaccounted-held.test.ts has owners that held something.
    ...(cause === 'owner_lost' && { ownerWroteUntilMs: at(seenS) }),
    blind: cause === 'restarted' ? [] : blind(seenS, ranToS),
  });
const joined = (atS: number) =>
  line('participant_joined', atS, { participants: [], timestampMs: at(atS) });
const scope = (durationMs: number, of = 'signaling') =>
  ({ scope: of, cause: 'x', attempt: 1, durationMs }) as const;
const interrupted = (atS: number, of?: string) => line('session_interrupted', atS, scope(0, of));
const handedOver = (atS: number, lines: number, audioFrames = 0) =>
  line('session_handed_over', atS, { cause: 'shutdown', ledger: ledger(lines, audioFrames) });
const ended = (atS: number, lines: number, more: object = { leftAtMs: at(atS) }) =>
  line('session_ended', atS, {
    stopReason: 6,
    restartable: false,
    ledger: ledger(lines),
    ...more,
  });

/** A second of audio up to 10 s, of owner A. */
const audioOfA = Array.from({ length: 50 }, (_, index) =>
  frame({ sequence: index + 1, capturedAtMs: at(9) + index * 20 }),
);
const aHandedOver = epoch(1, started(0), handedOver(10.5, 1, 50));
/** Its last heartbeat and its last line come at 10 s. */
const aLost = epoch(1, started(0), joined(10));

/** The times that losses name of a media type, joined, in seconds. */
function named(events: readonly ReceivedEvent[], mediaType: string): number[][] {
  const checker = new LedgerChecker();
  for (const one of audioOfA) checker.frame(one);
  for (const one of events) checker.event(one);
  const { losses, problems } = checker.report();
  expect(problems).toEqual([]);
  const spans = losses
    .filter((loss) => loss.mediaType === mediaType)
    .map(({ fromMs, toMs }) => [fromMs, toMs].map((ms) => (ms - START_MS) / 1_000))
    .sort(([a = 0], [b = 0]) => a - b);
  const all: number[][] = [];
  for (const [from = 0, to = 0] of spans) {
    const last = all.at(-1);
    if (last !== undefined && from <= (last[1] as number)) last[1] = Math.max(to, last[1] ?? 0);
    else all.push([from, to]);
  }
  return all;
}

const told = takenOver('handed_over', 10, 12);

test.each<[string, readonly ReceivedEvent[], number[][], number[][]?]>([
  [
    'its successor told of it when somebody joined, and Zoom ended the stream before media flowed',
    [...aHandedOver, ...epoch(2, told, joined(12), ended(40, 2))],
    [[10, 40]],
  ],
  [
    'the same, and what waited for Kinesis came much later',
    [...aHandedOver, ...epoch(2, told, joined(12), ended(240, 2, { leftAtMs: at(40) }))],
    [[10, 40]],
  ],
  [
    'the same, by a runner that does not say when it knew of the end',
    [...aHandedOver, ...epoch(2, told, joined(12), ended(41, 2, {}))],
    [[10, 41]],
  ],
  [
    'an operator stopped it then',
    [...aHandedOver, ...epoch(2, told, ended(40, 1, { stopReason: 20, leftAtMs: at(40) }))],
    [[10, 40]],
  ],
  [
    'Zoom refused it without a reason',
    [...aHandedOver, ...epoch(2, told, ended(40, 1, { stopReason: undefined, leftAtMs: at(40) }))],
    [[10, 40]],
  ],
  [
    'it was revoked then',
    [
      ...aHandedOver,
      ...epoch(2, told, line('session_revoked', 40, { timestampMs: at(40) }), ended(40, 2)),
    ],
    [[10, 40]],
  ],
  [
    'it was lost, and its successor was never connected to the media',
    [...aLost, ...epoch(2, takenOver('owner_lost', 10, 22), joined(25), ended(40, 2))],
    [[10, 40]],
  ],
  [
    'its successor was drained before media flowed, and the next one came to the end only',
    [
      ...aHandedOver,
      ...epoch(2, told, joined(20), handedOver(25, 2)),
      ...epoch(3, takenOver('handed_over', 11, 40), ended(40, 1)),
    ],
    [[10, 40]],
  ],
  [
    'its successor was killed before it wrote anything, and the next one came to the end only',
    [...aHandedOver, ...epoch(3, takenOver('owner_lost', 10, 40), ended(40, 1))],
    [[10, 40]],
  ],
  [
    'its successor was killed after lines of signaling, and the next one received the stream',
    [
      ...aHandedOver,
      ...epoch(2, told, joined(20)),
      ...epoch(3, takenOver('owner_lost', 11, 40), started(40)),
    ],
    [[10, 40]],
    [],
  ],
  [
    'its successor was drained after lines of signaling, and the next one received the stream',
    [
      ...aHandedOver,
      ...epoch(2, told, joined(20), handedOver(25, 2)),
      ...epoch(3, takenOver('handed_over', 11, 30), started(30)),
    ],
    [[10, 30]],
    [],
  ],
  [
    'the transcript of its successor came later than the audio',
    [
      ...aHandedOver,
      ...epoch(
        2,
        line('session_taken_over', 20, {
          previousEpoch: 1,
          cause: 'handed_over',
          ownerSeenAtMs: at(10),
          blind: [],
        }),
        started(20, {
          media: { audio: {} },
          leftOut: [{ mediaType: 'transcript', reason: 'not_connected' }],
        }),
        interrupted(20, 'transcript'),
        line('session_reconnected', 50, { ...scope(31_000, 'transcript'), blind: blind(19, 50) }),
      ),
    ],
    [[10, 50]],
    [],
  ],
  [
    'two owners took over and were connected to nothing, for longer than Zoom keeps audio',
    [
      ...aHandedOver,
      ...epoch(2, takenOver('handed_over', 10, 30), handedOver(30, 1)),
      ...epoch(3, takenOver('handed_over', 30, 80), started(80)),
    ],
    [[10, 80]],
    [[10, 20]],
  ],
  [
    'the transcript of its successor never came, and that was lost',
    [
      ...aHandedOver,
      ...epoch(
        2,
        line('session_taken_over', 20, {
          previousEpoch: 1,
          cause: 'handed_over',
          ownerSeenAtMs: at(10),
          blind: [],
        }),
        started(20, {
          media: { audio: {} },
          leftOut: [{ mediaType: 'transcript', reason: 'not_connected' }],
        }),
      ),
      ...epoch(3, takenOver('owner_lost', 60, 75), started(75)),
    ],
    [[10, 75]],
    // Nothing of the lost one is in the records. Of a minute it may come still.
    [[10, 15]],
  ],
  [
    'its connection was lost long before it handed over, so that Zoom threw audio away',
    [
      ...epoch(1, started(0), interrupted(10), handedOver(80, 2, 50)),
      ...epoch(2, takenOver('handed_over', 80, 81), started(81)),
    ],
    [[10, 81]],
    [[10, 21]],
  ],
  ...(
    [
      ['its connection', []],
      ['its connection, of which it told nothing more,', [interrupted(20, 'transcript')]],
    ] as const
  ).map(([whose, more]): [string, readonly ReceivedEvent[], number[][], number[][]] => [
    `${whose} was down when it handed over, and the clock of its successor is behind`,
    [
      ...epoch(1, started(0), interrupted(10), ...more, handedOver(30, 2 + more.length, 50)),
      ...epoch(
        2,
        line('session_taken_over', 30, {
          previousEpoch: 1,
          cause: 'handed_over',
          ownerSeenAtMs: at(30),
          blind: [],
        }),
        started(29.7),
      ),
    ],
    [[10, 29.7]],
    [],
  ]),
  ...(
    [
      ['handed over', 'handed_over', 60, [handedOver(60, 3, 50)]],
      ['was lost', 'owner_lost', 60, [joined(60)]],
      ['was lost, of which its lines tell nothing', 'owner_lost', 59.9, []],
    ] as const
  ).map(([how, cause, seenS, last]): [string, readonly ReceivedEvent[], number[][], number[][]] => [
    `its connection came back, and it ${how} before Zoom had sent what it had kept`,
    [
      ...epoch(
        1,
        started(0),
        interrupted(10),
        line('session_reconnected', 59.2, { ...scope(49_200), blind: blind(10, 59.2) }),
        ...last,
      ),
      ...epoch(2, takenOver(cause, seenS, 90), started(90)),
    ],
    // A line that came after its heartbeat may have been spoken before it came back.
    last.length === 0
      ? [[10, 90]]
      : [
          [10, 59.2],
          [seenS, 90],
        ],
    [[10, 30]],
  ]),
  [
    'its connection came back twice, each time too shortly to get what Zoom had kept',
    [
      ...epoch(
        1,
        started(0),
        interrupted(10),
        line('session_reconnected', 30, { ...scope(20_000), blind: blind(10, 30) }),
        interrupted(30.3),
        line('session_reconnected', 50, { ...scope(19_700), blind: blind(30.3, 50) }),
        handedOver(50.5, 5, 50),
      ),
      ...epoch(2, takenOver('handed_over', 50.5, 80), started(80)),
    ],
    [
      [10, 30],
      [30.3, 50],
      [50.5, 80],
    ],
    [[10, 20]],
  ],
  [
    'its connection came back for long enough to get what Zoom had kept, and nobody spoke',
    [
      ...epoch(
        1,
        started(0),
        interrupted(10),
        line('session_reconnected', 20, { ...scope(10_000), blind: blind(10, 20) }),
        handedOver(40, 3, 50),
      ),
      ...epoch(2, takenOver('handed_over', 40, 80), started(80)),
    ],
    [
      [10, 20],
      [40, 80],
    ],
    [],
  ],
  [
    'Zoom ended the stream right after its connection had come back',
    [
      ...epoch(
        1,
        started(0),
        interrupted(10),
        line('session_reconnected', 20, { ...scope(10_000), blind: blind(10, 20) }),
        handedOver(20.5, 3, 50),
      ),
      ...epoch(2, takenOver('handed_over', 20.5, 22), ended(40, 1)),
    ],
    [
      [10, 20],
      [20.5, 40],
    ],
    [[10, 40]],
  ],
  [
    'its transcript was down when its signaling was, did not come back with it, and it was killed',
    [
      ...epoch(
        1,
        started(0),
        interrupted(10, 'transcript'),
        interrupted(20),
        line('session_reconnected', 25, { ...scope(5_000), blind: blind(20, 25) }),
        interrupted(25, 'transcript'),
      ),
      ...epoch(2, takenOver('owner_lost', 30, 42), started(42)),
    ],
    [[10, 42]],
    [],
  ],
  [
    'the same, and it came back with it',
    [
      ...epoch(
        1,
        started(0),
        interrupted(10, 'transcript'),
        interrupted(20),
        line('session_reconnected', 25, { ...scope(5_000), blind: blind(20, 25) }),
        line('session_reconnected', 25, { ...scope(15_000, 'transcript'), blind: blind(10, 25) }),
        interrupted(25.5, 'transcript'),
      ),
      ...epoch(2, takenOver('owner_lost', 30, 42), started(42)),
    ],
    [
      [10, 25],
      [25.5, 42],
    ],
    [],
  ],
  [
    'its connection broke while it stood still, which it told 10 s later, and it was killed',
    [
      ...epoch(1, started(0), line('session_interrupted', 20, scope(10_000, 'transcript'))),
      ...epoch(2, takenOver('owner_lost', 30, 42), started(42)),
    ],
    [[10, 42]],
    [],
  ],
  [
    'the same of signaling, and the stream ended',
    [
      ...epoch(1, started(0), line('session_interrupted', 20, scope(10_000))),
      ...epoch(2, takenOver('owner_lost', 30, 42), ended(50, 1)),
    ],
    [[10, 50]],
  ],
  [
    'Zoom had stopped the stream before it left',
    [
      ...aHandedOver,
      ...epoch(2, takenOver('handed_over', 10, 12, 8), ended(12, 1, { leftAtMs: at(8) })),
    ],
    [],
  ],
  [
    'the same, and a runner that does not say when the stream ended took over',
    [...aHandedOver, ...epoch(2, takenOver('handed_over', 10, 12, 8), ended(12, 1, {}))],
    [],
  ],
  [
    'such a runner took over long after Zoom had stopped the stream',
    [...aHandedOver, ...epoch(2, takenOver('handed_over', 10, 140, 15), ended(141, 1, {}))],
    [[10, 15]],
  ],
  [
    'it had ended the stream, which was revoked an hour later',
    [
      ...epoch(1, started(0), ended(10, 1, { leftAtMs: at(10), ledger: ledger(1, 50) })),
      ...epoch(2, takenOver('restarted', 10, 3_600), ended(3_600, 1)),
    ],
    [],
  ],
])('all that is missing is named, and no more, where %s', (_where, events, transcript, audio) => {
  expect(named(events, 'transcript')).toEqual(transcript);
  expect(named(events, 'audio')).toEqual(audio ?? transcript);
});

/** Media flows to it from then on. */
const flows = (number: number, seenS: number, atS: number, ...more: ReturnType<typeof line>[]) =>
  epoch(number, takenOver('owner_lost', seenS, atS), started(atS), ...more);
const drainedAt = (number: number, seenS: number, atS: number, leftS: number) =>
  epoch(number, takenOver('handed_over', seenS, atS), started(atS), handedOver(leftS, 2));
const endsAt = (number: number, cause: 'handed_over' | 'owner_lost', seenS: number, atS: number) =>
  epoch(number, takenOver(cause, seenS, atS), ended(atS, 1));

/** Owners after A that are connected for a moment, too short to get the audio that Zoom has kept since A. */
test.each<[string, readonly ReceivedEvent[], number[][], number[][]]>([
  [
    'A was lost, so was B, and Zoom ended the stream',
    [...aLost, ...flows(2, 10, 14), ...endsAt(3, 'owner_lost', 14.3, 40)],
    [[10, 40]],
    [[10, 40]],
  ],
  [
    'A was lost, so were B and C',
    [...aLost, ...flows(2, 10, 14), ...flows(3, 14.3, 26), ...endsAt(4, 'owner_lost', 26.3, 40)],
    [[10, 40]],
    [[10, 40]],
  ],
  [
    'A was lost, so were B, C and D',
    [
      ...aLost,
      ...flows(2, 10, 14),
      ...flows(3, 14.3, 26),
      ...flows(4, 26.3, 37),
      ...endsAt(5, 'owner_lost', 37.3, 40),
    ],
    [[10, 40]],
    [[10, 40]],
  ],
  [
    'A handed over, and B was lost',
    [...aHandedOver, ...flows(2, 10, 14), ...endsAt(3, 'owner_lost', 14.3, 40)],
    [[10, 40]],
    [[10, 40]],
  ],
  [
    'A handed over, and so did B',
    [...aHandedOver, ...drainedAt(2, 10, 14, 14.3), ...endsAt(3, 'handed_over', 14.3, 40)],
    [
      [10, 14],
      [14.3, 40],
    ],
    [[10, 40]],
  ],
  [
    'A handed over, so did B and C',
    [
      ...aHandedOver,
      ...drainedAt(2, 10, 14, 14.3),
      ...drainedAt(3, 14.3, 20, 20.3),
      ...endsAt(4, 'handed_over', 20.3, 40),
    ],
    [
      [10, 14],
      [14.3, 20],
      [20.3, 40],
    ],
    [[10, 40]],
  ],
  [
    'A handed over, so did B, and C was lost',
    [
      ...aHandedOver,
      ...drainedAt(2, 10, 14, 14.3),
      ...flows(3, 14.3, 20),
      ...endsAt(4, 'owner_lost', 20.3, 40),
    ],
    [
      [10, 14],
      [14.3, 40],
    ],
    [[10, 40]],
  ],
  [
    'A handed over, so did B right after media flowed to it, and C came later than Zoom keeps audio',
    [
      ...aHandedOver,
      ...drainedAt(2, 10, 72, 72.3),
      ...epoch(3, takenOver('handed_over', 72.3, 80), started(80)),
    ],
    [
      [10, 72],
      [72.3, 80],
    ],
    [[10, 20]],
  ],
  [
    'B was connected for as long as Zoom needs to send what it has kept: nobody spoke',
    [...aHandedOver, ...drainedAt(2, 10, 14, 24), ...endsAt(3, 'handed_over', 24, 40)],
    [
      [10, 14],
      [24, 40],
    ],
    // By the clock of Zoom B may have left earlier.
    [[19, 40]],
  ],
  [
    'the audio of B came late and never, that of A was the last',
    [
      ...aHandedOver,
      ...epoch(
        2,
        takenOver('handed_over', 10, 14),
        started(14, {
          media: { transcript: {} },
          leftOut: [{ mediaType: 'audio', reason: 'not_connected' }],
        }),
        handedOver(30, 2),
      ),
      ...endsAt(3, 'handed_over', 30, 40),
    ],
    [
      [10, 14],
      [30, 40],
    ],
    [[10, 40]],
  ],
  [
    'the stream ended right after media flowed to B, before Zoom had sent what it had kept',
    [...aHandedOver, ...epoch(2, takenOver('handed_over', 10, 14), started(14), ended(14.3, 2))],
    [[10, 14]],
    [[10, 14.3]],
  ],
  [
    'B was lost, and the stream ended right after media flowed to C',
    [
      ...aLost,
      ...flows(2, 10, 14),
      ...epoch(3, takenOver('owner_lost', 14.3, 26), started(26), ended(26.3, 2)),
    ],
    [[10, 26]],
    [[10, 26.3]],
  ],
  [
    'B was lost, and C received the stream for long, in which nobody spoke',
    [
      ...aLost,
      ...flows(2, 10, 14),
      ...epoch(3, takenOver('owner_lost', 14.3, 26), started(26), ended(60, 2)),
    ],
    [[10, 26]],
    [[10, 26]],
  ],
])(
  'what the owners in between did not get is named, media types apart: %s',
  (_how, events, transcript, audio) => {
    expect(named(events, 'transcript')).toEqual(transcript);
    expect(named(events, 'audio')).toEqual(audio);
  },
);

test('audio of a minute before the announcement is named, where no owner stayed for long enough to get what Zoom had kept', () => {
  const checker = new LedgerChecker();
  const events = [
    ...epoch(1, started(10), handedOver(10.2, 1)),
    ...epoch(2, takenOver('handed_over', 10.2, 12), started(12), ended(12.3, 2)),
  ];
  for (const one of events) checker.event(one);
  const audio = checker.report().losses.filter(({ mediaType }) => mediaType === 'audio');
  expect(audio.map(({ kind, fromMs, toMs }) => [kind, fromMs, toMs])).toEqual([
    ['blind', at(-60), at(12.3)],
  ]);
});
