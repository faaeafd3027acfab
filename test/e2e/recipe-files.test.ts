import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createRecorder } from '../../docs/examples/consumers/s3-recorder.ts';
import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import type { MediaRecord } from '../../shared/record/media-record.ts';
import { loadAccessUnits, loadAsset, loadOpusPackets } from '../../simulator/media/assets.ts';
import { areToolsRequired, listen, missingTools, probe } from '../support/media-tools.ts';

/** Opens what the recipes of docs/examples/consumers write with ffprobe and sox. */

const START_MS = Date.parse('2026-11-22T10:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'rtms-recipe-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pcm = loadAsset('speech/01.pcm');
const packets = loadOpusPackets('speech/02.ogg').slice(0, 100);
const pictures = loadAccessUnits('camera/ada.h264');
const slides = [1, 2].map((number) => loadAsset(`slides/${number}.jpg`));

function frame(
  source: Pick<MediaRecord, 'mediaType' | 'codec' | 'userId'> & Partial<MediaRecord>,
  sequence: number,
  atMs: number,
  payload: Uint8Array,
): MediaRecord {
  const capturedAtMs = START_MS + atMs;
  const times = { capturedAtMs, receivedAtMs: capturedAtMs + 40 };
  return { rtmsStreamId: 'a', epoch: 1, userName: '', sequence, ...source, ...times, payload };
}

const speech = { mediaType: 1, codec: 1, userId: 7, sampleRateHz: 16_000, channels: 1 } as const;
const opus = { mediaType: 1, codec: 4, userId: 8, sampleRateHz: 48_000, channels: 2 } as const;
const camera = { mediaType: 2, codec: 7, userId: 7 } as const;
const share = { mediaType: 4, codec: 5, userId: 7 } as const;

/** Two seconds of everything that a meeting has. */
const EVERYTHING: readonly MediaRecord[] = [
  ...Array.from({ length: 100 }, (_, index) =>
    frame(speech, index + 1, index * 20, pcm.subarray(index * 640, (index + 1) * 640)),
  ),
  ...packets.map((packet, index) => frame(opus, index + 1, index * 20, packet)),
  ...pictures.map((unit, index) => frame(camera, index + 1, Math.round((index * 1000) / 15), unit)),
  ...slides.map((slide, index) => frame(share, index + 1, index * 1_000, slide)),
];

const rowsOf = (records: readonly MediaRecord[]) =>
  records.map((record, index) => ({
    Data: encodeMediaRecord(record).toString('base64'),
    PartitionKey: 'a',
    SequenceNumber: String(index + 1),
  }));

/** What other programs make of each file, by its ending. */
function opened(paths: readonly string[]) {
  return Object.fromEntries(
    paths.map((path) => {
      const type = extname(path).slice(1);
      if (type === 'wav' || type === 'l16') {
        const raw = ['-t', 'raw', '-r', '16000', '-e', 'signed', '-b', '16', '-c', '1'];
        const { seconds, peak } = listen(path, ...(type === 'l16' ? raw : []));
        return [type, { seconds, isHeard: peak > 0.1 }];
      }
      const { codec, width, seconds, decoded, packets: count } = probe(path);
      if (type === 'ogg') return [type, { codec, seconds: Number(seconds.toFixed(1)) }];
      return [type, { codec, width, decoded, count }];
    }),
  );
}

const SOUND = { seconds: 2, isHeard: true };
const OGG = { codec: 'opus', seconds: 2 };
const VIDEO = { codec: 'h264', width: 640, decoded: 90, count: 90 };
const PICTURE = { codec: 'mjpeg', width: 1280, decoded: 1, count: 1 };

test.runIf(areToolsRequired)('RTMS_REQUIRE_MEDIA_TOOLS: ffprobe and sox are installed', () => {
  expect(missingTools).toEqual([]);
});

describe.skipIf(missingTools.length > 0)('ffprobe and sox open what is left by', () => {
  test('the Lambda to S3 recorder', async () => {
    const paths: string[] = [];
    const handler = createRecorder({
      exists: async () => false,
      deleteAll: async () => undefined,
      async put(key, body) {
        if (key.endsWith('.jsonl')) return;
        const path = join(folder, `s3-${key.replaceAll('/', '-')}`);
        writeFileSync(path, body);
        paths.push(path);
      },
    });
    const Records = rowsOf(EVERYTHING).map(({ Data, PartitionKey, SequenceNumber }) => ({
      kinesis: { data: Data, partitionKey: PartitionKey, sequenceNumber: SequenceNumber },
    }));
    expect(await handler({ Records })).toEqual({ batchItemFailures: [] });
    expect(paths).toHaveLength(5);
    expect(opened(paths)).toEqual({ wav: SOUND, ogg: OGG, h264: VIDEO, jpg: PICTURE });
  });

  describe.skipIf(spawnSync('python3', ['--version']).status !== 0)('the Python reader', () => {
    function read(name: string, records: readonly MediaRecord[]): string[] {
      const file = join(folder, `${name}.jsonl`);
      writeFileSync(
        file,
        rowsOf(records)
          .map((row) => `${JSON.stringify(row)}\n`)
          .join(''),
      );
      const out = join(folder, name);
      const program = 'docs/examples/consumers/python/read_records.py';
      execFileSync('python3', ['-B', program, '--out', out, file], { timeout: 60_000 });
      return readdirSync(out).map((each) => join(out, each));
    }

    test('all media', () => {
      const paths = read('python', EVERYTHING);
      expect(paths).toHaveLength(5);
      expect(opened(paths)).toEqual({ l16: SOUND, ogg: OGG, h264: VIDEO, jpg: PICTURE });
    });

    test.each<
      [string, number, readonly (readonly [atMs: number, epoch?: number, receivedMs?: number])[]]
    >([
      ['a pause is silence', 0.52, [[0], [20], [500]]],
      ['a pause of minutes is silence', 300.04, [[0], [300_000], [300_020]]],
      ['one capture time ten minutes ahead moves nothing', 0.08, [[0], [600_000], [40], [60]]],
      ['one as the last moves nothing', 0.06, [[0], [20], [600_000]]],
      [
        'times that the clock of the runner contradicts move nothing',
        0.1,
        [[0], [600_020, 1, 20], [600_040, 1, 40], [60], [80]],
      ],
      ['a time outside any meeting moves nothing', 0.06, [[0], [4_000_000_000_000], [40]]],
      ['a clock that is set back loses nothing', 0.08, [[10_000], [10_020], [40], [60]]],
      [
        'audio that Zoom sends again is there once',
        0.08,
        [[0], [20], [40], [20, 2], [40, 2], [60, 2]],
      ],
    ])('Opus with odd times: %s', (name, seconds, times) => {
      const records = times.map(([atMs, epoch = 1, receivedMs = atMs], index) => ({
        ...frame(opus, index + 1, atMs, packets[index] as Buffer),
        receivedAtMs: START_MS + receivedMs,
        epoch,
      }));
      const [path = ''] = read(name.replaceAll(' ', '-'), records);
      expect(Math.abs(probe(path).seconds - seconds)).toBeLessThan(0.015);
    });
  });
});
