import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadAccessUnits, loadAsset } from '../../../../simulator/media/assets.ts';
import { grayPng } from '../../../../test/support/gray-png.ts';
import { missingTools, openMovie, shownIn } from '../../../../test/support/media-tools.ts';
import { event, frame, START_MS } from '../../../../test/support/test-records.ts';
import { MeetingExport } from '../meeting.ts';
import { ImageSequenceExporter } from '../video/image-sequence.ts';
import { pictures, storedImages } from './picture-sources.ts';
import type { Layout } from './speaker-view.ts';
import { decodeStill, encodeStills } from './still-encoder.ts';

const BEN = loadAccessUnits('camera/ben.h264');
const ADA = { userId: 7, userName: 'Ada' };
const PICTURE = { sampleRateHz: 0, channels: 0 };

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rtms-image-shares-'));
});
afterAll(() => rm(root, { recursive: true }));

/** Twelve seconds of Ben's camera. Ada shares from 2 s to 6 s: three JPG, the second of them damaged, then two PNG in odd size. */
async function exportMeeting(layout: Layout): Promise<string> {
  const directory = join(root, layout);
  const meeting = await MeetingExport.create(directory, { startMs: START_MS, layout });
  const at = (ms: number) => ({ capturedAtMs: START_MS + ms, receivedAtMs: START_MS + ms });
  await meeting.event(event('sharing_started', { ...ADA, timestampMs: START_MS + 2_000 }, 1));
  await meeting.event(event('sharing_stopped', { timestampMs: START_MS + 6_000 }, 2));
  for (let index = 0; index < 12 * 15; index++) {
    const payload = BEN[index % BEN.length] as Buffer;
    const own = { sequence: index + 1, ...at(Math.round((index * 1000) / 15)) };
    await meeting.frame(frame({ userId: 8, ...PICTURE, mediaType: 2, codec: 7, payload, ...own }));
  }
  const jpg = loadAsset('slides/1.jpg');
  const share = { ...ADA, ...PICTURE, mediaType: 4 };
  for (const [index, payload] of [jpg, Buffer.from('no picture'), jpg].entries()) {
    const own = { sequence: index + 1, ...at(2_000 + index * 500) };
    await meeting.frame(frame({ ...share, codec: 5, payload, ...own }));
  }
  for (const [index, light] of [80, 200].entries()) {
    const own = { sequence: index + 4, ...at(4_000 + index * 1_000) };
    await meeting.frame(frame({ ...share, codec: 6, payload: grayPng(641, 361, light), ...own }));
  }
  await meeting.close();
  return directory;
}

describe.skipIf(missingTools.length > 0)('shares in pictures', () => {
  test('take over while somebody shares, each picture at its time', async () => {
    const directory = await exportMeeting('share');
    const path = join(directory, 'meeting.mp4');
    const [video] = openMovie(path).streams;
    expect(video?.nb_read_frames).toBe(video?.nb_read_packets);
    const shown = shownIn(path);
    const ofWidth = (width: number) => shown.filter((picture) => picture.width === width);
    // The camera has a picture at 2 s too.
    expect(ofWidth(1_280).map(({ atS }) => atS)).toEqual([2.001, 3]);
    const greys = shown.filter(({ atS }) => atS === 4 || atS === 5);
    // Of the odd size one column and one row are left out. Luma of a grey is from 16 to 235, and the encoder is not exact.
    const lights = greys.map(({ light }) => ((light - 16) * 255) / 219);
    for (const [index, light] of [80, 200].entries())
      expect(Math.abs((lights[index] ?? 0) - light)).toBeLessThan(3);
    const back = shown.find(({ atS }) => atS > 5);
    expect([back?.width, (back?.atS ?? 0) >= 6]).toEqual([640, true]);
    const { meeting } = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'));
    expect(meeting.leftOut).toEqual([{ file: 'share-7-ada', pictures: 1 }]);
  });

  test.each([
    ['speaker', 1],
    ['tracks', 2],
  ] as const)('in the layout %s there are %d tracks of pictures', async (layout, count) => {
    const directory = await exportMeeting(layout);
    const { streams } = openMovie(join(directory, 'meeting.mp4'));
    expect(streams.filter(({ codec_name }) => codec_name === 'h264')).toHaveLength(count);
  });
});

test('one odd capture time moves no picture, and prolongs no meeting', async () => {
  const folder = join(root, 'pictures');
  const exporter = new ImageSequenceExporter(folder, START_MS);
  for (const index of [0, 1, 2, 3, 4]) {
    const receivedAtMs = START_MS + 1_000 + index * 500;
    const capturedAtMs = receivedAtMs + (index === 2 ? 36_000_000 : 0);
    const own = { sequence: index + 1, payload: grayPng(16, 16, index), capturedAtMs };
    await exporter.write(frame({ ...PICTURE, mediaType: 4, codec: 6, ...own, receivedAtMs }));
  }
  await exporter.close();
  const times = (await storedImages(folder)).map(({ atMs }) => atMs);
  expect(times).toHaveLength(5);
  expect([times[0], times[1], times[3], times[4]]).toEqual([1_000, 1_500, 2_500, 3_000]);
  expect(times[2]).toBeGreaterThan(1_500);
  expect(times[2]).toBeLessThanOrEqual(2_500);
});

/** @param shown the grey that each second shows */
async function keysOf(shown: readonly number[], cutsMs: readonly number[] = []) {
  const folder = await mkdtemp(join(root, 'runs-'));
  const exporter = new ImageSequenceExporter(folder, START_MS);
  for (const [index, light] of shown.entries()) {
    const capturedAtMs = START_MS + index * 1_000;
    const own = { sequence: index + 1, payload: grayPng(64, 64, light), capturedAtMs };
    const times = { receivedAtMs: capturedAtMs };
    await exporter.write(frame({ ...PICTURE, mediaType: 4, codec: 6, ...own, ...times }));
  }
  await exporter.close();
  const file = { path: folder, source: '7', isShare: true, beginsAtMs: 0, images: 'png' } as const;
  const seen = [];
  const fail = () => expect.unreachable();
  for await (const picture of pictures([file], fail, fail, cutsMs)) seen.push(picture);
  expect(seen.map(({ atMs }) => atMs)).toEqual(shown.map((_, index) => index * 1_000));
  // Decoding can begin where it is said that it can, and nowhere else. 5 is the slice of a key frame.
  for (const { data, isKey } of seen) expect(lastUnit(Buffer.from(data))).toBe(isKey ? 5 : 1);
  return seen.map(({ isKey }) => (isKey ? 'K' : 'p')).join('');
}

function lastUnit(data: Buffer): number {
  let type = 0;
  for (let at = 0; at < data.length; at += 4 + data.readUInt32BE(at))
    type = data.readUInt8(at + 4) & 0x1f;
  return type;
}

test.each<[string, string, number[], number[]?]>([
  ['little changes', 'Kpppp' + 'Kp', [80, 82, 84, 86, 88, 90, 92]],
  ['another picture comes', 'KpKp', [80, 82, 200, 202]],
  ['the same bytes come again', 'KKKKp', [80, 80, 80, 82, 84]],
  ['the same bytes come again behind a change', 'KpKK', [80, 82, 82, 82]],
  ['the view may change to it', 'KpKp', [80, 82, 84, 86], [1_500]],
])(
  'pictures of a folder are key frames (K) and changes (p): %s',
  async (_name, keys, shown, cutsMs) => {
    expect(await keysOf(shown, cutsMs)).toBe(keys);
  },
);

describe('a picture that cannot be decoded is none', () => {
  const huge = grayPng(16, 16, 0);
  huge.writeUInt32BE(20_000, 16);
  huge.writeUInt32BE(20_000, 20);
  test.each([
    ['damaged JPG', 'jpg', Buffer.from('ffd8ffe000104a464946', 'hex')],
    ['text', 'jpg', Buffer.from('no picture')],
    ['damaged PNG', 'png', grayPng(16, 16, 0).subarray(0, 40)],
    ['larger than any screen', 'png', huge],
    ['one pixel wide', 'png', grayPng(1, 16, 0)],
    ['nothing', 'png', Buffer.alloc(0)],
  ] as const)('%s', async (_name, kind, bytes) => {
    expect(await decodeStill(bytes, kind)).toBeUndefined();
    // And the next one is encoded.
    const planes = await decodeStill(grayPng(17, 17, 9), 'png');
    const [still] = await encodeStills(planes ? [planes] : []);
    expect(still?.size).toEqual({ width: 16, height: 16 });
  });
});
