import { expect, test } from 'vitest';
import { OwedAudio } from './owed-audio.ts';

/** A loss in s: since when, until when, and then the capture time of the audio that came, if any did. */
type Loss = readonly [goneS: number, backS: number, cameS?: number];

test.each<[string, readonly Loss[], number]>([
  ['the connection was lost once', [[10, 40]], 10],
  [
    'it broke again before Zoom had sent what it had kept',
    [
      [10, 40],
      [40.3, 80],
    ],
    10,
  ],
  [
    'it did so twice',
    [
      [10, 40],
      [40.3, 80],
      [81, 90],
    ],
    10,
  ],
  [
    'it broke again when all had come',
    [
      [10, 40, 40],
      [40.3, 80],
    ],
    40,
  ],
  [
    'it broke again when a part had come',
    [
      [10, 40, 25],
      [40.3, 80],
    ],
    25,
  ],
  [
    'it was there for long, and nobody spoke',
    [
      [10, 40],
      [46, 80],
    ],
    46,
  ],
  [
    'it was there for long, and audio came',
    [
      [10, 40, 60],
      [60, 80],
    ],
    60,
  ],
  [
    'a frame with an odd time came',
    [
      [10, 40, 640],
      [40.3, 80],
    ],
    40.3,
  ],
  [
    'signaling is back, and then audio, which was gone before signaling',
    [
      [20, 40],
      [10, 40],
    ],
    10,
  ],
  [
    'audio comes later than the rest, for the first time',
    [
      [10, 14],
      [14, 100],
    ],
    10,
  ],
])('Zoom keeps audio for a session since it has got none: %s', (_how, losses, sinceS) => {
  const owed = new OwedAudio();
  const told = losses.map(([goneS, backS, cameS]) => {
    const sinceMs = owed.isBack(goneS * 1_000, backS * 1_000);
    if (cameS !== undefined) owed.came(cameS * 1_000);
    return sinceMs / 1_000;
  });
  expect(told.at(-1)).toBe(sinceS);
});
