import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { describeExport } from './notes.ts';

const NOTHING = { skippedPictures: new Map(), leftOut: [], adjusted: new Map() };

test('an export without differences has no notes', () => {
  expect(describeExport(NOTHING, basename)).toEqual([]);
});

test('every difference between the files and what Zoom sent is one sentence', () => {
  const leftOut = [
    { mediaType: 'video', userId: 7, code: 'export/unsupported', why: 'no unit', count: 3 },
    { mediaType: 'chat', code: 'ENOSPC', why: 'ENOSPC', count: 1 },
  ] as const;
  const adjusted = new Map([
    ['out/a.wav', { cutMs: 1_020, moved: 0 }],
    ['out/b.mp4', { cutMs: 0, moved: 1 }],
  ]);
  const skippedPictures = new Map([['out/ada.mp4', 28]]);
  expect(describeExport({ skippedPictures, leftOut, adjusted }, basename)).toEqual([
    'ada.mp4 lacks 28 pictures that no decoder can begin with, before a key frame; Kinesis has them',
    '3 of video 7 in no file: no unit',
    '1 of chat in no file: ENOSPC',
    'a.wav is without 1020 ms that came twice or lie before time zero: nothing is lost by that',
    'b.mp4 has 1 frame not at the capture time, which does not fit to the frames around',
  ]);
});
