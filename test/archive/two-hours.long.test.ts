import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalAws, startLocalAws } from '../../local/aws/local-aws.ts';
import { type KinesisServer, startKinesisServer } from '../../local/kinesis/server.ts';
import { connect } from '../support/kinesis-client.ts';
import { areToolsRequired, missingTools, probe, samplesOf } from '../support/media-tools.ts';
import { askBrowser, findBrowser } from './browser.ts';
import {
  ADA,
  BEN,
  BLIND,
  FPS,
  GAP_FRAMES,
  LEAD_MS,
  LENGTH_MS,
  PICTURES,
  SKIPPED,
  SLIDE_EVERY_MS,
  writeTwoHours,
} from './two-hours.ts';

/** Opens what `rtms export` writes of a meeting of two hours with the programs of others: ffprobe, sox, a browser. */

const ID = 'two-hours';
const HOUR_MS = 3_600_000;
/** A shard answers 2 MB a second of its clock. This Kinesis has a faster clock, so that the test waits for work alone. */
const CLOCK_SPEED = 40;
/**
 * Measured: 460 to 600 MB, most of it pages of 10 MiB in transit. What stays in memory grows by 180 bytes a picture, for
 * the tables of the MP4 files. With all 200 MB of media in memory it would be above this bound.
 */
const MAX_RSS_MB = 750;
/** Measured: 22 s of CPU, which took 40 to 75 s beside other work. */
const MAX_EXPORT_MS = 500_000;
const FRAME_S = 1 / FPS;
const AUDIO_FRAME_S = 0.02;
const WHOLE_S = (LEAD_MS + LENGTH_MS) / 1000;

const browser = findBrowser();

const folder = await mkdtemp(join(tmpdir(), 'rtms-archive-'));
const out = join(folder, 'archive');
const path = (name: string) => join(out, name);
const ADA_WAV = `audio-${ADA.userId}-ada.wav`;
const BEN_OGG = `audio-${BEN.userId}-ben.ogg`;
const ADA_MP4 = `video-${ADA.userId}-ada.mp4`;
const BEN_MP4 = `video-${BEN.userId}-ben.mp4`;
const SHARE = `share-${ADA.userId}-ada`;

let aws: LocalAws;
let kinesis: KinesisServer;
let written: Awaited<ReturnType<typeof writeTwoHours>>;
let exported: { code: number | null; report: Record<string, unknown>; rssMb: number; ms: number };

beforeAll(async () => {
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 3 * HOUR_MS;
  let clock = () => startMs;
  kinesis = await startKinesisServer({ clock: () => clock() });
  const client = connect(kinesis.url);
  for (const StreamName of ['media', 'events'])
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  written = await writeTwoHours(client, ID, startMs, (ms) => {
    clock = () => ms;
  });
  client.destroy();
  const readFromMs = Date.now();
  clock = () => readFromMs + (Date.now() - readFromMs) * CLOCK_SPEED;

  const app = { clientId: 'id', clientSecret: 'secret', webhookSecretTokens: ['token'] };
  aws = await startLocalAws({ zoomSecret: JSON.stringify({ apps: { default: app } }) });
  exported = await exportAll();
}, 900_000);

afterAll(async () => {
  await kinesis?.close();
  await aws?.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

async function exportAll(): Promise<typeof exported> {
  const { region, endpoints, queueUrl, table, secretId } = aws;
  const description = join(folder, 'stack.json');
  const local = {
    region,
    endpoints: { ...endpoints, kinesis: kinesis.url },
    queueUrl,
    table,
    streams: { media: 'media', events: 'events' },
    secretId,
    webhookUrl: 'http://127.0.0.1:9/webhook',
    allowedHosts: '127.0.0.1',
  };
  await writeFile(description, JSON.stringify(local));
  const tell = `process.on('exit', () => process._rawDebug('maxRSS ' + process.resourceUsage().maxRSS))`;
  const args = ['export', ID, '--local', description, '--fast', '--json', '--out', out];
  const begunAt = performance.now();
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(tell)}`, 'cli/main.ts', ...args],
    { env: { PATH: process.env['PATH'], HOME: folder }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const [, rssKb] = /maxRSS (\d+)/.exec(stderr) ?? [];
  expect(rssKb, stderr).toBeDefined();
  return {
    code,
    report: JSON.parse(stdout),
    rssMb: Math.round(Number(rssKb) / 1024),
    ms: Math.round(performance.now() - begunAt),
  };
}

test.runIf(areToolsRequired)('RTMS_REQUIRE_MEDIA_TOOLS: ffprobe and sox are installed', () => {
  expect(missingTools).toEqual([]);
});

test('the export tells what is there and what may be missing, and takes bounded memory and time', async () => {
  const { code, report, rssMb, ms } = exported;
  const media = Math.round(written.mediaBytes / 1e6);
  process.stdout.write(
    `two hours, ${written.frames} frames, ${media} MB: ${ms} ms, ${rssMb} MB RSS\n`,
  );
  expect(code).toBe(1);
  expect(report).toMatchObject({
    verdict: 'incomplete',
    problems: [],
    leftOut: [],
    skippedPictures: { [path(ADA_MP4)]: SKIPPED.ada, [path(BEN_MP4)]: SKIPPED.ben },
    // Zoom sent the last second before the change of owner again.
    adjusted: { [path(ADA_WAV)]: { cutMs: 1_000, moved: 0 } },
  });
  expect(rssMb).toBeLessThan(MAX_RSS_MB);
  expect(ms).toBeLessThan(MAX_EXPORT_MS);
});

test('gaps.json has every loss, each once, at its time in the files', async () => {
  const { verdict, losses } = JSON.parse(await readFile(path('gaps.json'), 'utf8'));
  expect(verdict).toBe('incomplete');
  const told = losses.map((loss: Record<string, unknown>) => [
    loss['kind'],
    loss['mediaType'],
    loss['fromAtMs'],
    loss['toAtMs'],
  ]);
  const blind = (mediaType: string) =>
    BLIND.map(({ fromMs, toMs }) => ['blind', mediaType, fromMs + LEAD_MS, toMs + LEAD_MS]);
  const pictureTypes = ['video', 'deskshare', 'transcript', 'chat'];
  expect(told).toHaveLength(2 * pictureTypes.length + 2);
  expect(told).toEqual(expect.arrayContaining(pictureTypes.flatMap(blind)));
  expect(told).toContainEqual(['gap', 'video', expect.any(Number), expect.any(Number)]);
  expect(losses).toContainEqual(expect.objectContaining({ kind: 'gap', count: GAP_FRAMES }));
  expect(told).toContainEqual(['hole', 'audio', 5_399_700 + LEAD_MS, 5_400_000 + LEAD_MS]);
});

test('files are not much larger than what they hold', async () => {
  const bytes = async (name: string) => (await stat(path(name))).size;
  expect(await bytes(ADA_WAV)).toBe(44 + WHOLE_S * 8_000 * 2);
  expect((await bytes(ADA_MP4)) + (await bytes(BEN_MP4))).toBeLessThan(written.mediaBytes);
  expect((await readdir(out)).filter((name) => name.endsWith('.partial'))).toEqual([]);
});

describe.skipIf(missingTools.length > 0)('ffprobe and sox', () => {
  test.each([
    [ADA_MP4, SKIPPED.ada, 320],
    [BEN_MP4, SKIPPED.ben + GAP_FRAMES, 640],
  ])(
    '%s: every picture decodes, none is lost, and the last one ends with the meeting',
    (name, lacking, width) => {
      const video = probe(path(name));
      expect(video.packets).toBe(PICTURES - lacking);
      expect(video.decoded).toBe(PICTURES - lacking);
      expect(video).toMatchObject({ codec: 'h264', width, startTime: '0.000000' });
      expect(Math.abs(video.seconds - WHOLE_S)).toBeLessThan(FRAME_S);
    },
    240_000,
  );

  test('audio lasts as long as the meeting, and Ogg as long as Ben talks', () => {
    for (const name of [ADA_WAV, 'meeting.wav']) {
      const seconds = Number(execFileSync('sox', ['--i', '-D', path(name)], { encoding: 'utf8' }));
      expect(Math.abs(seconds - WHOLE_S), name).toBeLessThan(AUDIO_FRAME_S);
    }
    const ogg = probe(path(BEN_OGG));
    expect(ogg.codec).toBe('opus');
    expect(Math.abs(ogg.seconds - (written.benEndsMs + LEAD_MS) / 1000)).toBeLessThan(
      AUDIO_FRAME_S,
    );
  });

  test('Ada clicks where her camera flashes, in the first minute and in the last', () => {
    for (const second of PROBED) {
      const offsetMs = clickMs(second) - 1000 * flashS(second);
      expect(Math.abs(offsetMs), `second ${second}`).toBeLessThanOrEqual(1);
    }
  });

  test('every slide of the share is a picture', async () => {
    const names = (await readdir(path(SHARE))).filter((name) => name.endsWith('.jpg'));
    // One began in the time after the crash in which nobody was connected.
    expect(names.length).toBe(LENGTH_MS / SLIDE_EVERY_MS - SLIDES_UNSEEN);
    for (const name of names) {
      expect(probe(path(join(SHARE, name)))).toMatchObject({ width: 1280, height: 720 });
    }
  });

  /** When the click around a second begins, by the samples that sox hands out. */
  function clickMs(second: number): number {
    const fromS = second + LEAD_MS / 1000 - 0.1;
    const first = samplesOf(path(ADA_WAV), fromS, 0.2).findIndex(
      (sample) => Math.abs(sample) > 10_000,
    );
    expect(first).toBeGreaterThan(0);
    return fromS * 1000 + first / 8;
  }

  /** When the picture that stands for a second begins, by ffprobe's own clock; that it is white the browser sees. */
  function flashS(second: number): number {
    const wantedS = second + LEAD_MS / 1000;
    // From the key frame before it on.
    const interval = `${wantedS}%${wantedS + 1}`;
    const args = ['-v', 'error', '-read_intervals', interval, '-show_entries', 'packet=pts_time'];
    const lines = execFileSync('ffprobe', [...args, '-of', 'csv=p=0', path(ADA_MP4)], {
      encoding: 'utf8',
    });
    const times = lines.match(/[\d.]+/g)?.map(Number) ?? [];
    return times.toSorted((a, b) => Math.abs(a - wantedS) - Math.abs(b - wantedS))[0] ?? Number.NaN;
  }
});

/** Seconds of the meeting: in each epoch, near each boundary, and the last one. */
const PROBED = [1, 59, 3_599, 3_602, 5_398, 5_411, 7_198];
const SLIDES_UNSEEN = 2;

interface Seen {
  readonly videos: readonly {
    readonly name: string;
    readonly seconds: number;
    readonly width: number;
    readonly height: number;
    readonly cues: number;
    readonly pictures: readonly {
      readonly atS: number;
      readonly shownS: number;
      readonly light: number;
    }[];
  }[];
  readonly sounds: readonly {
    readonly name: string;
    readonly seconds: number;
    readonly playedTo: number;
  }[];
  readonly transcript: readonly { readonly startS: number; readonly text: string }[];
}

describe.skipIf(browser === undefined)('a browser (skipped: no Chromium on this machine)', () => {
  let seen: Seen;
  beforeAll(async () => {
    const inMp4 = PROBED.flatMap((second) => {
      const atS = second + LEAD_MS / 1000;
      return [atS - 0.03, atS + 0.03, atS + 0.1];
    });
    const asked = { videos: [ADA_MP4, BEN_MP4], sounds: [ADA_WAV, 'meeting.wav', BEN_OGG], inMp4 };
    const names = [...asked.videos, ...asked.sounds, 'transcript.vtt'];
    const captions = asked.videos.map((name) => name.replace(/mp4$/, 'vtt'));
    const script = `const asked = ${JSON.stringify({ ...asked, endS: WHOLE_S })};${PAGE}`;
    seen = await askBrowser<Seen>(browser as string, script, [...names, ...captions].map(path));
  }, 240_000);

  test('plays both cameras from the first picture to the last', () => {
    expect(seen.videos.map(({ width, height }) => [width, height])).toEqual([
      [320, 180],
      [640, 360],
    ]);
    for (const { name, seconds, pictures } of seen.videos) {
      expect(Math.abs(seconds - WHOLE_S), name).toBeLessThan(FRAME_S);
      expect(pictures[0]?.shownS, name).toBe(0);
      expect(WHOLE_S - (pictures.at(-1)?.shownS ?? 0), name).toBeLessThan(2 * FRAME_S);
    }
  });

  test('sees Ada’s flash when she clicks, and nothing before and after', () => {
    const pictures = seen.videos[0]?.pictures.slice(1, -1) ?? [];
    expect(pictures).toHaveLength(3 * PROBED.length);
    const light = pictures.map((each) => (each.light > 128 ? 'white' : 'black'));
    expect(light).toEqual(PROBED.flatMap(() => ['black', 'white', 'black']));
    for (const { atS, shownS } of pictures)
      expect(Math.abs(atS - shownS)).toBeLessThan(FRAME_S + 0.001);
  });

  test('knows how long the sound is, and plays its end', () => {
    for (const { name, seconds, playedTo } of seen.sounds) {
      const endS = name === BEN_OGG ? (written.benEndsMs + LEAD_MS) / 1000 : WHOLE_S;
      expect(Math.abs(seconds - endS), name).toBeLessThan(AUDIO_FRAME_S);
      expect(Math.abs(playedTo - endS), name).toBeLessThan(0.1);
    }
  });

  test('shows the transcript as captions, with the times in which lines may lack', () => {
    const lines = seen.transcript.filter(({ text }) => text.includes('Line at'));
    expect(lines).toHaveLength(written.lines);
    for (const { startS, text } of lines) {
      const saidS = Number(/Line at (\d+) s/.exec(text)?.[1]);
      expect(Math.abs(startS - (saidS + LEAD_MS / 1000)), text).toBeLessThan(0.01);
    }
    const marks = seen.transcript.filter(({ text }) => text.includes('may lack lines'));
    expect(marks.map(({ startS }) => startS)).toEqual(
      BLIND.map(({ fromMs }) => (fromMs + LEAD_MS) / 1000),
    );
    expect(seen.videos.map(({ cues }) => cues)).toEqual([2, 3]);
  });
});

/** Runs in the page. A picture is what `requestVideoFrameCallback` says is on the screen, and how light it is. */
const PAGE = `
  const once = (target, name) => new Promise((resolve, reject) => {
    target.addEventListener(name, resolve, { once: true });
    target.addEventListener('error', () => reject(new Error(name + ': ' + target.error?.message)), { once: true });
  });
  const captions = async (video, name) => {
    const track = document.createElement('track');
    track.kind = 'captions';
    track.src = name;
    video.append(track);
    track.track.mode = 'hidden';
    await once(track, 'load');
    return [...track.track.cues].map(({ startTime, text }) => ({ startS: startTime, text }));
  };
  const canvas = new OffscreenCanvas(8, 8).getContext('2d', { willReadFrequently: true });
  const picture = async (video, atS) => {
    const shown = new Promise((resolve) => video.requestVideoFrameCallback((_, frame) => resolve(frame.mediaTime)));
    video.currentTime = atS;
    const shownS = await shown;
    canvas.drawImage(video, 0, 0, 8, 8);
    const { data } = canvas.getImageData(0, 0, 8, 8);
    return { atS, shownS, light: data.filter((_, index) => index % 4 === 1).reduce((sum, value) => sum + value, 0) / 64 };
  };
  const videos = [];
  let transcript = [];
  for (const name of asked.videos) {
    const video = document.createElement('video');
    video.muted = true;
    document.body.append(video);
    const first = new Promise((resolve) => video.requestVideoFrameCallback((_, frame) => resolve(frame.mediaTime)));
    video.src = name;
    await once(video, 'loadedmetadata');
    const pictures = [{ atS: 0, shownS: await first, light: 0 }];
    for (const atS of asked.inMp4) pictures.push(await picture(video, atS));
    pictures.push(await picture(video, video.duration - 0.01));
    const cues = await captions(video, name.replace(/mp4$/, 'vtt'));
    if (transcript.length === 0) transcript = await captions(video, 'transcript.vtt');
    const { duration: seconds, videoWidth: width, videoHeight: height } = video;
    videos.push({ name, seconds, width, height, pictures, cues: cues.length });
    video.remove();
  }
  const sounds = [];
  for (const name of asked.sounds) {
    const audio = new Audio(name);
    await once(audio, 'loadedmetadata');
    const seconds = audio.duration;
    audio.currentTime = seconds - 1;
    await once(audio, 'seeked');
    const ended = once(audio, 'ended');
    await audio.play();
    await ended;
    sounds.push({ name, seconds, playedTo: audio.currentTime });
  }
  return { videos, sounds, transcript };
`;
