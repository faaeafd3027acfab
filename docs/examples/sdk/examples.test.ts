import { describe, expect, test } from 'vitest';
import { startChild } from '../../../local/child.ts';
import { startSimulator } from '../../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../../simulator/sockets/handshake.ts';
import { CAMERA, LITTLE_MEETING, runExample } from '../../../test/support/sdk/run-example.ts';
import { ADA, BEN } from '../../../test/support/sdk/simulated-stream.ts';
import { waitUntil } from '../../../test/support/wait.ts';

// Each program waits for a server, a meeting and its first lines, at the same time as others.
describe.concurrent('docs/examples/sdk:', () => {
  test('quickstart.ts, as written for Zooms SDK, prints the transcript', async () => {
    await using example = await runExample('quickstart.ts');
    expect(await example.line(/^\[\d+] -- John Smith: Line/)).toMatch(/Line \d+\.$/);
    expect(await example.interrupt()).toBeNull();
  });

  test('events.ts tells of people, speakers, shares, cameras and sessions, and leaves on Ctrl-C', async () => {
    await using example = await runExample('events.ts');
    await Promise.all(
      [
        /^came 16778240 John Smith/,
        /^join \d/,
        /^speaks Alice/,
        /^share start John Smith/,
        /^share stop/,
        /^camera false 16778240/,
        /^session true true/,
        /^raw \{"event_type":2/,
      ].map((pattern) => example.line(pattern)),
    );
    expect(await example.interrupt()).toBe(0);
    expect(example.simulator.streams()[0]?.isConnected).toBe(false);
  });

  test('media-parameters.ts gets what it asks for', async () => {
    await using example = await runExample('media-parameters.ts');
    const effective = JSON.parse((await example.line(/^effective/)).slice('effective '.length));
    expect(effective).toEqual({
      audio: { contentType: 2, codec: 1, sampleRate: 1, channel: 1, dataOpt: 1, sendRateMs: 100 },
      video: { contentType: 3, codec: 5, resolution: 1, fps: 5, dataOpt: 3 },
      deskshare: { contentType: 3, codec: 5, resolution: 2, fps: 1 },
      transcript: { contentType: 5, srcLanguage: 9, enableLid: false },
    });
    await Promise.all(
      [/^audio 3200 Alice/, /^video \d/, /^share \d/].map((one) => example.line(one)),
    );
  });

  test('individual-video.ts gets the video of one participant', async () => {
    await using example = await runExample('individual-video.ts');
    await example.line(/^subscribed 16778240 0/);
    await example.line(/^video John Smith/);
  });

  test('individual-video.ts gets video when the cameras were on before it came, and after reconnects', async () => {
    const participants = [ADA, BEN].map((who) => ({ ...who, video: CAMERA }));
    const meeting = { name: 'cameras on', durationMs: 60_000, participants };
    await using example = await runExample('individual-video.ts', { meeting });
    const { simulator, rtmsStreamId } = example;
    const pictures = () => simulator.sent(rtmsStreamId).sources[0]?.frames ?? 0;
    await example.line(/^subscribed 16778240 0/);
    await example.line(/^video John Smith/);
    for (const action of [
      { do: 'cut_media', mediaType: 'video' },
      { do: 'cut_signaling' },
    ] as const) {
      simulator.act(rtmsStreamId, action);
      const before = pictures();
      await waitUntil(() => pictures() > before + 5);
    }
  });

  test('chat.ts prints what was written, and by whom', async () => {
    await using example = await runExample('chat.ts');
    await example.line(/^Alice \(operation 1\): Hi \d/);
  });

  test('async-callback.ts goes on after a failure', async () => {
    await using example = await runExample('async-callback.ts');
    await example.line(/^failed onTranscriptData Error: the database is away/);
    await example.line(/^saved John Smith Line 3\./);
  });

  test('worker-threads.ts computes in threads and ends them', async () => {
    await using example = await runExample('worker-threads.ts');
    await example.line(/^Alice fingerprint [0-9a-f]{64} of \d+ bytes/);
    expect(await example.interrupt()).toBe(0);
  });

  test('existing-server.ts serves the webhook beside its own paths', async () => {
    const listening = /^listening .*"port":(\d+)/;
    await using example = await runExample('existing-server.ts', {
      listening,
      path: '/zoom/webhook',
    });
    const port = listening.exec(await example.line(listening))?.[1];
    expect(await (await fetch(`http://127.0.0.1:${port}/health`)).text()).toBe('ok');
    await example.line(/^transcript Line/);
  });

  test('raw-webhook.ts answers by itself', async () => {
    await using example = await runExample('raw-webhook.ts');
    await example.line(/^answered meeting\.rtms_started/);
    expect(example.simulator.deliveries[0]?.attempts[0]?.status).toBe(204);
    await example.line(/^transcript Line/);
  });

  test('two-apps.ts signs for each app with its own secret', async () => {
    await using example = await runExample('two-apps.ts', {
      listening: /port=(\d+) path=\/sales/,
      path: '/sales',
      environment: {
        ZM_RTMS_CLIENT: 'unused',
        ZM_RTMS_SECRET: 'unused',
        ZM_RTMS_WEBHOOK_SECRET: 'unused',
        APP_CLIENT: EXAMPLE_APP.clientId,
        APP_SECRET: EXAMPLE_APP.clientSecret,
        APP_WEBHOOK_SECRET: EXAMPLE_APP.webhookSecretToken,
      },
    });
    await example.line(/^sales Line/);
  });

  test('reconnection.ts goes through a fail-over, a lost signaling connection and a lost medium', async () => {
    await using example = await runExample('reconnection.ts');
    const { simulator, rtmsStreamId } = example;
    await waitUntil(() => simulator.streams()[0]?.state === 'ACTIVE');
    simulator.act(rtmsStreamId, { do: 'cut_media', mediaType: 'audio' });
    await example.line(/^interrupted audio/);
    await example.line(/^reconnected audio/);
    simulator.act(rtmsStreamId, { do: 'failover', oldSockets: 'keep' });
    await example.line(/^reconnected signaling/);
    simulator.act(rtmsStreamId, { do: 'stop', reason: 13 });
    await example.line(/^left 13 true/);
  });

  test('one-stream.ts ends with its stream', async () => {
    await using simulator = await startSimulator();
    const rtmsStreamId = simulator.start(LITTLE_MEETING) as string;
    const lines: string[] = [];
    const child = startChild(
      'docs/examples/sdk/one-stream.ts',
      [],
      {
        ZM_RTMS_CLIENT: EXAMPLE_APP.clientId,
        ZM_RTMS_SECRET: EXAMPLE_APP.clientSecret,
        ZM_RTMS_ALLOWED_HOSTS: '127.0.0.1',
        ZM_RTMS_LOG_ENABLED: 'false',
        MEETING_UUID: simulator.streams()[0]?.entityId ?? '',
        RTMS_STREAM_ID: rtmsStreamId,
        SERVER_URLS: simulator.serverUrl(rtmsStreamId),
      },
      (line) => lines.push(line),
    );
    const sent = () =>
      simulator.sent(rtmsStreamId).sources.reduce((sum, { frames }) => sum + frames, 0);
    await waitUntil(() => sent() > 5);
    simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
    expect((await child.exited).code).toBe(0);
    expect(lines).toEqual(['joined 0', 'left 6 with audio']);
  });
});
