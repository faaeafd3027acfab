import { expect, test } from 'vitest';
import type { FrameView } from '../views.ts';
import { FrameQueue } from './frame-queue.ts';

const frame = (
  mediaType: FrameView['mediaType'],
  capturedAtMs: number,
  key = true,
  source = mediaType,
): FrameView => ({
  mediaType,
  source,
  who: '',
  codec: '',
  capturedAtMs,
  key,
  data: 'x'.repeat(840),
});
const times = (queue: FrameQueue) => queue.take(Infinity).map(({ capturedAtMs }) => capturedAtMs);

test('a tab that keeps up gets every frame, in batches of the asked size', () => {
  const queue = new FrameQueue(100_000);
  for (let ms = 1; ms <= 5; ms++) queue.push(frame('audio', ms));
  expect(queue.take(2_000).map(({ capturedAtMs }) => capturedAtMs)).toEqual([1, 2]);
  expect(times(queue)).toEqual([3, 4, 5]);
  expect([queue.bytes, queue.dropped]).toEqual([0, 0]);
});

test('a slow tab loses the oldest audio', () => {
  const queue = new FrameQueue(3_000);
  for (let ms = 1; ms <= 10; ms++) queue.push(frame('audio', ms));
  expect(times(queue)).toEqual([8, 9, 10]);
  expect(queue.dropped).toBe(7);
});

test('a slow tab loses video up to a frame that can be decoded by itself', () => {
  const queue = new FrameQueue(4_000);
  queue.push(frame('video', 1));
  queue.push(frame('video', 2, false));
  queue.push(frame('audio', 3));
  queue.push(frame('video', 4));
  queue.push(frame('video', 5, false));
  expect(times(queue)).toEqual([3, 4, 5]);
});

test('video without its key frame is not sent, and another camera is', () => {
  const queue = new FrameQueue(2_000);
  queue.push(frame('video', 1, true, 'video'));
  for (let ms = 2; ms <= 4; ms++) queue.push(frame('video', ms, false, 'video'));
  expect(times(queue)).toEqual([]);
  queue.push(frame('video', 5, false));
  queue.push(frame('video', 6, true, 'other' as never));
  queue.push(frame('video', 7, true));
  expect(times(queue)).toEqual([6, 7]);
});

test('a frame that alone is larger than the bound does not stay', () => {
  const queue = new FrameQueue(500);
  queue.push(frame('deskshare', 1));
  expect([times(queue), queue.bytes, queue.dropped]).toEqual([[], 0, 1]);
});
