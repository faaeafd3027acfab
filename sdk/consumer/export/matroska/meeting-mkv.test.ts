import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadAccessUnits, loadAsset } from '../../../../simulator/media/assets.ts';
import { audioFrame } from '../../../../simulator/media/audio-source.ts';
import { WIRE_DEFAULTS } from '../../../../simulator/media/media-params.ts';
import type { ScenarioParticipant } from '../../../../simulator/scenario/scenario.ts';
import { grayPng } from '../../../../test/support/gray-png.ts';
import {
  areToolsRequired,
  missingTools,
  openMovie,
  samplesOf,
  shownIn,
} from '../../../../test/support/media-tools.ts';
import { event, frame, START_MS } from '../../../../test/support/test-records.ts';
import { MeetingExport } from '../meeting.ts';
import { imageSize } from '../meeting-file/still-encoder.ts';
import type { WrittenMedia } from '../source-files.ts';
import { variable } from './ebml.ts';
import { composeMatroska } from './whole-mkv.ts';

/**
 * Ten seconds. Ada clicks and flashes once a second, but for 4 s to 7 s, in which nobody records: then another owner does. Ben speaks
 * in Opus. Ada shares JPG and Ben PNG. A third person speaks G.711.
 */
const LENGTH_MS = 10_000;
const LEAD_MS = 500;
const GAP = { fromMs: 4_000, toMs: 7_000 };
const FPS = 15;
const FLASH = loadAccessUnits('camera/flash.h264');
const ADA = { userId: 7, userName: 'Ada' };
const BEN = { userId: 8, userName: 'Ben' };
const CY = { userId: 9, userName: 'Cy' };
const clicks = { audio: { kind: 'clicks', everyMs: 1_000 } } as unknown as ScenarioParticipant;
const sentence = {
  audio: { kind: 'clips', clips: [{ startMs: 0, file: 'speech/01' }] },
} as unknown as ScenarioParticipant;
const L16 = { ...WIRE_DEFAULTS.audio, sample_rate: 0 };
const OPUS = { ...WIRE_DEFAULTS.audio, codec: 4 };

let out: string;
let paths: string[];
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'rtms-mkv-'));
  paths = await exportMeeting(out);
}, 60_000);
afterAll(() => rm(out, { recursive: true }));

const at = (ms: number) => START_MS + LEAD_MS + ms;
const times = (ms: number) => ({ capturedAtMs: at(ms), receivedAtMs: at(ms) });
const ownerAt = (ms: number) => (ms < GAP.toMs ? 1 : 2);

async function exportMeeting(directory: string): Promise<string[]> {
  const meeting = await MeetingExport.create(directory, { startMs: START_MS, layout: 'speaker' });
  await meeting.event(
    event('participant_joined', { participants: [ADA, BEN], timestampMs: at(0) }),
  );
  const line = { text: 'Guten Morgen.', ...BEN, timestampMs: at(500), startMs: at(500) };
  await meeting.event(event('transcript', { ...line, endMs: at(2_500) }, 2));
  const picture = { sampleRateHz: 0, channels: 0 };
  for (let ms = 0; ms < LENGTH_MS; ms += 20) {
    if (ms >= GAP.fromMs && ms < GAP.toMs) continue;
    const of = { epoch: ownerAt(ms), sequence: ms / 20 + 1, ...times(ms) };
    const clicking = audioFrame(clicks, ms, L16) as Buffer;
    const sound = { sampleRateHz: 8_000, channels: 1 };
    await meeting.frame(frame({ ...ADA, ...sound, payload: clicking, ...of }));
    const alaw = Buffer.alloc(160, ms % 40 === 0 ? 0x55 : 0xd0);
    await meeting.frame(frame({ ...CY, ...sound, codec: 2, payload: alaw, ...of }));
    const said = audioFrame(sentence, ms, OPUS);
    const opus = { codec: 4, sampleRateHz: 48_000, channels: 2 };
    if (said) await meeting.frame(frame({ ...BEN, ...opus, payload: said, ...of }));
    for (let n = Math.ceil((ms * FPS) / 1000); (n * 1000) / FPS < ms + 20; n++) {
      const payload = FLASH[n % FLASH.length] as Buffer;
      const own = { epoch: ownerAt(ms), sequence: n + 1, ...times(Math.round((n * 1000) / FPS)) };
      await meeting.frame(frame({ ...ADA, ...picture, mediaType: 2, codec: 7, payload, ...own }));
    }
    if (ms % 2_000 !== 0) continue;
    const shared = { ...of, ...picture, mediaType: 4 };
    const jpg = loadAsset(`slides/${(ms / 2_000) % 2 === 0 ? 1 : 2}.jpg`);
    await meeting.frame(frame({ ...ADA, ...shared, codec: 5, payload: jpg }));
    await meeting.frame(frame({ ...BEN, ...shared, codec: 6, payload: grayPng(64, 48, ms / 50) }));
  }
  return meeting.close();
}

test('the export has meeting.mkv, and the manifest says so', async () => {
  expect(paths).toContain(join(out, 'meeting.mkv'));
  const manifest = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8'));
  expect(manifest.everyTrack).toEqual({ file: 'meeting.mkv', tracks: 7, leftOut: [] });
  expect(manifest.files.map(({ file }: { file: string }) => file)).toContain('meeting.mkv');
});

test.runIf(areToolsRequired)('RTMS_REQUIRE_MEDIA_TOOLS: ffprobe and sox are installed', () => {
  expect(missingTools).toEqual([]);
});

describe.skipIf(missingTools.length > 0)('ffprobe and ffmpeg open meeting.mkv', () => {
  const file = () => join(out, 'meeting.mkv');

  test('every source is a track as it came, with its name, and decodes to its end', () => {
    const { streams, format, chapters } = openMovie(file());
    expect(
      streams.map(({ codec_name, tags, nb_read_frames }) => [
        codec_name,
        tags['title'],
        Number(nb_read_frames),
      ]),
      // Each click of Ada's is a block of a tenth of a second, as she is silent otherwise; and the first block.
    ).toEqual([
      ['h264', 'Ada, camera', 105],
      ['pcm_s16le', 'Ada', 8],
      ['pcm_s16le', 'Cy (G711)', 71],
      ['opus', 'Ben', 122],
      ['mjpeg', 'Ada, share', 3],
      ['png', 'Ben, share', 3],
      ['subrip', 'Transcript', 1],
    ]);
    for (const { nb_read_frames, nb_read_packets } of streams)
      expect(nb_read_frames).toBe(nb_read_packets);
    expect(Number(format.duration)).toBeCloseTo((LEAD_MS + LENGTH_MS) / 1000, 1);
    expect(format.tags).toMatchObject({
      title: 'Zoom meeting',
      creation_time: '2027-01-15T08:00:00.000000Z',
      COMMENT: expect.stringContaining('Verdict: '),
    });
    expect(chapters[0]?.tags.title).toBe('Start, Ada joins, Ben joins');
    expect(chapters.some(({ tags }) => tags.title.includes('Gap: '))).toBe(true);
  });

  test('the transcript is a track of subtitles', () => {
    const args = ['-v', 'error', '-i', file(), '-map', '0:s:0', '-f', 'srt', '-'];
    const text = execFileSync('ffmpeg', args, { encoding: 'utf8' });
    // The first packet of Opus begins 7 ms before zero, from which ffmpeg counts.
    expect(text).toContain('00:00:01,007 --> 00:00:03,007');
    expect(text).toContain('Ben: Guten Morgen.');
  });

  test.each(['v:0', 'a:0', 'a:1'])('a gap is a gap in the times of %s', (stream) => {
    const args = ['-v', 'error', '-select_streams', stream, '-show_entries', 'packet=pts_time'];
    const text = execFileSync('ffprobe', [...args, '-of', 'csv=p=0', file()], { encoding: 'utf8' });
    const seconds = text.trim().split('\n').map(Number.parseFloat);
    const gaps = seconds.filter((each, index) => each - (seconds[index - 1] ?? each) > 1);
    expect(gaps).toHaveLength(1);
    expect(Math.abs((gaps[0] ?? 0) - (LEAD_MS + GAP.toMs) / 1000)).toBeLessThan(0.07);
  });

  test('Ada clicks where her camera flashes, on both sides of the gap', () => {
    const wav = join(out, 'tracks.wav');
    // What players do: they play each sample at its time.
    const filter = ['-af', 'aresample=async=1:first_pts=0'];
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', file(), '-map', '0:a:0', ...filter, wav]);
    const flashes = shownIn(file()).filter(({ light }) => light > 200);
    for (const second of [1, 2, 3, 7, 8, 9]) {
      const fromS = second + LEAD_MS / 1000 - 0.1;
      const first = samplesOf(wav, fromS, 0.2).findIndex((sample) => Math.abs(sample) > 6_000);
      const clickS = fromS + first / 8_000;
      const flash = flashes.find(({ atS }) => Math.abs(atS - clickS) < 0.2);
      expect(first, `second ${second}`).toBeGreaterThan(0);
      expect(Math.abs(clickS - (flash?.atS ?? Number.NaN)), `second ${second}`).toBeLessThan(0.01);
    }
  });

  test('what is in the tracks is what is in the files of the sources, bit by bit', async () => {
    const copied = (map: string, path: string, ...args: string[]) => {
      execFileSync('ffmpeg', [
        '-v',
        'error',
        '-y',
        '-i',
        file(),
        '-map',
        map,
        ...args,
        join(out, path),
      ]);
      return readFile(join(out, path));
    };
    const hashes = (path: string, map: string) => {
      const args = ['-v', 'error', '-i', path, '-map', map, '-c', 'copy', '-f', 'framehash', '-'];
      const lines = execFileSync('ffmpeg', args, { encoding: 'utf8' }).trim().split('\n');
      const all = lines.filter((line) => !line.startsWith('#')).map((line) => line.split(/, */)[5]);
      // In the Ogg file packets of silence stand for pauses.
      const silence = createHash('sha256').update(Buffer.from('f8fffe', 'hex')).digest('hex');
      return all.filter((hash) => hash !== silence);
    };
    const packets = hashes(file(), '0:a:2');
    expect(packets.length).toBeGreaterThan(100);
    expect(packets).toEqual(hashes(join(out, 'audio-8-ben.ogg'), '0:a:0'));
    const slide = await copied('0:v:1', 'copied.jpg', '-c', 'copy', '-frames:v', '1');
    expect(slide.equals(loadAsset('slides/1.jpg'))).toBe(true);
    const png = await copied('0:v:2', 'copied.png', '-c', 'copy', '-frames:v', '1');
    expect(png.equals(grayPng(64, 48, 0))).toBe(true);
  });
});

test('a file that cannot be read is left out and named, and the others are there', async () => {
  const media = (name: string, changes: Partial<WrittenMedia> = {}): WrittenMedia => ({
    path: join(out, name),
    mediaType: 'audio',
    codec: 'L16',
    userName: 'Ada',
    userId: 7,
    isOnClock: true,
    ...changes,
  });
  await writeFile(join(out, 'bad.ogg'), 'no Ogg file');
  await writeFile(join(out, 'bad.wav'), 'no WAV file');
  await writeFile(join(out, 'bad.mp4'), 'no MP4 file');
  const composed = await composeMatroska(join(out, 'broken.mkv'), {
    media: [
      media('bad.wav'),
      media('bad.ogg', { codec: 'OPUS' }),
      media('bad.mp4', { mediaType: 'video', codec: 'H264', beginsAtMs: 0 }),
      media('nowhere', { mediaType: 'deskshare', codec: 'JPG' }),
      media('audio-7-ada.wav'),
    ],
    cues: [],
    chapters: [],
    title: '',
    comment: '',
    startMs: START_MS,
  });
  const unread = composed?.unread.map(({ path }) => path.slice(out.length + 1)).sort();
  expect(unread).toEqual(['bad.mp4', 'bad.ogg', 'bad.wav', 'nowhere']);
  expect(composed?.tracks).toBe(1);
});

test.skipIf(!existsSync('/dev/full'))('a full disk is told, and no file is left', async () => {
  const path = join(out, 'full.mkv');
  await symlink('/dev/full', `${path}.partial`);
  const cues = [{ fromMs: 0, toMs: 1_000, speaker: '', text: 'word' }];
  const facts = { media: [], cues, chapters: [], title: '', comment: '', startMs: START_MS };
  await expect(composeMatroska(path, facts)).rejects.toMatchObject({ code: 'ENOSPC' });
  expect((await readdir(out)).filter((name) => name.startsWith('full'))).toEqual([]);
});

test('without a source there is no file', async () => {
  const facts = { media: [], cues: [], chapters: [], title: '', comment: '', startMs: START_MS };
  expect(await composeMatroska(join(out, 'empty.mkv'), facts)).toBeUndefined();
});

test.each([
  [0, '80'],
  [126, 'fe'],
  [127, '407f'],
  [16_382, '7ffe'],
  [16_383, '203fff'],
  [2 ** 40, '050000000000'],
])('the size %d has the bytes %s', (value, hex) => {
  expect(variable(value).toString('hex')).toBe(hex);
});

test('the size of a picture is in its head, and other bytes have none', () => {
  expect(imageSize(loadAsset('slides/1.jpg'))).toEqual({ width: 1_280, height: 720 });
  expect(imageSize(grayPng(64, 48, 0))).toEqual({ width: 64, height: 48 });
  for (const bytes of ['', 'ffd8', 'ffd8ffe00000', 'ffd8000000000000000000', '89504e47'])
    expect(() => imageSize(Buffer.from(bytes, 'hex'))).toThrow('neither a JPG nor a PNG');
});
