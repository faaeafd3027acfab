import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadAccessUnits } from '../../../../simulator/media/assets.ts';
import { audioFrame } from '../../../../simulator/media/audio-source.ts';
import { WIRE_DEFAULTS } from '../../../../simulator/media/media-params.ts';
import type { ScenarioParticipant } from '../../../../simulator/scenario/scenario.ts';
import {
  areToolsRequired,
  missingTools,
  openMovie,
  type Shown,
  samplesOf,
  shownIn,
} from '../../../../test/support/media-tools.ts';
import { event, frame, START_MS } from '../../../../test/support/test-records.ts';
import { MeetingExport } from '../meeting.ts';

/**
 * A meeting of 24 s. Ada clicks and flashes once a second (L16, 320 x 180); Ben says a sentence (Opus, 640 x 360). Ben is
 * the active speaker at first, Ada from 8 s on. Her camera is off from 12 s to 23 s, when nobody has one. Ada shares
 * H.264 from 4 s to 6 s.
 */
const LENGTH_MS = 24_000;
const FPS = 15;
const LEAD_MS = 1_500;

const FLASH = loadAccessUnits('camera/flash.h264');
const BEN = loadAccessUnits('camera/ben.h264');
const ADA = loadAccessUnits('camera/ada.h264');
const L16 = { ...WIRE_DEFAULTS.audio, sample_rate: 0 };
const OPUS = { ...WIRE_DEFAULTS.audio, codec: 4 };
const clicks = { audio: { kind: 'clicks', everyMs: 1_000 } } as unknown as ScenarioParticipant;
const sentence = {
  audio: { kind: 'clips', clips: [{ startMs: 0, file: 'speech/01' }] },
} as unknown as ScenarioParticipant;

let root: string;
let out: string;
let paths: string[];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rtms-whole-'));
  out = join(root, 'share');
  paths = await exportMeeting(out, 'share');
}, 60_000);
afterAll(() => rm(root, { recursive: true }));

async function exportMeeting(
  directory: string,
  layout: 'speaker' | 'share' | 'tracks',
  lengthMs = LENGTH_MS,
): Promise<string[]> {
  const meeting = await MeetingExport.create(directory, { startMs: START_MS, layout });
  const at = (ms: number) => START_MS + LEAD_MS + ms;
  const captured = (ms: number) => ({ capturedAtMs: at(ms), receivedAtMs: at(ms) });
  const person = { ada: { userId: 7, userName: 'Ada' }, ben: { userId: 8, userName: 'Ben' } };
  await meeting.event(
    event('participant_joined', { participants: Object.values(person), timestampMs: at(0) }, 1),
  );
  await meeting.event(event('active_speaker', { ...person.ben, timestampMs: at(0) }, 2));
  await meeting.event(event('sharing_started', { ...person.ada, timestampMs: at(4_000) }, 3));
  await meeting.event(event('sharing_stopped', { timestampMs: at(6_000) }, 4));
  await meeting.event(event('active_speaker', { ...person.ada, timestampMs: at(8_000) }, 5));
  const line = { text: 'Good morning.', ...person.ben, timestampMs: at(500), startMs: at(500) };
  await meeting.event(event('transcript', { ...line, endMs: at(2_500) }, 6));
  let picture = 0;
  for (let ms = 0; ms < lengthMs; ms += 20) {
    const sequence = ms / 20 + 1;
    const clicking = audioFrame(clicks, ms, L16) as Buffer;
    const format = { sampleRateHz: 8_000, channels: 1 };
    await meeting.frame(
      frame({ ...person.ada, ...format, payload: clicking, sequence, ...captured(ms) }),
    );
    const said = audioFrame(sentence, ms % 7_000, OPUS);
    const opus = { codec: 4, sampleRateHz: 48_000, channels: 2, sequence };
    if (said)
      await meeting.frame(frame({ ...person.ben, ...opus, payload: said, ...captured(ms) }));
    for (; (picture * 1000) / FPS < ms + 20; picture += 1) {
      const pictureMs = Math.round((picture * 1000) / FPS);
      const show = (who: object, mediaType: number, units: readonly Buffer[], from: number) => {
        const payload = units[(picture - from) % units.length] as Buffer;
        const media = { mediaType, codec: 7, sampleRateHz: 0, channels: 0, sequence: picture + 1 };
        return meeting.frame(frame({ ...who, ...media, payload, ...captured(pictureMs) }));
      };
      if (pictureMs < 12_000 || pictureMs >= 23_000) await show(person.ada, 2, FLASH, 0);
      if (pictureMs < 11_000) await show(person.ben, 2, BEN, 0);
      if (pictureMs >= 4_000 && pictureMs < 6_000) await show(person.ada, 4, ADA, 4 * FPS);
    }
  }
  return meeting.close();
}

const json = async (name: string) => JSON.parse(await readFile(join(out, name), 'utf8'));

test('the export has the documents of the whole meeting', async () => {
  const names = paths.map((path) => path.slice(out.length + 1));
  expect(names).toEqual([
    'audio-7-ada.wav',
    'audio-8-ben.ogg',
    'events.jsonl',
    'manifest.json',
    'meeting.mkv',
    'meeting.mp4',
    'meeting.wav',
    'participants.json',
    'share-7-ada.mp4',
    'speakers.rttm',
    'transcript.jsonl',
    'transcript.srt',
    'transcript.txt',
    'transcript.vtt',
    'video-7-ada.mp4',
    'video-8-ben.mp4',
  ]);
  expect(await readFile(join(out, 'transcript.jsonl'), 'utf8')).toBe(
    '{"fromMs":2000,"toMs":4000,"speaker":"Ben","text":"Good morning.","userId":8}\n',
  );
  const events = (await readFile(join(out, 'events.jsonl'), 'utf8')).trim().split('\n');
  expect(events).toHaveLength(6);
  expect(JSON.parse(events[2] as string)).toMatchObject({ name: 'sharing_started' });
});

test('the manifest has the hash of every file, the sources and the verdict', async () => {
  const manifest = await json('manifest.json');
  expect(manifest).toMatchObject({
    startMs: START_MS,
    rtmsStreamIds: ['stream-1'],
    meeting: { file: 'meeting.mp4', layout: 'share', lengthMs: LEAD_MS + LENGTH_MS, leftOut: [] },
    leftOut: [],
  });
  expect(manifest.files).toHaveLength(paths.length - 1);
  for (const { file, sha256, bytes } of manifest.files) {
    const content = await readFile(join(out, file));
    expect([file, bytes, sha256]).toEqual([
      file,
      content.length,
      createHash('sha256').update(content).digest('hex'),
    ]);
  }
  const share = manifest.sources.find(
    ({ mediaType }: { mediaType: string }) => mediaType === 'deskshare',
  );
  expect(share).toMatchObject({ file: 'share-7-ada.mp4', codec: 'H264', beginsAtMs: 5_500 });
});

test('speakers.rttm says who spoke when, and participants.json for how long', async () => {
  const lines = (await readFile(join(out, 'speakers.rttm'), 'utf8')).trim().split('\n');
  const spoken = lines.map((text) => text.split(' '));
  const ofBen = spoken.filter((fields) => fields.slice(7, 9).join(' ') === 'user_8 <NA>');
  // He begins his sentence every seven seconds.
  expect(ofBen.map((fields) => Math.round(Number(fields[3]) - 1.5))).toEqual([0, 7, 14, 21]);
  const people = await json('participants.json');
  expect(people).toMatchObject([
    { userId: 7, userName: 'Ada', joinedAtMs: [LEAD_MS] },
    { userId: 8, userName: 'Ben', files: ['audio-8-ben.ogg', 'video-8-ben.mp4'] },
  ]);
  const spokenMs = ofBen.reduce((sum, fields) => sum + Number(fields[4]) * 1000, 0);
  expect(people[1].spokeMs).toBeCloseTo(spokenMs, 3);
});

test.runIf(areToolsRequired)('RTMS_REQUIRE_MEDIA_TOOLS: ffprobe and sox are installed', () => {
  expect(missingTools).toEqual([]);
});

describe.skipIf(missingTools.length > 0)('ffprobe and ffmpeg open meeting.mp4', () => {
  const file = () => join(out, 'meeting.mp4');
  let pictures: readonly Shown[] | undefined;

  test('picture, sound and captions are as long as the meeting, and every picture decodes', () => {
    const { streams, format, chapters } = openMovie(file());
    expect(streams.map(({ codec_name }) => codec_name)).toEqual([
      'h264',
      'aac',
      'mov_text',
      'bin_data',
    ]);
    const wholeS = (LEAD_MS + LENGTH_MS) / 1000;
    for (const { duration, start_time } of streams.slice(0, 2)) {
      expect(Number(start_time)).toBe(0);
      expect(Math.abs(Number(duration) - wholeS)).toBeLessThan(0.03);
    }
    expect(streams[0]?.nb_read_frames).toBe(streams[0]?.nb_read_packets);
    expect(format.tags).toMatchObject({ title: 'Zoom meeting', encoder: 'rtms-kinesis' });
    expect(chapters.map(({ start_time, tags }) => [Number(start_time), tags.title])).toEqual([
      [0, 'Start'],
      [1.5, 'Ada joins, Ben joins'],
      [5.5, 'Ada shares'],
      [7.5, 'Share ends'],
    ]);
  });

  test('captions stand at the time of their line', () => {
    const args = ['-v', 'error', '-i', file(), '-map', '0:s:0', '-f', 'srt', '-'];
    const text = execFileSync('ffmpeg', args, { encoding: 'utf8' });
    expect(text).toContain('00:00:02,000 --> 00:00:04,000');
    expect(text).toContain('Ben: Good morning.');
  });

  test.each([
    ['black before the first camera', 0, 0],
    ['Ben, who speaks', 3, 640],
    ['the share', 6.5, 640],
    ['Ben after the share', 9, 640],
    ['Ada from her next key frame on', 10, 320],
    ['Ada, whose picture stands though her camera is off', 15, 320],
    ['black ten seconds after her last picture', 24, 0],
    ['Ada again', 24.9, 320],
  ])('shows %s', (_, second, width) => {
    pictures ??= shownIn(file());
    const shown = pictures.findLast(({ atS }) => atS <= second);
    if (width === 0) expect(shown?.light).toBe(16);
    else expect(shown?.width).toBe(width);
  });

  test('Ada clicks where her camera flashes', async () => {
    const wav = join(root, 'meeting-sound.wav');
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', file(), '-vn', wav]);
    pictures ??= shownIn(file());
    const flashes = pictures.filter(({ light }) => light > 200);
    // Ben is silent in these.
    for (const second of [11, 12]) {
      const samples = samplesOf(wav, second + 0.4, 0.2);
      const first = samples.findIndex((sample) => Math.abs(sample) > 6_000);
      const clickS = second + 0.4 + first / 48_000;
      const flash = flashes.find(({ atS }) => Math.abs(atS - clickS) < 0.2);
      expect(first).toBeGreaterThan(0);
      expect(Math.abs(clickS - (flash?.atS ?? Number.NaN)), `second ${second}`).toBeLessThan(0.01);
    }
  });

  test.each([
    ['speaker', 1],
    ['tracks', 3],
  ] as const)('layout %s has %d pictures', async (layout, count) => {
    const directory = join(root, layout);
    await exportMeeting(directory, layout, 7_000);
    const { streams } = openMovie(join(directory, 'meeting.mp4'));
    const videos = streams.filter(({ codec_name }) => codec_name === 'h264');
    expect(videos).toHaveLength(count);
    for (const video of videos) expect(video.nb_read_frames).toBe(video.nb_read_packets);
    const sounds = streams.filter(({ codec_name }) => codec_name === 'aac');
    expect(sounds).toHaveLength(layout === 'tracks' ? 3 : 1);
  });

  test('layout tracks has the sound of each speaker alone, in time with the mix', () => {
    const path = join(root, 'tracks', 'meeting.mp4');
    const sound = (index: number) => {
      const wav = join(root, `track-${index}.wav`);
      const map = ['-map', `0:a:${index}`];
      execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', path, ...map, wav]);
      return samplesOf(wav, 0, 8.5);
    };
    const [mix, ada, ben] = [0, 1, 2].map(sound) as [Int16Array, Int16Array, Int16Array];
    const { streams } = openMovie(path);
    expect(streams.filter(({ codec_name }) => codec_name === 'aac')).toMatchObject([
      { tags: { handler_name: 'All' }, disposition: { default: 1 } },
      { tags: { handler_name: 'Ada' }, disposition: { default: 0 } },
      { tags: { handler_name: 'Ben' }, disposition: { default: 0 } },
    ]);
    const loud = (samples: Int16Array, fromS: number, toS: number) =>
      Math.max(...samples.subarray(fromS * 48_000, toS * 48_000).map(Math.abs));
    // Ada's click at 6 s of the meeting; Ben has said his sentence by then.
    const clicks = [mix, ada].map((samples) =>
      samples.findIndex((s, i) => i > 340_000 && s > 6_000),
    );
    expect(Math.abs((clicks[0] ?? 0) - (clicks[1] ?? 1_000))).toBeLessThan(48);
    expect(loud(ben, 7.3, 7.9)).toBeLessThan(200);
    expect(loud(ben, 2, 4)).toBeGreaterThan(2_000);
    expect(loud(ada, 3.7, 4.3)).toBeLessThan(200);
  });
});

test('sound at a rate that nobody has is left out and told', async () => {
  const directory = join(root, 'broken');
  const meeting = await MeetingExport.create(directory, { startMs: START_MS, layout: 'share' });
  for (const [index, payload] of BEN.slice(0, 20).entries())
    await meeting.frame(
      frame({
        mediaType: 2,
        codec: 7,
        payload,
        capturedAtMs: START_MS + index * 66,
        sequence: index + 1,
      }),
    );
  for (const userId of [7, 8])
    await meeting.frame(frame({ userId, sampleRateHz: 47_999 + userId }));
  await meeting.close();
  const manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'));
  expect(manifest.meeting.leftOut.map(({ file }: { file: string }) => file)).toEqual([
    'audio-7-ada.wav',
    'audio-8-ada.wav',
  ]);
});
