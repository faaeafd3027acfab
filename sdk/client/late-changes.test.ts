import { expect, test, vi } from 'vitest';
import { ADA, BEN, simulateStream } from '../../test/support/sdk/simulated-stream.ts';
import { waitFor } from '../../test/support/wait.ts';
import rtms from './index.ts';

test('participants are reported only after onJoinConfirm has finished', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const order: string[] = [];
  client.onUserUpdate((_op, { name }) => order.push(`user ${name}`));
  client.onParticipantEvent((event) => order.push(event));
  client.onEventEx(() => order.push('raw'));
  client.onSessionUpdate(() => order.push('session'));
  client.onJoinConfirm(async (reason) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    order.push(`confirmed ${reason}`);
  });
  client.join(stream.payload());
  await waitFor(() => expect(order).toContain(`user ${BEN.userName}`));
  expect(order[0]).toBe('confirmed 0');
  expect(order.filter((line) => line.startsWith('confirmed'))).toHaveLength(1);
});

test('a refused join calls no callback but those that report the failure', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const order: string[] = [];
  for (const name of ['onUserUpdate', 'onEventEx', 'onSessionUpdate'] as const) {
    client[name](() => order.push(name));
  }
  client.onJoinConfirm(() => order.push('confirmed'));
  const left = new Promise((resolve) => client.onLeave(resolve));
  client.join({ ...stream.payload(), secret: 'wrong' });
  await left;
  expect(order).toEqual(['confirmed']);
});

test('callbacks registered right after join are part of the first handshake', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const confirmed = new Promise((resolve) => client.onJoinConfirm(resolve));
  const interrupted = vi.fn();
  client.onInterrupted(interrupted);
  client.join(stream.payload());
  const onVideoData = vi.fn();
  client.onVideoData(onVideoData);
  client.setVideoParams({ codec: rtms.VideoCodec.JPG, fps: 5 });
  expect(await confirmed).toBe(0);
  expect(client.media).toMatchObject({ video: { codec: rtms.VideoCodec.JPG, fps: 5 } });
  expect(Object.keys(client.media)).toEqual(['video']);
  await waitFor(() => {
    stream.clock.advance(200);
    expect(onVideoData).toHaveBeenCalled();
  });
  expect(interrupted).not.toHaveBeenCalled();
});

test.for(['in onJoinConfirm', 'later'])(
  'callbacks registered %s are served after one reconnect',
  async (when) => {
    await using stream = await simulateStream();
    const client = stream.client();
    const [onAudioData, onVideoData, onTranscriptData] = [vi.fn(), vi.fn(), vi.fn()];
    const reconnected = vi.fn();
    client.onReconnected((info) => info.scope === 'signaling' && reconnected(info));
    client.onAudioData(onAudioData);
    const register = () => {
      client.onVideoData(onVideoData);
      client.onTranscriptData(onTranscriptData);
    };
    const confirmed = new Promise<void>((resolve) => {
      client.onJoinConfirm(() => {
        if (when === 'in onJoinConfirm') register();
        resolve();
      });
    });
    client.join(stream.payload());
    await confirmed;
    if (when === 'later') register();
    await waitFor(() => expect(reconnected).toHaveBeenCalled());
    await waitFor(() => {
      stream.clock.advance(200);
      stream.act({ do: 'transcript', userId: ADA.userId, text: 'Hi' });
      for (const seen of [onAudioData, onVideoData, onTranscriptData]) {
        expect(seen).toHaveBeenCalled();
      }
    });
    expect(reconnected.mock.calls).toMatchObject([[{ cause: 'media_changed' }]]);
    expect(Object.keys(client.media)).toEqual(['audio', 'video', 'transcript']);
  },
);

test.for([
  ['ms', 1],
  ['us', 1_000],
] as const)(
  'a transcript callback gets the time as Zoom wrote it, in %s',
  async ([unit, factor]) => {
    await using stream = await simulateStream({ behaviour: { transcriptTimeUnit: unit } });
    const client = stream.client();
    const onTranscriptData = vi.fn();
    client.onTranscriptData(onTranscriptData);
    await stream.join(client);
    stream.clock.advance(3_000);
    stream.act({ do: 'transcript', userId: ADA.userId, text: 'Hi', startMs: 1_000, endMs: 2_000 });
    await waitFor(() => expect(onTranscriptData).toHaveBeenCalled());
    const [, , timestamp, metadata, ...rest] = onTranscriptData.mock.calls[0] ?? [];
    const startedAtMs = stream.simulator.streams()[0]?.startedAtMs ?? 0;
    expect(rest).toEqual([]);
    expect(timestamp).toBe(metadata.line.timestampMs * factor);
    expect(metadata).toMatchObject({ startTs: startedAtMs + 1_000, endTs: startedAtMs + 2_000 });
  },
);

test('callbacks get plain data that can be cloned, changed and written as JSON', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const seen: Record<string, unknown[]> = {};
  const keep =
    (name: string) =>
    (...args: unknown[]) => {
      seen[name] ??= args;
    };
  client.onAudioData(keep('audio'));
  client.onTranscriptData(keep('transcript'));
  client.onChatData(keep('chat'));
  client.onSessionUpdate(keep('session'));
  client.onUserUpdate(keep('user'));
  client.onParticipantEvent(keep('participant'));
  client.onParticipantVideo(keep('video'));
  client.onEnded(keep('ended'));
  await stream.join(client);
  stream.clock.advance(100);
  stream.act({ do: 'transcript', userId: ADA.userId, text: 'Hi' });
  stream.act({ do: 'chat', userId: ADA.userId, text: 'Hi' });
  stream.act({ do: 'video_off', userId: ADA.userId });
  const names = ['audio', 'transcript', 'chat', 'session', 'user', 'participant', 'video'];
  await waitFor(() => expect(Object.keys(seen).sort()).toEqual([...names].sort()));
  stream.act({ do: 'stop', reason: 6 });
  await waitFor(() => expect(seen).toHaveProperty('ended'));
  for (const args of Object.values(seen)) {
    expect(structuredClone(args)).toEqual(
      args.map((one) => (Buffer.isBuffer(one) ? expect.anything() : one)),
    );
    expect(() => JSON.stringify(args)).not.toThrow();
  }
  const session = seen['session']?.[1];
  expect(Object.keys(session as object)).toEqual([
    'sessionId',
    'streamId',
    'meetingId',
    'statTime',
    'status',
    'isActive',
    'isPaused',
  ]);
  // Unix seconds: Zoom's SDK has 32 bits for it.
  expect(session).toMatchObject({ statTime: Math.floor(stream.clock.now() / 1_000) });
});

test('messages are logged by type and size at debug, frames at trace, contents never', async () => {
  await using stream = await simulateStream();
  const lines: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    return lines.push(String(line)) > 0;
  });
  const client = stream.client();
  client.onAudioData(() => {});
  client.onTranscriptData(() => {});
  const told = async (level: number) => {
    rtms.configureLogger({ enabled: true, level });
    lines.length = 0;
    stream.clock.advance(100);
    stream.act({ do: 'transcript', userId: ADA.userId, text: 'secret words' });
    await new Promise((resolve) => setTimeout(resolve, 60));
    return lines.join('');
  };
  // Another test file of the same thread may have chosen JSON.
  const format = rtms.LogFormat.PROGRESSIVE;
  rtms.configureLogger({ enabled: true, level: rtms.LogLevel.DEBUG, format });
  client.join(stream.payload());
  await waitFor(() => expect(lines.join('')).toMatch(/CLIENT_READY_ACK/));
  expect(lines.join('')).toMatch(/message sent.* type=SIGNALING_HAND_SHAKE_REQ sizeBytes=\d+/);
  expect(lines.join('')).toMatch(/message received.* type=DATA_HAND_SHAKE_RESP sizeBytes=\d+/);
  const [info, debug, trace] = [await told(2), await told(3), await told(4)];
  write.mockRestore();
  rtms.configureLogger({ enabled: false, level: rtms.LogLevel.INFO });
  expect(info).not.toMatch(/message (sent|received)/);
  expect(debug).toMatch(/message received.* type=MEDIA_DATA_TRANSCRIPT sizeBytes=\d+/);
  expect(debug).not.toMatch(/MEDIA_DATA_AUDIO/);
  expect(trace).toMatch(/TRACE \| message received.* type=MEDIA_DATA_AUDIO sizeBytes=\d+/);
  expect(info + debug + trace).not.toMatch(/secret words|John|[0-9a-f]{64}/);
});
