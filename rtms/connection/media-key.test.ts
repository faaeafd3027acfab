import { expect, test } from 'vitest';
import type { MediaType } from '../protocol/media-type.ts';
import { type Carried, cameraChange, cameraKey, cameraOf, carries, keysOf } from './media-key.ts';

const AUDIO: Carried = { mediaTypes: ['audio'] };
const VIDEO: Carried = { mediaTypes: ['video'] };
const EVERYTHING: Carried = { mediaTypes: ['audio', 'video', 'transcript'] };
const CAMERA_5: Carried = { mediaTypes: ['video'], userId: 5 };

test.each<[string, Carried, readonly string[]]>([
  ['a connection of one media type', AUDIO, ['audio']],
  ['one for several', EVERYTHING, ['audio', 'video', 'transcript']],
  ['one for all cameras, as with V1', VIDEO, ['video']],
  ['one for the camera of one participant', CAMERA_5, ['video/5']],
])('%s is keyed by what it carries', (_name, carried, keys) => {
  expect(keysOf(carried)).toEqual(keys);
});

test('equal cameras have equal keys, different cameras different ones', () => {
  expect(cameraKey(5)).toBe(cameraKey(5));
  expect(cameraKey(5)).not.toBe(cameraKey(50));
  expect(cameraOf(cameraKey(5))).toBe(5);
  expect(cameraOf('video')).toBeUndefined();
});

test.each<[Carried, MediaType, number | undefined, boolean]>([
  [AUDIO, 'audio', 7, true],
  [AUDIO, 'video', 7, false],
  [VIDEO, 'video', 7, true],
  [EVERYTHING, 'transcript', undefined, true],
  [CAMERA_5, 'video', 5, true],
  [CAMERA_5, 'video', undefined, true],
  [CAMERA_5, 'video', 6, false],
  [CAMERA_5, 'audio', 5, false],
])('%j carries %s of %s: %s', (carried, mediaType, userId, expected) => {
  expect(carries(carried, mediaType, userId)).toBe(expected);
});

test.each<[number[], number[], number[], number[]]>([
  [[], [], [], []],
  [[], [1, 2], [1, 2], []],
  [[1, 2], [2, 3], [3], [1]],
  [[1, 2], [2, 1], [], []],
  [[1], [], [], [1]],
  [[], [4, 4], [4], []],
])('from cameras %j to %j: opens %j, closes %j', (open, wanted, opened, closed) => {
  expect(cameraChange(open, wanted)).toEqual({ opened, closed });
});
