import { expect, test } from 'vitest';
import type { EventData, EventName } from '../../../shared/record/event-data.ts';
import { event, frame, START_MS } from '../../../test/support/test-records.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import { LedgerChecker } from './ledger.ts';

/**
 * Zoom announces a stream at 0 s. Its first owners are lost before any of their records tells that media flowed. The last heartbeat that
 * is told comes at 100 s, and media flows at 112 s to the first owner that says so. What the others have left differs.
 */

const at = (seconds: number) => START_MS + seconds * 1_000;
const TYPES = ['audio', 'video', 'transcript'] as const;

const line = <Name extends EventName>(
  epoch: number,
  sequence: number,
  name: Name,
  atS: number,
  data: object,
): ReceivedEvent => event(name, data as EventData[Name], sequence, { epoch, timeMs: at(atS) });

const joined = (epoch: number, atS: number) =>
  line(epoch, 1, 'participant_joined', atS, { participants: [], timestampMs: at(atS) });

/** @param wroteS as the heartbeat said; undefined where it says nothing */
const flows = (epoch: number, { wroteS, announcedS = 0, firstS }: Said = {}): ReceivedEvent[] => [
  line(epoch, 1, 'session_taken_over', 112, {
    previousEpoch: epoch - 1,
    cause: 'owner_lost',
    ownerSeenAtMs: at(100),
    ...(wroteS !== undefined && { ownerWroteUntilMs: at(wroteS) }),
    blind: ['video', 'transcript'].map((mediaType) => ({
      mediaType,
      fromMs: at(100),
      toMs: at(112),
    })),
  }),
  line(epoch, 2, 'session_started', 112, {
    product: 'meeting',
    entityId: 'e',
    media: Object.fromEntries(TYPES.map((type) => [type, {}])),
    requestedAtMs: at(announcedS),
    ...(firstS !== undefined && { runRequestedAtMs: at(firstS) }),
    claimedAtMs: at(112),
    streamingAtMs: at(112),
  }),
];
interface Said {
  readonly wroteS?: number;
  readonly announcedS?: number;
  /** When it was announced before that, as the first owner knew it. */
  readonly firstS?: number;
}

const audio = (epoch: number, atS: number) => frame({ epoch, capturedAtMs: at(atS), userId: 7 });
const picture = (epoch: number, atS: number): Frame =>
  frame({ epoch, capturedAtMs: at(atS), userId: 7, mediaType: 2, codec: 7 });

interface Case {
  readonly frames: readonly Frame[];
  readonly lines: readonly ReceivedEvent[];
  /** What is named of each media type in all, s. */
  readonly named: Partial<Record<(typeof TYPES)[number], readonly [number, number]>>;
}

test.each<[string, Case]>([
  [
    'nothing, and the announcement came late',
    {
      frames: [audio(2, 111)],
      lines: flows(2),
      named: { audio: [-60, 111], transcript: [0, 112] },
    },
  ],
  [
    'one line of signaling',
    {
      frames: [audio(2, 111), picture(2, 113)],
      lines: [joined(1, 5), ...flows(2)],
      named: { audio: [-60, 111], transcript: [5, 112], video: [0, 112] },
    },
  ],
  [
    'one line of signaling, and the heartbeat said that all was written',
    {
      frames: [audio(2, 111), picture(2, 113)],
      lines: [joined(1, 5), ...flows(2, { wroteS: 90 })],
      named: { audio: [30, 111], transcript: [85, 112], video: [90, 112] },
    },
  ],
  [
    'one line of signaling, and Zoom has announced the stream once more',
    {
      frames: [audio(2, 111)],
      lines: [joined(1, 5), ...flows(2, { announcedS: 104 })],
      named: { audio: [-55, 111], transcript: [5, 112], video: [5, 112] },
    },
  ],
  [
    'nothing, and Zoom has announced the stream once more, which the first owner had known from the first announcement',
    {
      frames: [audio(2, 111)],
      lines: flows(2, { announcedS: 20, firstS: 0 }),
      named: { audio: [-60, 111], transcript: [0, 112] },
    },
  ],
  [
    'nothing, and those of the second owner frames from its disk',
    {
      frames: [audio(2, 103), picture(2, 104), audio(3, 111), picture(3, 113)],
      lines: flows(3),
      named: { audio: [-60, 111], transcript: [0, 112], video: [0, 112] },
    },
  ],
  [
    'nothing, and those of the second owner one line, and one of the third',
    {
      frames: [audio(4, 111)],
      lines: [joined(2, 101), joined(3, 102), ...flows(4)],
      named: { audio: [-60, 111], transcript: [0, 112] },
    },
  ],
])(
  'what was lost before any record said that media flowed is named. Records of the first owner: %s',
  (_how, { frames, lines, named }) => {
    const checker = new LedgerChecker();
    for (const one of frames) checker.frame(one);
    for (const one of lines) checker.event(one);
    const { losses, problems, verdict } = checker.report();
    expect({ problems, verdict }).toEqual({ problems: [], verdict: 'incomplete' });
    const spans = TYPES.flatMap((type) => {
      const of = losses.filter(({ mediaType }) => mediaType === type);
      if (of.length === 0) return [];
      const fromMs = Math.min(...of.map((loss) => loss.fromMs));
      return [
        [type, [fromMs, Math.max(...of.map(({ toMs }) => toMs))].map((ms) => (ms - at(0)) / 1e3)],
      ];
    });
    expect(Object.fromEntries(spans)).toEqual(named);
  },
);

test('nothing is named of a stream whose first owner wrote one line and handed it over in order', () => {
  const checker = new LedgerChecker();
  checker.event(joined(1, 5));
  const ledger = [{ mediaType: 'events', received: 1, written: 1, lost: 0 }];
  checker.event(line(1, 2, 'session_handed_over', 6, { cause: 'shutdown', ledger }));
  const [taken, started] = flows(2) as [ReceivedEvent, ReceivedEvent];
  const data = { previousEpoch: 1, cause: 'handed_over', ownerSeenAtMs: at(6), blind: [] };
  checker.event({ ...taken, data } as ReceivedEvent);
  checker.event(started);
  checker.frame(audio(2, 1));
  expect(checker.report()).toMatchObject({ losses: [], verdict: 'complete' });
});
