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
