import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import type { MediaFrame } from '../../rtms/events.ts';
import { sessionOf } from '../../runner/kinesis/unit.ts';
import { partitionKeyOf, streamKey } from './partition-key.ts';

const frame = (mediaType: MediaFrame['mediaType'], source: object) =>
  ({ mediaType, ...source }) as MediaFrame;

test.each([
  ['audio', { userId: 7 }, 's'],
  ['video', { userId: 7 }, 's#v#7'],
  ['deskshare', { channelId: 'left' }, 's#v#left'],
  ['video', { channelId: 'a#b' }, 's#v#a#b'],
  ['video', {}, 's#v#0'],
] as const)('%s of %j goes under %s', (mediaType, source, key) => {
  expect(partitionKeyOf('s', frame(mediaType, source))).toBe(key);
});

test('streams whose ids hold a separator share no key with another stream', () => {
  const audio = frame('audio', {});
  expect(partitionKeyOf('a#v#5', audio)).not.toBe(
    partitionKeyOf('a', frame('video', { userId: 5 })),
  );
  expect(streamKey(streamKey('a#b'))).not.toBe(streamKey('a#b'));
});

const id = (maxBytes: number) =>
  fc.oneof(
    fc.string({ minLength: 1, maxLength: maxBytes }),
    fc.constantFrom('#', '~', 'a#b', 'a#v#5', '~x', 'x'.repeat(maxBytes)),
  );

property.prop([id(240), id(256), fc.nat(0xffff_ffff)])(
  'every key fits Kinesis and names its session',
  (rtmsStreamId, channelId, userId) => {
    const frames = [
      frame('audio', { userId }),
      frame('video', { userId }),
      frame('video', { channelId }),
    ];
    for (const each of frames) {
      const key = partitionKeyOf(rtmsStreamId, each);
      expect(key.length).toBeLessThanOrEqual(256);
      expect(sessionOf(key)).toBe(streamKey(rtmsStreamId));
    }
  },
);
