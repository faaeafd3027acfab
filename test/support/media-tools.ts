import { execFileSync, spawnSync } from 'node:child_process';
import { expect } from 'vitest';

/** Programs of others that open what we write. Tests that need them are skipped where they are not installed. */
const TOOLS = { ffprobe: '-version', sox: '--version' } as const;

export const missingTools: readonly string[] = Object.entries(TOOLS)
  .filter(([tool, flag]) => spawnSync(tool, [flag]).status !== 0)
  .map(([tool]) => tool);

/** `RTMS_REQUIRE_MEDIA_TOOLS=1`: a run in which skipping would go unseen. */
export const areToolsRequired = process.env['RTMS_REQUIRE_MEDIA_TOOLS'] === '1';

export interface Probed {
  readonly codec: string;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly startTime: string | undefined;
  readonly seconds: number;
  /** Pictures or packets in the file, and how many of them a decoder could show. */
  readonly packets: number;
  readonly decoded: number;
}

/** Decodes a file to its end. Whatever ffprobe has to complain of fails the test. */
export function probe(path: string, ...input: string[]): Probed {
  const args = ['-v', 'error', ...input, '-count_packets', '-count_frames', '-show_streams'];
  const { stdout, stderr } = spawnSync('ffprobe', [...args, '-show_format', '-of', 'json', path], {
    encoding: 'utf8',
  });
  expect(stderr, path).toBe('');
  const { streams, format } = JSON.parse(stdout);
  expect(streams, path).toHaveLength(1);
  const [stream] = streams;
  return {
    codec: stream.codec_name,
    width: stream.width,
    height: stream.height,
    startTime: stream.start_time,
    seconds: Number(format.duration),
    packets: Number(stream.nb_read_packets),
    decoded: Number(stream.nb_read_frames),
  };
}

/** Length and loudest sample as sox reads them. @param input how to read a file without a header */
export function listen(path: string, ...input: string[]): { seconds: number; peak: number } {
  const args = [...input, path, '-n', 'stat'];
  const { stderr } = spawnSync('sox', args, { encoding: 'utf8' });
  const read = (name: string) => Number(new RegExp(`${name}:?\\s+([\\d.-]+)`).exec(stderr)?.[1]);
  return { seconds: read('Length \\(seconds\\)'), peak: read('Maximum amplitude') };
}

/** Samples of a part of a file, 16 bit, as sox hands them out. */
export function samplesOf(path: string, fromS: number, seconds: number): Int16Array {
  const raw = execFileSync('sox', [path, '-t', 's16', '-', 'trim', `${fromS}`, `${seconds}`]);
  return new Int16Array(raw.buffer, raw.byteOffset, raw.length / 2);
}

interface Movie {
  readonly streams: readonly {
    codec_name: string;
    duration: string;
    start_time: string;
    nb_read_frames: string;
    nb_read_packets: string;
    tags: Record<string, string>;
    disposition: Record<string, number>;
  }[];
  readonly format: { readonly duration: string; readonly tags: Record<string, string> };
  readonly chapters: readonly { start_time: string; tags: { title: string } }[];
}

/** Decodes a file to its end. Whatever ffprobe has to complain of fails the test. */
export function openMovie(path: string): Movie {
  const args = ['-v', 'error', '-count_packets', '-count_frames', '-show_streams', '-show_format'];
  const { stdout, stderr } = spawnSync(
    'ffprobe',
    [...args, '-show_chapters', '-of', 'json', path],
    { encoding: 'utf8' },
  );
  expect(stderr, path).toBe('');
  return JSON.parse(stdout);
}

/** A picture of a movie. */
export interface Shown {
  readonly atS: number;
  readonly width: number;
  /** Mean luma: 16 is black. */
  readonly light: number;
}

/** Every picture, as ffmpeg decodes it. */
export function shownIn(path: string): Shown[] {
  const entries = ['-select_streams', 'v:0', '-show_entries', 'frame=pts_time,width'];
  const probed = execFileSync('ffprobe', ['-v', 'error', ...entries, '-of', 'json', path], {
    encoding: 'utf8',
  });
  const filter = ['-fps_mode', 'passthrough', '-vf', 'scale=1:1:flags=area,format=yuv444p'];
  const raw = ['-f', 'rawvideo', '-'];
  const bytes = execFileSync('ffmpeg', ['-v', 'fatal', '-i', path, '-an', ...filter, ...raw]);
  const frames: { pts_time: string; width: number }[] = JSON.parse(probed).frames;
  expect(bytes.length).toBe(frames.length * 3);
  return frames.map(({ pts_time, width }, index) => ({
    atS: Number(pts_time),
    width,
    light: bytes[index * 3] as number,
  }));
}
