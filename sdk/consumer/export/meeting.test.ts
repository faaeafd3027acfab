import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import h264 from '../../../test/fixtures/rtms/media/15-video.h264-keyframe.json' with {
  type: 'json',
};
import jpg from '../../../test/fixtures/rtms/media/16-share.jpg.json' with { type: 'json' };
import { event, frame, START_MS } from '../test-records.ts';
import { MeetingExport } from './meeting.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rtms-meeting-'));
});
afterAll(() => rm(root, { recursive: true }));

const picture = Buffer.from(jpg.content.data, 'base64');
const video = Buffer.from(h264.content.data, 'base64');

describe('MeetingExport', () => {
  it('writes one file for each source, and the transcript and chat', async () => {
    const directory = join(root, 'all', 'of', 'it');
    const meeting = await MeetingExport.create(directory, { startMs: START_MS });
    await meeting.frame(frame({ userName: 'Zoë ../Ågren' }));
    await meeting.frame(frame({ userId: 0, userName: 'Ada' }));
    await meeting.frame(frame({ channelId: '3', userName: '' }));
    await meeting.frame(frame({ mediaType: 2, codec: 7, payload: video }));
    await meeting.frame(frame({ mediaType: 4, codec: 5, payload: picture }));
    await meeting.frame(frame({ codec: 4, payload: Buffer.from('f8fffe', 'hex'), userId: 9 }));
    await meeting.event(
      event('transcript', { text: 'Hi', userName: 'Ada', timestampMs: START_MS }),
    );
    await meeting.event(
      event('chat', { text: 'Hello', operation: 'NEW', timestampMs: START_MS + 5 }, 2),
    );
    await meeting.event(event('sharing_stopped', { timestampMs: START_MS }, 3));
    const paths = await meeting.close();
    expect(paths.map((path) => basename(path))).toEqual([
      'audio-7-zoe-agren.wav',
      'audio-9-ada.ogg',
      'audio-channel-3.wav',
      'audio-mixed.wav',
      'chat.jsonl',
      'meeting.wav',
      'share-7-ada',
      'transcript.srt',
      'transcript.txt',
      'transcript.vtt',
      'video-7-ada.mp4',
    ]);
    for (const path of paths) expect(path.startsWith(directory)).toBe(true);
    expect(await readFile(join(directory, 'share-7-ada', '000001.jpg'))).toEqual(picture);
    expect(await readFile(join(directory, 'share-7-ada', 'index.jsonl'), 'utf8')).toBe(
      '{"file":"000001.jpg","atMs":0}\n',
    );
    expect(JSON.parse(await readFile(join(directory, 'chat.jsonl'), 'utf8'))).toEqual({
      time: new Date(START_MS).toISOString(),
      atMs: 5,
      text: 'Hello',
      operation: 'NEW',
      timestampMs: START_MS + 5,
    });
  });

  it('lines speakers up, or writes just what they said', async () => {
    const late = frame({ capturedAtMs: START_MS + 1_000 });
    const lengths: number[] = [];
    for (const fillGaps of [true, false]) {
      const directory = join(root, `gaps-${fillGaps}`);
      const meeting = await MeetingExport.create(directory, { startMs: START_MS, fillGaps });
      await meeting.frame(late);
      const [path = ''] = await meeting.close();
      lengths.push((await readFile(path)).length - 44);
    }
    expect(lengths).toEqual([1_020 * 32, 640]);
  });

  it('counts the pictures that no file holds, because no decoder could begin with them', async () => {
    const directory = join(root, 'late');
    const meeting = await MeetingExport.create(directory, { startMs: START_MS });
    const delta = Buffer.from('0000000141', 'hex');
    for (const payload of [delta, delta, video]) {
      await meeting.frame(frame({ mediaType: 2, codec: 7, payload }));
    }
    await meeting.frame(frame({ mediaType: 2, codec: 7, payload: video, userId: 8 }));
    const path = join(directory, 'video-7-ada.mp4');
    expect(await meeting.close()).toContain(path);
    expect(meeting.skippedPictures).toEqual(new Map([[path, 2]]));
  });

  it('begins another file when a source changes its format', async () => {
    const meeting = await MeetingExport.create(join(root, 'formats'), { startMs: START_MS });
    await meeting.frame(frame());
    await meeting.frame(frame({ sampleRateHz: 8_000 }));
    const names = (await meeting.close()).map((path) => basename(path));
    expect(names).toEqual([
      'audio-7-ada-part2.wav',
      'audio-7-ada.wav',
      'meeting-part2.wav',
      'meeting.wav',
    ]);
  });
});
