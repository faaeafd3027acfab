import { describe, expect, test } from 'vitest';
import { event, START_MS } from '../../../../test/support/test-records.ts';
import type { Loss } from '../../verdict/loss.ts';
import { blackPicture } from './black-picture.ts';
import { captions } from './captions.ts';
import { MeetingMarks } from './meeting-marks.ts';
import { planesOf } from './planes.ts';
import { type Layout, SpeakerView } from './speaker-view.ts';
import { nameSpeakers, rttm, SpeechTimes } from './speech.ts';

describe('SpeakerView', () => {
  /** `ada 0 K`: a key frame of her camera at 0 ms; `-ada 40`: her share; `+ada`: she speaks; `share on`. */
  const play = (layout: Layout, script: readonly string[]) => {
    const view = new SpeakerView(layout);
    return script.filter((step) => {
      if (step.startsWith('+')) view.speaks(step.slice(1));
      else if (step.startsWith('share ')) view.shares(step === 'share on');
      else {
        const [name = '', at, key] = step.split(' ');
        const isShare = name.startsWith('-');
        const source = isShare ? name.slice(1) : name;
        return view.shows({ source, isShare, atMs: Number(at), isKey: key === 'K' });
      }
      return false;
    });
  };

  test.each<[string, Layout, string[], string[]]>([
    [
      'begins with the first key frame',
      'speaker',
      ['ada 0', 'ada 40 K', 'ada 80'],
      ['ada 40 K', 'ada 80'],
    ],
    [
      'stays with a camera while nobody is named',
      'speaker',
      ['ada 0 K', 'ben 10 K', 'ada 40'],
      ['ada 0 K', 'ada 40'],
    ],
    [
      'changes to the speaker with the next key frame',
      'speaker',
      ['ada 0 K', '+ben', 'ben 10', 'ada 40', 'ben 50 K', 'ada 80', 'ben 90'],
      ['ada 0 K', 'ada 40', 'ben 50 K', 'ben 90'],
    ],
    [
      'leaves a camera that fell silent',
      'speaker',
      ['ada 0 K', 'ben 1900 K', 'ben 2100 K'],
      ['ada 0 K', 'ben 2100 K'],
    ],
    [
      'lets a share take over, and the camera return when it ends',
      'share',
      ['ada 0 K', 'share on', '-ben 40 K', 'ada 50 K', 'share off', '-ben 60', 'ada 90 K'],
      ['ada 0 K', '-ben 40 K', '-ben 60', 'ada 90 K'],
    ],
    ['shows no share in the speaker layout', 'speaker', ['-ben 0 K', 'ada 10 K'], ['ada 10 K']],
  ])('%s', (_, layout, script, shown) => {
    expect(play(layout, script)).toEqual(shown);
  });

  test('goes black ten seconds after the last picture, and not while a still share is on', () => {
    const view = new SpeakerView('share');
    expect(view.blackAtMs).toBeUndefined();
    view.shows({ source: 'ada', isShare: false, atMs: 500, isKey: true });
    expect(view.blackAtMs).toBe(10_500);
    view.shares(true);
    view.shows({ source: 'ben', isShare: true, atMs: 600, isKey: true });
    expect(view.blackAtMs).toBeUndefined();
    view.goBlack();
    expect(view.shows({ source: 'ben', isShare: true, atMs: 700, isKey: false })).toBe(false);
  });
});

describe('who spoke', () => {
  const loud = 0.01;
  const levels = (of: Record<string, readonly number[]>) => new Map(Object.entries(of));

  test('short pauses belong to a speech, long ones end it, and quiet sound is none', () => {
    const speech = new SpeechTimes();
    const second = [loud, 0, 0, 0, loud, 0, 0, 0, 0, 0];
    speech.add(0, levels({ ada: second, ben: second.map(() => 1e-6) }));
    speech.add(1_000, levels({ ada: [loud, 0, 0, 0, 0, 0, 0, 0, 0, 0] }));
    expect(speech.finish()).toEqual([
      { speaker: 'ada', fromMs: 0, toMs: 500 },
      { speaker: 'ada', fromMs: 1_000, toMs: 1_100 },
    ]);
  });

  test('the loudest for 700 ms becomes the speaker, a cough does not', () => {
    const speech = new SpeechTimes();
    const all = Array(10).fill(loud);
    const cough = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    expect(speech.add(0, levels({ ada: all }))).toEqual([{ atMs: 700, speaker: 'ada' }]);
    expect(speech.add(1_000, levels({ ada: all, ben: cough }))).toEqual([]);
    expect(speech.add(2_000, levels({ ben: all }))).toEqual([{ atMs: 2_700, speaker: 'ben' }]);
  });

  test('what Zoom mixed gets the names of its active speakers, and RTTM one line each', () => {
    const spoken = [{ speaker: 'user 0', fromMs: 1_000, toMs: 4_000 }];
    const active = [
      { atMs: 2_000, speaker: 'user 7' },
      { atMs: 3_500, speaker: 'user 8' },
    ];
    expect(rttm(nameSpeakers(spoken, 'user 0', active), 'a b')).toBe(
      'SPEAKER a_b 1 1.000 1.000 <NA> <NA> unknown <NA> <NA>\n' +
        'SPEAKER a_b 1 2.000 1.500 <NA> <NA> user_7 <NA> <NA>\n' +
        'SPEAKER a_b 1 3.500 0.500 <NA> <NA> user_8 <NA> <NA>\n',
    );
  });
});

test('captions lie one after another, and lines of the same time share one', () => {
  const cue = (fromMs: number, toMs: number, speaker: string) => ({
    fromMs,
    toMs,
    speaker,
    text: 'Hi\nyou',
  });
  expect(captions([cue(3_000, 6_000, 'Ben'), cue(2_000, 4_000, 'Ada')])).toEqual([
    { fromMs: 0, toMs: 2_000, text: '' },
    { fromMs: 2_000, toMs: 3_000, text: 'Ada: Hi you' },
    { fromMs: 3_000, toMs: 4_000, text: 'Ada: Hi you\nBen: Hi you' },
    { fromMs: 4_000, toMs: 6_000, text: 'Ben: Hi you' },
  ]);
});

test('chapters tell joins, shares and gaps, and what happens within a second is one', () => {
  const marks = new MeetingMarks(START_MS);
  const at = (ms: number) => START_MS + ms;
  marks.event(
    event('participant_joined', { participants: [{ userId: 7 }], timestampMs: at(5_000) }),
  );
  marks.event(event('sharing_started', { userName: 'Ben', userId: 8, timestampMs: at(5_500) }));
  const loss = { rtmsStreamId: 's', epoch: 1, kind: 'blind', cause: 'owner_lost' } as const;
  const losses: Loss[] = (['video', 'transcript'] as const).map((mediaType) => ({
    ...loss,
    mediaType,
    fromMs: at(9_000),
    toMs: at(12_000),
  }));
  expect(marks.chapters(losses)).toEqual([
    { atMs: 0, title: 'Start' },
    { atMs: 5_000, title: 'User 7 joins, Ben shares' },
    { atMs: 9_000, title: 'Gap: video, transcript' },
  ]);
});

test.each([
  [320, 180],
  [640, 360],
  [16, 16],
  [1_920, 1_080],
])('a black picture of %d x %d has a byte for each macroblock', (width, height) => {
  const { variants, config } = blackPicture({ width, height });
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  for (const picture of variants) {
    expect(picture.length).toBeGreaterThan(blocks + 383);
    expect(picture.length).toBeLessThan(blocks + 450);
  }
  expect(variants[0]).not.toEqual(variants[1]);
  expect(config[0]).toBe(1);
});

describe('the planes of a picture', () => {
  test.each([
    ['black', [0, 0, 0], [16, 128, 128]],
    ['white', [255, 255, 255], [235, 128, 128]],
    ['red', [255, 0, 0], [82, 90, 240]],
    ['green', [0, 255, 0], [144, 54, 34]],
    ['blue', [0, 0, 255], [41, 240, 110]],
  ] as const)('%s', (_name, rgb, yuv) => {
    const data = Uint8ClampedArray.from({ length: 5 * 3 * 4 }, (_, at) => rgb[at % 4] ?? 255);
    const planes = planesOf({ width: 5, height: 3, data });
    expect([planes.width, planes.height]).toEqual([4, 2]);
    expect([...planes.data]).toEqual([8, 2, 2].flatMap((count, at) => Array(count).fill(yuv[at])));
  });

  test('each pixel is where it was, without the last column and row of odd sizes', () => {
    const data = new Uint8ClampedArray(5 * 5 * 4);
    for (let at = 0; at < 25; at++) data.fill(at * 10, at * 4, at * 4 + 3);
    const luma = [...planesOf({ width: 5, height: 5, data }).data.subarray(0, 16)];
    const grey = (x: number, y: number) => Math.round(16 + ((y * 5 + x) * 10 * 219) / 255);
    const expected = Array.from({ length: 16 }, (_, at) => grey(at % 4, Math.floor(at / 4)));
    for (const [at, value] of luma.entries())
      expect(Math.abs(value - (expected[at] ?? 0))).toBeLessThan(2);
  });
});
