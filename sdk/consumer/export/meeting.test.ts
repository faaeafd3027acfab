import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import h264 from '../../../test/fixtures/rtms/media/15-video.h264-keyframe.json' with {
  type: 'json',
};
import jpg from '../../../test/fixtures/rtms/media/16-share.jpg.json' with { type: 'json' };
import { event, frame, START_MS } from '../../../test/support/test-records.ts';
import { MeetingExport } from './meeting.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rtms-meeting-'));
});
afterAll(() => rm(root, { recursive: true }));

const picture = Buffer.from(jpg.content.data, 'base64');
const video = Buffer.from(h264.content.data, 'base64');

describe('MeetingExport', () => {
  test('writes one file for each source, and the transcript and chat', async () => {
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

  test('fills the gaps of speakers with silence, or writes just what they said', async () => {
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

  test('counts the pictures that are in no file, because no decoder could begin with them', async () => {
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

  test('begins another file when a source changes its format', async () => {
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

describe('a meeting of which something cannot be written', () => {
  const create = (name: string, options: object = {}) =>
    MeetingExport.create(join(root, name), { startMs: START_MS, ...options });
  const names = (paths: string[]) => paths.map((path) => basename(path));

  test('leaves out what cannot be written, counts it, and completes everything else', async () => {
    const meeting = await create('odd');
    await meeting.frame(frame({ mediaType: 2, codec: 7, payload: video }));
    for (const payload of [Buffer.alloc(0), Buffer.from('no start code')])
      await meeting.frame(frame({ mediaType: 2, codec: 7, payload, sequence: 2 }));
    await meeting.frame(frame({ mediaType: 4, codec: 5, payload: Buffer.alloc(0) }));
    await meeting.frame(frame({ mediaType: 2, codec: 99, userId: 8 }));
    await meeting.frame(frame({ mediaType: 1, codec: 5, userId: 9 }));
    await meeting.frame(frame());
    expect(names(await meeting.close())).toEqual([
      'audio-7-ada.wav',
      'meeting.wav',
      'video-7-ada.mp4',
    ]);
    expect(meeting.leftOut.map(({ mediaType, code, count }) => [mediaType, code, count])).toEqual([
      ['video', 'export/unsupported', 2],
      ['deskshare', 'export/unsupported', 1],
      ['video', 'export/unsupported', 1],
      ['audio', 'export/unsupported', 1],
    ]);
    expect(await readdir(join(root, 'odd'))).toHaveLength(3);
  });

  test.each<[string, object]>([
    ['a sample rate that no header has room for', { sampleRateHz: 4_294_967_295 }],
    ['255 channels of L16', { channels: 255 }],
    ['255 channels of Opus', { codec: 4, channels: 255, payload: Buffer.from('f8fffe', 'hex') }],
  ])('leaves no open and no empty file for %s', async (name, fields) => {
    const meeting = await create(name);
    await meeting.frame(frame({ ...fields, userId: 8 }));
    await meeting.frame(frame());
    expect(names(await meeting.close())).toEqual(['audio-7-ada.wav', 'meeting.wav']);
    expect(meeting.leftOut).toMatchObject([{ userId: 8, code: 'export/unsupported', count: 1 }]);
    expect(await readdir(join(root, name))).toHaveLength(2);
  });

  test('completes the other files when the file system refuses one', async () => {
    const meeting = await create('refused');
    await mkdir(join(root, 'refused', 'audio-7-ada.wav.partial'));
    await meeting.frame(frame());
    await meeting.frame(frame({ sequence: 2 }));
    await meeting.frame(frame({ userId: 8 }));
    expect(names(await meeting.close())).toEqual(['audio-8-ada.wav', 'meeting.wav']);
    expect(meeting.leftOut[0]).toMatchObject({ mediaType: 'audio', userId: 7, code: 'EISDIR' });
  });

  test('has no file under its name before it is complete, and removes all of them when it is aborted', async () => {
    const meeting = await create('partial');
    await meeting.frame(frame());
    await meeting.frame(frame({ mediaType: 2, codec: 7, payload: video }));
    await meeting.frame(frame({ mediaType: 4, codec: 5, payload: picture }));
    const during = await readdir(join(root, 'partial'));
    expect(during.length).toBeGreaterThan(2);
    expect(during.filter((name) => !name.endsWith('.partial'))).toEqual([]);
    await meeting.abort();
    expect(existsSync(join(root, 'partial'))).toBe(false);
  });
});

describe('an export of one meeting', () => {
  const other = { rtmsStreamId: 'stream-2' };

  test.each([
    ['that of its first frame', {}],
    ['the one it was made for', { rtmsStreamId: 'stream-1' }],
  ])('refuses other meetings than %s', async (_title, options) => {
    const meeting = await MeetingExport.create(join(root, 'one'), {
      startMs: START_MS,
      ...options,
    });
    await meeting.frame(frame());
    await expect(meeting.frame(frame(other))).rejects.toMatchObject({
      code: 'export/other-meeting',
    });
    const line = event('sharing_stopped', { timestampMs: START_MS }, 1, other);
    await expect(meeting.event(line)).rejects.toMatchObject({ code: 'export/other-meeting' });
    expect(await meeting.close()).toHaveLength(2);
  });

  test('has the streams that continue one another in the same files', async () => {
    const directory = join(root, 'continued');
    const continuedBy = ['stream-2'];
    const meeting = await MeetingExport.create(directory, { startMs: START_MS, continuedBy });
    await meeting.frame(frame());
    await meeting.frame(frame({ ...other, capturedAtMs: START_MS + 5_000 }));
    await expect(meeting.frame(frame({ rtmsStreamId: 'stream-3' }))).rejects.toMatchObject({
      code: 'export/other-meeting',
    });
    const files = (await meeting.close()).filter((path) => path.endsWith('.wav'));
    // One speaker, and everybody.
    expect(files).toHaveLength(2);
  });

  test('leaves neither files nor their folder when Zoom took the consent back, unless asked', async () => {
    const revoked = event('session_revoked', { timestampMs: START_MS }, 1);
    const directory = join(root, 'revoked');
    const meeting = await MeetingExport.create(directory, { startMs: START_MS });
    await meeting.frame(frame());
    await expect(meeting.event(revoked)).rejects.toMatchObject({ code: 'export/revoked' });
    await expect(meeting.frame(frame({ sequence: 2 }))).rejects.toMatchObject({
      code: 'export/revoked',
    });
    await expect(meeting.close()).rejects.toMatchObject({ code: 'export/revoked' });
    expect(existsSync(directory)).toBe(false);
    const asked = await MeetingExport.create(directory, { startMs: START_MS, evenRevoked: true });
    await asked.event(revoked);
    await asked.frame(frame());
    expect(await asked.close()).toHaveLength(2);
  });

  test('tells what is lost in gaps.json, in the captions and beside the video', async () => {
    const directory = join(root, 'lossy');
    const meeting = await MeetingExport.create(directory, { startMs: START_MS });
    const blind = ['video', 'transcript'].map((mediaType) => ({
      mediaType: mediaType as 'video',
      fromMs: START_MS + 2_000,
      toMs: START_MS + 9_000,
    }));
    const origin = { epoch: 2 };
    const takenOver = { previousEpoch: 1, cause: 'owner_lost', blind } as const;
    await meeting.event(event('session_taken_over', takenOver, 1, origin));
    const said = { text: 'Hi', userName: 'Ada', timestampMs: START_MS + 10_000 };
    await meeting.event(event('transcript', said, 2, origin));
    await meeting.frame(frame({ mediaType: 2, codec: 7, payload: video, epoch: 2 }));
    expect(names(await meeting.close())).toEqual([
      'gaps.json',
      'transcript.srt',
      'transcript.txt',
      'transcript.vtt',
      'video-7-ada.mp4',
      'video-7-ada.vtt',
    ]);
    const gaps = JSON.parse(await readFile(join(directory, 'gaps.json'), 'utf8'));
    expect(gaps).toMatchObject({
      rtmsStreamId: 'stream-1',
      verdict: 'incomplete',
      losses: [
        { mediaType: 'video', fromAtMs: 2_000, toAtMs: 9_000 },
        { mediaType: 'transcript', kind: 'blind', cause: 'owner_lost' },
      ],
    });
    const cue =
      '00:00:02.000 --> 00:00:09.000\n[transcript may lack lines for up to 7.0 s: its runner was lost]';
    expect(await readFile(join(directory, 'transcript.vtt'), 'utf8')).toContain(cue);
    expect(await readFile(join(directory, 'transcript.srt'), 'utf8')).toContain('[transcript may');
    expect(await readFile(join(directory, 'video-7-ada.vtt'), 'utf8')).toContain(
      '[video may lack what was captured for up to 7.0 s: its runner was lost]',
    );
    expect(meeting.report.verdict).toBe('incomplete');
    const again = await MeetingExport.create(directory, { startMs: START_MS });
    await again.frame(frame());
    expect(names(await again.close())).toEqual(['audio-7-ada.wav', 'meeting.wav']);
    // The export before had lost something, and this one has not.
    expect(existsSync(join(directory, 'gaps.json'))).toBe(false);
  });

  test('keeps a folder that was there before when it is aborted', async () => {
    const directory = join(root, 'own');
    await mkdir(directory);
    const meeting = await MeetingExport.create(directory, { startMs: START_MS });
    await meeting.frame(frame());
    await meeting.abort();
    expect(await readdir(directory)).toEqual([]);
  });

  const names = (paths: string[]) => paths.map((path) => basename(path));
});
