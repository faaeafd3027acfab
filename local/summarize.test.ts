import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { differences } from './summarize.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const SENT = {
  sources: [
    { mediaType: 'audio' as const, userId: 7, frames: 2, bytes: 6, sha256: sha256('abcdef') },
  ],
  transcript: [],
  chat: [],
};

function read(frames: number, text: string) {
  const hash = createHash('sha256').update(text);
  const source = {
    rtmsStreamId: 's',
    mediaType: 'audio' as const,
    userId: 7,
    channelId: undefined,
  };
  return [{ ...source, userName: 'Ana', frames, bytes: text.length, hash }];
}

test('no difference is found when count and bytes agree', () => {
  expect(differences(SENT, read(2, 'abcdef'))).toEqual([]);
});

test.each([
  ['a frame is missing', read(1, 'abc'), ['audio 7: 2 frames sent, 1 read']],
  ['a byte differs', read(2, 'abcdeX'), ['audio 7: the bytes read are not the bytes sent']],
  ['the source never came', [], ['audio 7: 2 frames sent, 0 read']],
])('a difference is reported when %s', (_, found, problems) => {
  expect(differences(SENT, found)).toEqual(problems);
});

test('a meeting without any media is no success', () => {
  expect(differences({ ...SENT, sources: [] }, [])).toEqual(['Zoom could send nothing']);
});
