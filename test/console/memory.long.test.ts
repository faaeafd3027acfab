import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { PutRecordCommand } from '@aws-sdk/client-kinesis';
import { expect, test } from 'vitest';
import { type LocalAws, startLocalAws } from '../../local/aws/local-aws.ts';
import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import { encodeAggregate } from '../../shared/record/kpl.ts';
import { loadAsset } from '../../simulator/media/assets.ts';
import { isBrowserRequired, missingBrowser, openPage, startBrowser } from '../support/browser.ts';
import { started } from '../support/console-world.ts';
import { connect } from '../support/kinesis-client.ts';
import { eventBytes, mediaRecord } from '../support/test-records.ts';

const canSkip = missingBrowser !== undefined && !isBrowserRequired;
const ID = 'long-meeting';
const MINUTES = 30;
/** A minute of the meeting takes so long here: what local shards take in. */
const MINUTE_MS = 1_500;
const AUDIO_PER_MINUTE = 600;
const VIDEO_PER_MINUTE = 120;
/** 100 ms of L16 at 8 kHz. */
const AUDIO_BYTES = 1_600;
const H264 = 7;
const MAX_PAGE_GROWTH = 5e6;
const MAX_SERVER_GROWTH = 60e6;

/** The access units of a camera, each with its delimiter. */
function accessUnits(): Buffer[] {
  const bytes = loadAsset('camera/ada.h264');
  const starts: number[] = [];
  for (
    let at = bytes.indexOf('00000109', 0, 'hex');
    at >= 0;
    at = bytes.indexOf('00000109', at + 4, 'hex')
  ) {
    starts.push(Math.max(0, at));
  }
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1] ?? bytes.length));
}

async function playMinute(aws: LocalAws, minute: number, camera: readonly Buffer[]): Promise<void> {
  const client = connect(aws.endpoints.kinesis);
  const beginMs = Date.now() - (MINUTES - minute) * 60_000;
  const put = async (StreamName: string, Data: Uint8Array, PartitionKey: string): Promise<void> => {
    try {
      await client.send(new PutRecordCommand({ StreamName, Data, PartitionKey }));
    } catch (error) {
      if ((error as Error).name !== 'ProvisionedThroughputExceededException') throw error;
      await delay(200);
      await put(StreamName, Data, PartitionKey);
    }
  };
  const lines = Array.from({ length: 36 }, (_, index) => {
    const origin = { rtmsStreamId: ID, timeMs: beginMs + index * 1_600 };
    const text = `Line ${index} of minute ${minute}, as long as people speak in one go, more or less.`;
    const userId = 7 + (index % 3);
    const data = { text, userId, userName: `Speaker ${userId}`, timestampMs: origin.timeMs };
    return eventBytes('transcript', data, 2 + minute * 36 + index, origin);
  });
  await put(aws.streams.events, Buffer.concat(lines), ID);
  for (let first = 0; first < AUDIO_PER_MINUTE; first += 100) {
    const frames = Array.from({ length: 100 }, (_, index) => {
      const sequence = minute * AUDIO_PER_MINUTE + first + index + 1;
      const capturedAtMs = beginMs + (first + index) * 100;
      const payload = Buffer.alloc(AUDIO_BYTES, sequence);
      const rest = { capturedAtMs, receivedAtMs: capturedAtMs, payload, sampleRateHz: 8_000 };
      return encodeMediaRecord(mediaRecord({ rtmsStreamId: ID, sequence, ...rest }));
    });
    await put(aws.streams.media, encodeAggregate(ID, frames), ID);
  }
  for (let first = 0; first < VIDEO_PER_MINUTE; first += 40) {
    const frames = Array.from({ length: 40 }, (_, index) => {
      const sequence = minute * VIDEO_PER_MINUTE + first + index + 1;
      const capturedAtMs = beginMs + (first + index) * 500;
      const payload = camera[sequence % camera.length] as Buffer;
      const rest = { capturedAtMs, receivedAtMs: capturedAtMs, payload, codec: H264, mediaType: 2 };
      return encodeMediaRecord(mediaRecord({ rtmsStreamId: ID, sequence, ...rest }));
    });
    await put(aws.streams.media, encodeAggregate(`${ID}#v#7`, frames), `${ID}#v#7`);
  }
  client.destroy();
}

const residentBytes = ({ pid }: ChildProcess) =>
  1_024 * Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));

test.skipIf(canSkip)(
  'memory stays flat over 30 minutes of a meeting, played fast',
  { timeout: 180_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rtms-memory-'));
    const aws = await startLocalAws({ zoomSecret: '{}' });
    const { region, endpoints, table, streams, queueUrl } = aws;
    await writeFile(
      join(folder, 'stack.json'),
      JSON.stringify({ region, endpoints, table, streams, queueUrl }),
    );
    const args = ['cli/main.ts', 'console', `--local=${join(folder, 'stack.json')}`, '--json'];
    const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const browser = await startBrowser();
    try {
      const [line] = await once(
        createInterface({ input: server.stdout as NodeJS.ReadableStream }),
        'line',
      );
      const { consoleUrl } = JSON.parse(line) as { consoleUrl: string };
      const { page, complaints } = await openPage(browser, `${consoleUrl}&meeting=${ID}`);
      const devtools = await page.context().newCDPSession(page);
      const client = connect(endpoints.kinesis);
      const Data = eventBytes('session_started', started(Date.now()), 1, { rtmsStreamId: ID });
      await client.send(
        new PutRecordCommand({ StreamName: streams.events, Data, PartitionKey: ID }),
      );
      client.destroy();
      const camera = accessUnits();
      const taken: { minute: number; page: number; server: number }[] = [];
      for (let minute = 0; minute < MINUTES; minute++) {
        const beganMs = performance.now();
        await playMinute(aws, minute, camera);
        await delay(Math.max(0, MINUTE_MS - (performance.now() - beganMs)));
        if ((minute + 1) % 10 !== 0) continue;
        const words = `of minute ${minute},`;
        await page.locator('.line-text', { hasText: words }).first().waitFor({ timeout: 20_000 });
        await devtools.send('HeapProfiler.collectGarbage');
        const { usedSize } = await devtools.send('Runtime.getHeapUsage');
        taken.push({ minute: minute + 1, page: usedSize, server: residentBytes(server) });
      }
      const [first, , last] = taken;
      const said = JSON.stringify(taken);
      expect((last?.page ?? 0) - (first?.page ?? 0), said).toBeLessThan(MAX_PAGE_GROWTH);
      expect((last?.server ?? 0) - (first?.server ?? 0), said).toBeLessThan(MAX_SERVER_GROWTH);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      server.kill('SIGTERM');
      await once(server, 'exit');
      await aws.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
