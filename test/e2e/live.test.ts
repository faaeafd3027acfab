import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PRODUCTS } from '../../rtms/protocol/product.ts';
import {
  events,
  type Frame,
  frames,
  LedgerChecker,
  type ReceivedEvent,
} from '../../sdk/consumer/index.ts';
import { signWebhook } from '../../shared/zoom/webhook-signature.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { waitFor } from '../support/wait.ts';

/** `npm start -- --live --json` against a Zoom that is not ours to configure: the lines that programs rely on. */

const ZOOM = {
  clientId: 'liveClient',
  clientSecret: 'liveSecret',
  webhookSecretToken: 'liveToken',
  videoSdkKey: 'liveSdkKey',
  videoSdkSecret: 'liveSdkSecret',
};

const folder = mkdtempSync(join(tmpdir(), 'rtms-live-'));
let command: ChildProcess;
let simulator: Simulator;
const lines: Record<string, unknown>[] = [];
let ready: {
  webhookUrl: string;
  region: string;
  endpoints: { kinesis: string };
  streams: { media: string; events: string };
  runners: { taskId: string; pid: number }[];
};

beforeAll(async () => {
  command = spawn(process.execPath, ['local/dev.ts', '--live', '--json', '--out', folder], {
    env: {
      ...process.env,
      ZM_RTMS_PORT: '0',
      ZM_RTMS_PATH: '/zoom',
      ZM_RTMS_CLIENT: ZOOM.clientId,
      ZM_RTMS_SECRET: ZOOM.clientSecret,
      ZM_RTMS_WEBHOOK_SECRET: `newToken,${ZOOM.webhookSecretToken}`,
      ZM_RTMS_VIDEO_SDK_KEY: ZOOM.videoSdkKey,
      ZM_RTMS_VIDEO_SDK_SECRET: ZOOM.videoSdkSecret,
      ZM_RTMS_ALLOWED_HOSTS: '127.0.0.1',
      RTMS_MEDIA: '{"audio": {"codec": "L16", "sampleRate": "SR_16K", "channel": "MONO"}}',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (!command.stdout) throw new Error('no stdout');
  createInterface({ input: command.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  await waitFor(() => expect(lines[0]).toMatchObject({ ready: true }), 60_000);
  ready = lines[0] as never;
  simulator = await startSimulator({ webhookUrls: [ready.webhookUrl], app: ZOOM });
}, 90_000);

afterAll(async () => {
  await simulator.close();
  command.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function readAll() {
  const client = new KinesisClient({
    region: ready.region,
    endpoint: ready.endpoints.kinesis,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    requestHandler: new NodeHttpHandler(),
  });
  const read: { frames: Frame[]; events: ReceivedEvent[] } = { frames: [], events: [] };
  const reader = { client, stopAtTip: true } as const;
  // Events first: where a session has ended, all of its frames are there.
  for await (const event of events({ ...reader, streamName: ready.streams.events })) {
    read.events.push(event);
  }
  for await (const frame of frames({ ...reader, streamName: ready.streams.media })) {
    read.frames.push(frame);
  }
  client.destroy();
  return read;
}

/** Frame by frame what Zoom sent of one stream, as the reader got it. */
function digests(received: readonly Frame[], rtmsStreamId: string): Record<string, string> {
  const bySource = Object.groupBy(
    received.filter((frame) => frame.rtmsStreamId === rtmsStreamId),
    ({ mediaType, userId, channelId }) => `${mediaType} ${channelId ?? userId}`,
  );
  return Object.fromEntries(
    Object.entries(bySource).map(([source, list]) => {
      const hash = createHash('sha256');
      for (const { payload } of list ?? []) hash.update(payload);
      return [source, `${list?.length} ${hash.digest('hex')}`];
    }),
  );
}

async function post(body: string, token: string): Promise<number> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const response = await fetch(ready.webhookUrl, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-zm-request-timestamp': timestamp,
      'x-zm-signature': signWebhook(token, timestamp, Buffer.from(body)),
    },
  });
  return response.status;
}

function startedEvent(rtmsStreamId: string, serverUrl: string): string {
  return JSON.stringify({
    event: 'meeting.rtms_started',
    event_ts: Date.now(),
    payload: { meeting_uuid: 'uuid==', rtms_stream_id: rtmsStreamId, server_urls: serverUrl },
  });
}

describe('npm start -- --live --json', () => {
  test('brings all five products to Kinesis, byte for byte, across a drained runner', {
    timeout: 180_000,
  }, async () => {
    const started = PRODUCTS.map((product) => {
      const isMedia = product !== 'contact_center' && product !== 'phone';
      const scenario = syntheticMeeting({
        product,
        // It ends when the runner has left: a busy machine may need longer for that than a meeting of any length.
        durationMs: 600_000,
        video: isMedia,
        transcriptEveryMs: 1_000,
      });
      return { product, rtmsStreamId: simulator.start(scenario) as string };
    });
    const areConnected = () =>
      waitFor(
        () => expect(simulator.streams().every(({ isConnected }) => isConnected)).toBe(true),
        15_000,
      );
    await areConnected();

    // Which runner was ready first, and so has the sessions, is not certain.
    const owner = await waitFor(
      async () => {
        const { events } = await readAll();
        const begun = events.find(({ name }) => name === 'session_started');
        expect(begun).toBeDefined();
        return begun?.name === 'session_started' ? begun.data.owner : '';
      },
      { timeout: 60_000, interval: 200 },
    );
    const drained = ready.runners.find(({ taskId }) => taskId === owner);
    if (drained === undefined) throw new Error(`${owner} is not among the runners`);
    process.kill(drained.pid, 'SIGTERM');
    const kinds = () => lines.filter(({ taskId }) => taskId !== undefined);
    await waitFor(
      () =>
        expect(kinds()).toEqual([
          expect.objectContaining({ kind: 'runner_exited', taskId: owner, code: 0 }),
          expect.objectContaining({ kind: 'runner_started', pid: expect.any(Number) }),
        ]),
      60_000,
    );

    // What Zoom keeps for an owner that has not come yet would be lost with the end.
    await areConnected();
    for (const { rtmsStreamId } of started) simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
    const sent = await Promise.all(
      started.map(({ rtmsStreamId }) => simulator.finished(rtmsStreamId)),
    );
    const ended = (received: readonly ReceivedEvent[]) =>
      received.filter(({ name }) => name === 'session_ended');
    const received = await waitFor(
      async () => {
        const read = await readAll();
        expect(ended(read.events)).toHaveLength(PRODUCTS.length);
        return read;
      },
      { timeout: 60_000, interval: 500 },
    );

    const checker = new LedgerChecker();
    for (const frame of received.frames) checker.frame(frame);
    for (const event of received.events) checker.event(event);
    expect(checker.report().problems).toEqual([]);
    for (const report of sent) {
      const expected = report.sources.map(({ mediaType, userId, channelId, frames, sha256 }) => [
        `${mediaType} ${channelId ?? userId}`,
        `${frames} ${sha256}`,
      ]);
      expect(digests(received.frames, report.rtmsStreamId)).toEqual(Object.fromEntries(expected));
      const texts = received.events.flatMap((event) =>
        event.name === 'transcript' && event.rtmsStreamId === report.rtmsStreamId
          ? [event.data.text]
          : [],
      );
      expect(texts).toEqual(report.transcript.filter((line) => line.sent).map(({ text }) => text));
    }
    const handedOver = received.events.filter(({ name }) => name === 'session_handed_over');
    expect(handedOver.length).toBeGreaterThan(0);
    expect(new Set(received.events.map(({ product }) => product))).toEqual(new Set(PRODUCTS));
  });

  test('answers a wrong signature with 401 and a foreign address with 400, and says of the latter that it was missed', async () => {
    const foreign = startedEvent('foreign', 'wss://rtms.example.com:443');
    const forged = startedEvent('forged', simulator.signalingUrl);
    expect(await post(forged, 'notTheToken')).toBe(401);
    expect(await post(foreign, ZOOM.webhookSecretToken)).toBe(400);
    const { events: received } = await readAll();
    const of = (id: string) => received.filter(({ rtmsStreamId }) => rtmsStreamId === id);
    expect(of('forged')).toEqual([]);
    for (const event of of('foreign')) {
      expect(event).toMatchObject({ name: 'session_missed', data: { reason: 'address_refused' } });
    }
  });

  test('stops everything cleanly on SIGINT', { timeout: 90_000 }, async () => {
    const closed = once(command, 'close');
    command.kill('SIGINT');
    expect(await closed).toEqual([0, null]);
  });
});
