import { expect, it } from 'vitest';
import { HoleTracker } from './capture-gaps.ts';
import { cameraKey } from './connection/media-key.ts';

function trackerWithAudio() {
  const holes = new HoleTracker();
  holes.resume('audio', 40);
  holes.see('audio', 7, 1_000, 10_000);
  holes.see('audio', 7, 1_020, 10_020);
  return holes;
}

it('finds the capture times around an interruption', () => {
  const holes = trackerWithAudio();
  holes.interrupt(['audio'], 10_100);
  holes.resume('audio', 40);
  expect(holes.see('audio', 7, 3_020, 12_000)).toEqual({ fromMs: 1_020, toMs: 3_020 });
  expect(holes.see('audio', 7, 9_000, 12_020)).toBeUndefined();
});

it('sees none where Zoom replays what it kept', () => {
  const holes = trackerWithAudio();
  holes.interrupt(['audio'], 10_100);
  holes.resume('audio', 40);
  expect(holes.see('audio', 7, 1_040, 12_000)).toBeUndefined();
  expect(holes.see('audio', 7, 5_000, 12_020)).toBeUndefined();
});

it('waits for the new connection: frames of the old one may still come', () => {
  const holes = trackerWithAudio();
  holes.interrupt(['audio', 'chat'], 10_100);
  expect(holes.see('audio', 7, 1_040, 10_120)).toBeUndefined();
  holes.resume('audio', 40);
  expect(holes.see('audio', 7, 1_300, 12_000)).toEqual({ fromMs: 1_040, toMs: 1_300 });
});

it('counts the first of two interruptions, and each source by itself', () => {
  const holes = trackerWithAudio();
  holes.see('audio', 'ch', 1_020, 10_020);
  holes.interrupt(['audio'], 10_100);
  holes.interrupt(['audio'], 90_000);
  holes.resume('audio', 40);
  expect(holes.see('audio', 'ch', 1_040, 12_000)).toBeUndefined();
  expect(holes.see('audio', 7, 2_000, 12_000)).toEqual({ fromMs: 1_020, toMs: 2_000 });
});

it('says nothing of a source that was silent before', () => {
  const holes = trackerWithAudio();
  holes.interrupt(['audio'], 15_021);
  holes.resume('audio', 40);
  expect(holes.see('audio', 7, 60_000, 60_000)).toBeUndefined();
});

it('keeps media types apart', () => {
  const holes = trackerWithAudio();
  holes.resume('video', 500);
  holes.see('video', 7, 1_000, 10_000);
  holes.interrupt(['video'], 10_100);
  expect(holes.see('audio', 7, 4_000, 12_000)).toBeUndefined();
  holes.resume('transcript', 1);
  holes.resume('video', 500);
  expect(holes.see('video', 7, 4_000, 12_000)).toEqual({ fromMs: 1_000, toMs: 4_000 });
});

it('stops counting sources before they fill the memory', () => {
  const holes = trackerWithAudio();
  for (let id = 100; id < 10_000; id++) holes.see('audio', id, 1_020, 10_020);
  holes.interrupt(['audio'], 10_100);
  holes.resume('audio', 40);
  expect(holes.see('audio', 100, 2_000, 12_000)).toBeDefined();
  expect(holes.see('audio', 9_999, 2_000, 12_000)).toBeUndefined();
});

it('keeps cameras apart that have a connection each', () => {
  const holes = new HoleTracker();
  for (const userId of [7, 8]) {
    holes.resume(cameraKey(userId), 500);
    holes.see('video', userId, 1_000, 10_000);
  }
  holes.interrupt([cameraKey(7)], 10_100);
  holes.resume(cameraKey(7), 500);
  expect(holes.see('video', 8, 3_000, 12_000)).toBeUndefined();
  expect(holes.see('video', 7, 3_000, 12_000)).toEqual({ fromMs: 1_000, toMs: 3_000 });
});

it('misses nothing of a camera that was closed on purpose', () => {
  const holes = new HoleTracker();
  holes.resume(cameraKey(7), 500);
  holes.see('video', 7, 1_000, 10_000);
  holes.forgetCamera(7);
  holes.resume(cameraKey(7), 500);
  expect(holes.see('video', 7, 9_000, 18_000)).toBeUndefined();
  holes.interruptAll(18_100);
  holes.resume(cameraKey(7), 500);
  expect(holes.see('video', 7, 12_000, 21_000)).toEqual({ fromMs: 9_000, toMs: 12_000 });
});
