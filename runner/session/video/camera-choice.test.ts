import { expect, test } from 'vitest';
import type { VideoFollow } from '../../../shared/video-follow.ts';
import { CameraChooser, type CameraInput } from './camera-choice.ts';

const [ADA, BEN, CAM] = [1, 2, 3] as const;
const NAMES: Readonly<Record<number, string>> = { [ADA]: 'Ada', [BEN]: 'Ben', [CAM]: 'Cam' };

const joined = (...userIds: number[]): CameraInput => ({
  name: 'joined',
  participants: userIds.map((userId) => ({ userId, userName: NAMES[userId] ?? '' })),
});
const on = (...userIds: number[]): CameraInput => ({ name: 'video_on', userIds });
const off = (...userIds: number[]): CameraInput => ({ name: 'video_off', userIds });
const left = (...userIds: number[]): CameraInput => ({ name: 'left', userIds });
const speaks = (userId: number): CameraInput => ({ name: 'speaks', userId });
const refused = (userId: number): CameraInput => ({ name: 'refused', userId });

/** At which ms what happens (nothing: it is only asked), whose camera is on then, and when to ask again. */
type Step = [
  atMs: number,
  input: CameraInput | undefined,
  userId: number | undefined,
  askAgainAtMs?: number,
];

const ALL_ON = [joined(ADA, BEN, CAM), on(ADA, BEN, CAM)];

test.each<[string, VideoFollow, readonly CameraInput[], Step[]]>([
  [
    'the speaker is shown after a second of speech, and no camera for less than three',
    'active-speaker',
    ALL_ON,
    [
      [0, undefined, ADA],
      [5_000, speaks(BEN), ADA, 6_000],
      [5_999, undefined, ADA, 6_000],
      [6_000, undefined, BEN],
      [6_500, speaks(CAM), BEN, 9_000],
      [9_000, undefined, CAM],
    ],
  ],
  [
    'who only coughs is not shown',
    'active-speaker',
    ALL_ON,
    [
      [0, speaks(ADA), ADA],
      [5_000, speaks(BEN), ADA, 6_000],
      [5_900, speaks(ADA), ADA],
      [9_000, undefined, ADA],
    ],
  ],
  [
    'a speaker without a camera changes nothing',
    'active-speaker',
    [joined(ADA, BEN), on(ADA)],
    [
      [0, undefined, ADA],
      [5_000, speaks(BEN), ADA],
      [9_000, on(BEN), BEN],
    ],
  ],
  [
    'a camera that goes off gives way to the speaker at once',
    'active-speaker',
    ALL_ON,
    [
      [0, undefined, ADA],
      [100, speaks(CAM), ADA, 3_000],
      [200, off(ADA), CAM],
      [300, left(CAM), BEN],
      [400, off(BEN), undefined],
      [500, on(BEN), BEN],
    ],
  ],
  [
    'without a word on cameras everybody may have one',
    'active-speaker',
    [joined(ADA, BEN)],
    [
      [0, undefined, ADA],
      [100, off(ADA), undefined],
      [200, on(BEN), BEN],
    ],
  ],
  [
    'whom Zoom refuses is left for a while',
    'active-speaker',
    [joined(ADA, BEN), on(ADA, BEN)],
    [
      [0, undefined, ADA],
      [10, refused(ADA), BEN, 10_010],
      [20, refused(BEN), undefined, 10_010],
      [10_010, undefined, ADA, 10_020],
    ],
  ],
  ['nobody there', 'active-speaker', [], [[0, undefined, undefined]]],
  [
    'the first pinned one that is there, by name or id, at once',
    { pinned: ['ben', CAM] },
    ALL_ON,
    [
      [0, undefined, BEN],
      [10, speaks(ADA), BEN],
      [20, off(BEN), CAM],
      [30, left(CAM), undefined],
      [40, on(BEN), BEN],
    ],
  ],
  [
    'a pinned one who comes later takes over from one further down',
    { pinned: [BEN, 'Ada'] },
    [joined(ADA), on(ADA)],
    [
      [0, undefined, ADA],
      [10, joined(BEN), ADA],
      [20, on(BEN), BEN],
    ],
  ],
  ['nobody pinned is there: nobody', { pinned: ['Zoe'] }, ALL_ON, [[0, undefined, undefined]]],
  [
    'everybody in turn, in the order of joining',
    { 'round-robin': 2 },
    ALL_ON,
    [
      [0, undefined, ADA, 2_000],
      [1_999, speaks(CAM), ADA, 2_000],
      [2_000, undefined, BEN, 4_000],
      [3_000, off(CAM), BEN, 4_000],
      [4_000, undefined, ADA, 6_000],
      [4_500, left(ADA), BEN],
      [9_000, on(CAM), CAM, 11_000],
    ],
  ],
])('%s', (_title, follow, before, steps) => {
  const chooser = new CameraChooser(follow);
  for (const input of before) chooser.see(input, 0);
  for (const [atMs, input, userId, askAgainAtMs] of steps) {
    if (input !== undefined) chooser.see(input, atMs);
    const userIds = userId === undefined ? [] : [userId];
    expect({ atMs, ...chooser.choose(atMs) }).toEqual({ atMs, userIds, askAgainAtMs });
  }
});

const DEE = 4;
const DEE_JOINED: CameraInput[] = [
  { name: 'joined', participants: [{ userId: DEE, userName: 'Dee' }] },
  on(DEE),
];

test.each<
  [
    string,
    VideoFollow,
    number,
    readonly CameraInput[],
    [number, CameraInput | undefined, number[], number?][],
  ]
>([
  [
    'everybody, as long as there are cameras for everybody',
    'active-speaker',
    4,
    ALL_ON,
    [
      [0, undefined, [ADA, BEN, CAM]],
      [10, speaks(CAM), [ADA, BEN, CAM]],
      [20, off(BEN), [ADA, CAM]],
      [30, on(BEN), [ADA, CAM, BEN]],
    ],
  ],
  [
    'a speaker takes the place of whoever was silent longest',
    'active-speaker',
    2,
    ALL_ON,
    [
      [0, speaks(BEN), [BEN, ADA]],
      [5_000, speaks(CAM), [BEN, ADA], 6_000],
      [6_000, undefined, [BEN, CAM]],
      [6_500, speaks(ADA), [BEN, CAM], 7_500],
      [7_500, undefined, [ADA, CAM]],
    ],
  ],
  [
    'the first pinned ones that are there, nobody twice',
    { pinned: ['ben', BEN, 'Dee', CAM] },
    2,
    ALL_ON,
    [
      [0, undefined, [BEN, CAM]],
      [10, off(BEN), [CAM]],
      [20, on(BEN), [BEN, CAM]],
      [30, refused(CAM), [BEN], 10_030],
    ],
  ],
  [
    'two at a time, in the order of joining',
    { 'round-robin': 2 },
    2,
    [...ALL_ON, ...DEE_JOINED],
    [
      [0, undefined, [ADA, BEN], 2_000],
      [2_000, undefined, [CAM, DEE], 4_000],
      [3_000, off(DEE), [CAM, ADA], 4_000],
      [4_000, undefined, [BEN, CAM], 6_000],
      [5_000, left(ADA), [BEN, CAM]],
      [9_000, undefined, [BEN, CAM]],
    ],
  ],
])('several cameras: %s', (_title, follow, cameras, before, steps) => {
  const chooser = new CameraChooser(follow, cameras);
  for (const input of before) chooser.see(input, 0);
  for (const [atMs, input, userIds, askAgainAtMs] of steps) {
    if (input !== undefined) chooser.see(input, atMs);
    expect({ atMs, ...chooser.choose(atMs) }).toEqual({ atMs, userIds, askAgainAtMs });
  }
});
