import { expect, test } from 'vitest';
import { CaptureGaps } from './capture-gaps.ts';
import { cameraKey } from './connection/media-key.ts';

function trackerWithAudio() {
  const gaps = new CaptureGaps();
  gaps.resume('audio', 40);
  gaps.see('audio', 7, 1_000, 10_000);
  gaps.see('audio', 7, 1_020, 10_020);
  return gaps;
}

test('a gap has the capture times before and after an interruption', () => {
  const gaps = trackerWithAudio();
  gaps.interrupt(['audio'], 10_100);
  gaps.resume('audio', 40);
  expect(gaps.see('audio', 7, 3_020, 12_000)).toEqual({ fromMs: 1_020, toMs: 3_020 });
  expect(gaps.see('audio', 7, 9_000, 12_020)).toBeUndefined();
});

test('there is no gap if Zoom sends what it buffered', () => {
  const gaps = trackerWithAudio();
  gaps.interrupt(['audio'], 10_100);
  gaps.resume('audio', 40);
  expect(gaps.see('audio', 7, 1_040, 12_000)).toBeUndefined();
  expect(gaps.see('audio', 7, 5_000, 12_020)).toBeUndefined();
});

test('frames of the old connection end no gap: it ends with the new connection', () => {
  const gaps = trackerWithAudio();
  gaps.interrupt(['audio', 'chat'], 10_100);
  expect(gaps.see('audio', 7, 1_040, 10_120)).toBeUndefined();
  gaps.resume('audio', 40);
  expect(gaps.see('audio', 7, 1_300, 12_000)).toEqual({ fromMs: 1_040, toMs: 1_300 });
});

test('two interruptions in a row make one gap, and each source has its own', () => {
  const gaps = trackerWithAudio();
  gaps.see('audio', 'ch', 1_020, 10_020);
  gaps.interrupt(['audio'], 10_100);
  gaps.interrupt(['audio'], 90_000);
  gaps.resume('audio', 40);
  expect(gaps.see('audio', 'ch', 1_040, 12_000)).toBeUndefined();
  expect(gaps.see('audio', 7, 2_000, 12_000)).toEqual({ fromMs: 1_020, toMs: 2_000 });
});

test('a source that was silent before the interruption has no gap', () => {
  const gaps = trackerWithAudio();
  gaps.interrupt(['audio'], 15_021);
  gaps.resume('audio', 40);
  expect(gaps.see('audio', 7, 60_000, 60_000)).toBeUndefined();
});

test('the interruption of one media type makes no gap in another', () => {
  const gaps = trackerWithAudio();
  gaps.resume('video', 500);
  gaps.see('video', 7, 1_000, 10_000);
  gaps.interrupt(['video'], 10_100);
  expect(gaps.see('audio', 7, 4_000, 12_000)).toBeUndefined();
  gaps.resume('transcript', 1);
  gaps.resume('video', 500);
  expect(gaps.see('video', 7, 4_000, 12_000)).toEqual({ fromMs: 1_000, toMs: 4_000 });
});

test('the number of sources that are remembered is bounded', () => {
  const gaps = trackerWithAudio();
  for (let id = 100; id < 10_000; id++) gaps.see('audio', id, 1_020, 10_020);
  gaps.interrupt(['audio'], 10_100);
  gaps.resume('audio', 40);
  expect(gaps.see('audio', 100, 2_000, 12_000)).toBeDefined();
  expect(gaps.see('audio', 9_999, 2_000, 12_000)).toBeUndefined();
});

test('each camera with a connection of its own has its own gaps', () => {
  const gaps = new CaptureGaps();
  for (const userId of [7, 8]) {
    gaps.resume(cameraKey(userId), 500);
    gaps.see('video', userId, 1_000, 10_000);
  }
  gaps.interrupt([cameraKey(7)], 10_100);
  gaps.resume(cameraKey(7), 500);
  expect(gaps.see('video', 8, 3_000, 12_000)).toBeUndefined();
  expect(gaps.see('video', 7, 3_000, 12_000)).toEqual({ fromMs: 1_000, toMs: 3_000 });
});

test('a camera that was deselected has no gap', () => {
  const gaps = new CaptureGaps();
  gaps.resume(cameraKey(7), 500);
  gaps.see('video', 7, 1_000, 10_000);
  gaps.dropCamera(7);
  gaps.resume(cameraKey(7), 500);
  expect(gaps.see('video', 7, 9_000, 18_000)).toBeUndefined();
  gaps.interruptAll(18_100);
  gaps.resume(cameraKey(7), 500);
  expect(gaps.see('video', 7, 12_000, 21_000)).toEqual({ fromMs: 9_000, toMs: 12_000 });
});
