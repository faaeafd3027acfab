import { expect, test, vi } from 'vitest';
import {
  MEDIA_DATA_OPTION,
  MEDIA_PAYLOAD_TYPE,
  STATUS_CODE,
} from '../../rtms/protocol/constants.ts';
import { ADA, BEN, CREDENTIALS, simulateStream } from '../../test/support/sdk/simulated-stream.ts';
import { waitFor } from '../../test/support/wait.ts';
import rtms, { type Client, generateSignature, type Metadata } from './index.ts';

const NO_INTERPRETER = { lid: 0, timestamp: 0, channelNum: 0, sampleRate: 0, targets: [] };

/** Registers a spy for a callback and returns it. */
function spy(client: Client, name: `on${string}` & keyof Client) {
  const callback = vi.fn<(...args: unknown[]) => void>();
  expect((client[name] as (callback: unknown) => boolean)(callback)).toBe(true);
  return callback;
}

test('a join with a payload delivers the audio of each participant with names and times', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onAudioData = spy(client, 'onAudioData');
  expect(await stream.join(client)).toBe(0);
  stream.clock.advance(200);
  await waitFor(() => expect(onAudioData.mock.calls.length).toBeGreaterThanOrEqual(20));
  const [buffer, size, timestamp, metadata] = onAudioData.mock.calls[0] ?? [];
  expect(buffer).toBeInstanceOf(Buffer);
  expect(size).toBe((buffer as Buffer).length);
  const { mock } = onAudioData;
  expect(mock.calls.every((call) => call.length === 4)).toBe(true);
  expect(metadata).toEqual({
    ...ADA,
    startTs: timestamp,
    endTs: timestamp,
    aiInterpreter: NO_INTERPRETER,
  });
  const userIds = onAudioData.mock.calls.map(([, , , from]) => (from as Metadata).userId);
  expect(new Set(userIds)).toEqual(new Set([ADA.userId, BEN.userId]));
  expect(client.uuid()).toBe(stream.payload().meeting_uuid);
  expect(client.streamId()).toBe(stream.rtmsStreamId);
});

test('join takes four positional arguments with a signature made elsewhere', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const joined = new Promise((resolve) => client.onJoinConfirm(resolve));
  const { meeting_uuid: uuid = '', server_urls: urls } = stream.payload();
  const streamId = stream.rtmsStreamId;
  const signature = generateSignature({ ...CREDENTIALS, uuid, streamId });
  expect(client.join(uuid, streamId, signature, String(urls))).toBe(true);
  expect(await joined).toBe(0);
});

test('a client asks Zoom only for the media types that have a callback', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  spy(client, 'onTranscriptData');
  await stream.join(client);
  expect(Object.keys(client.media)).toEqual(['transcript']);
});

test('a client asks for media that was enabled and leaves out media that was disabled', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  spy(client, 'onAudioData');
  client.enableAudio(false);
  client.enableVideo(true);
  client.enableChat(true);
  await stream.join(client);
  expect(Object.keys(client.media)).toEqual(['video', 'chat']);
});

test("media parameters have the defaults of Zoom's SDK", async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  for (const name of [
    'onAudioData',
    'onVideoData',
    'onDeskshareData',
    'onTranscriptData',
  ] as const) {
    spy(client, name);
  }
  await stream.join(client);
  const { OPUS, H264 } = MEDIA_PAYLOAD_TYPE;
  const picture = { contentType: 3, codec: H264, resolution: 2, fps: 30 };
  expect(client.media).toEqual({
    audio: { contentType: 2, codec: OPUS, sampleRate: 3, channel: 2, dataOpt: 2, sendRateMs: 20 },
    video: { ...picture, dataOpt: 3 },
    deskshare: picture,
    transcript: { contentType: 5, srcLanguage: -1, enableLid: true },
  });
});

test('media setters may be called in any order, before and after the callbacks', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const { AudioCodec, AudioSampleRate, AudioChannel, DataOption, VideoCodec, VideoResolution } =
    rtms;
  client.setTranscriptParams({ srcLanguage: rtms.TranscriptLanguage.ENGLISH, enableLid: false });
  client.setDeskshareParams({ codec: VideoCodec.PNG, resolution: VideoResolution.FHD, fps: 1 });
  client.setAudioParams({
    codec: AudioCodec.L16,
    sampleRate: AudioSampleRate.SR_16K,
    channel: AudioChannel.MONO,
    dataOpt: DataOption.AUDIO_MIXED_STREAM,
    duration: 100,
    frameSize: 1_600,
  });
  spy(client, 'onAudioData');
  spy(client, 'onDeskshareData');
  spy(client, 'onTranscriptData');
  spy(client, 'onVideoData');
  client.setVideoParams({ codec: VideoCodec.JPG, fps: 5, resolution: VideoResolution.SD });
  await stream.join(client);
  expect(client.media).toEqual({
    audio: { contentType: 2, codec: 1, sampleRate: 1, channel: 1, dataOpt: 1, sendRateMs: 100 },
    video: { contentType: 3, codec: 5, resolution: 1, fps: 5, dataOpt: 3 },
    deskshare: { contentType: 3, codec: 6, resolution: 3, fps: 1 },
    transcript: { contentType: 5, srcLanguage: 9, enableLid: false },
  });
});

test('mixed audio carries the name of the active speaker', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const { AUDIO_MIXED_STREAM } = MEDIA_DATA_OPTION;
  client.setAudioParams({ codec: 1, sampleRate: 1, channel: 1, dataOpt: AUDIO_MIXED_STREAM });
  const onAudioData = spy(client, 'onAudioData');
  const onSpeaker = spy(client, 'onActiveSpeakerEvent');
  await stream.join(client);
  stream.clock.advance(40);
  await waitFor(() => expect(onAudioData).toHaveBeenCalled());
  expect(onAudioData.mock.calls[0]?.[3]).toMatchObject({ userId: 0 });
  stream.act({ do: 'active_speaker', userId: BEN.userId });
  await waitFor(() => expect(onSpeaker).toHaveBeenCalled());
  expect(onSpeaker.mock.calls[0]?.slice(1)).toEqual([BEN.userId, BEN.userName]);
  onAudioData.mockClear();
  stream.clock.advance(40);
  await waitFor(() => expect(onAudioData).toHaveBeenCalled());
  expect(onAudioData.mock.calls[0]?.[3]).toMatchObject(BEN);
});

test('transcript and chat are delivered as text with their details', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onTranscriptData = spy(client, 'onTranscriptData');
  const onChatData = spy(client, 'onChatData');
  await stream.join(client);
  stream.clock.advance(3_000);
  const { userId } = ADA;
  stream.act({ do: 'transcript', userId, text: 'Grüße', startMs: 1_000, endMs: 2_000 });
  stream.act({ do: 'chat', userId: BEN.userId, text: 'Hi' });
  await waitFor(() => expect(onChatData).toHaveBeenCalled());
  await waitFor(() => expect(onTranscriptData).toHaveBeenCalled());
  const [text, size, timestamp, metadata, ...rest] = onTranscriptData.mock.calls[0] ?? [];
  expect(rest).toEqual([]);
  expect(`${text}`).toBe('Grüße');
  expect(size).toBe(7);
  const startedAtMs = stream.simulator.streams()[0]?.startedAtMs ?? 0;
  expect(metadata).toEqual({
    ...ADA,
    startTs: startedAtMs + 1_000,
    endTs: startedAtMs + 2_000,
    aiInterpreter: NO_INTERPRETER,
    line: expect.objectContaining({ text: 'Grüße', language: 9 }),
  });
  expect(timestamp).toBe((metadata as Metadata).line?.timestampMs);
  expect(`${onChatData.mock.calls[0]?.[0]}`).toBe('Hi');
  expect(onChatData.mock.calls[0]).toHaveLength(4);
  expect(onChatData.mock.calls[0]?.[3]).toMatchObject({ ...BEN, message: { operation: 1 } });
});

test('participant events are delivered raw and typed, with the name also on leave', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onUserUpdate = spy(client, 'onUserUpdate');
  const onParticipantEvent = spy(client, 'onParticipantEvent');
  const onEventEx = spy(client, 'onEventEx');
  await stream.join(client);
  stream.act({ do: 'leave', userId: BEN.userId });
  const ben = { id: BEN.userId, name: BEN.userName, ...BEN };
  await waitFor(() => expect(onUserUpdate).toHaveBeenLastCalledWith(rtms.USER_LEAVE, ben));
  expect(onUserUpdate).toHaveBeenCalledWith(rtms.USER_JOIN, ben);
  expect(onParticipantEvent).toHaveBeenLastCalledWith('leave', expect.any(Number), [BEN]);
  const raw = onEventEx.mock.calls.map(([json]) => JSON.parse(json as string) as unknown);
  expect(raw).toContainEqual(
    expect.objectContaining({
      event_type: rtms.EVENT_PARTICIPANT_LEAVE,
      participants: [{ user_id: BEN.userId }],
    }),
  );
});

test("sharing, cameras and Zoom's notice of a broken media connection reach their callbacks", async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onSharingEvent = spy(client, 'onSharingEvent');
  const onParticipantVideo = spy(client, 'onParticipantVideo');
  const onInterrupted = spy(client, 'onMediaConnectionInterrupted');
  const onDeskshareData = spy(client, 'onDeskshareData');
  await stream.join(client);
  const track = { kind: 'synthetic', frameBytes: 500 } as const;
  stream.act({ do: 'share_start', userId: ADA.userId, track });
  stream.clock.advance(2_000);
  stream.act({ do: 'share_stop' });
  stream.act({ do: 'video_off', userId: ADA.userId });
  stream.act({ do: 'event', eventType: 7, fields: {} });
  await waitFor(() => expect(onInterrupted).toHaveBeenCalledWith(expect.any(Number)));
  expect(onSharingEvent.mock.calls).toEqual([
    ['start', expect.any(Number), ADA.userId, ADA.userName],
    ['stop', expect.any(Number)],
  ]);
  expect(onParticipantVideo).toHaveBeenLastCalledWith([ADA.userId], false);
  await waitFor(() => expect(onDeskshareData).toHaveBeenCalled());
  expect(onDeskshareData.mock.calls[0]?.[3]).toMatchObject(ADA);
});

test("subscribeVideo before the join is sent later, and onVideoSubscribed gets Zoom's answer", async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onVideoSubscribed = spy(client, 'onVideoSubscribed');
  const onVideoData = spy(client, 'onVideoData');
  client.setVideoParams({ dataOpt: rtms.VideoDataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM });
  client.subscribeVideo(ADA.userId, true);
  await stream.join(client);
  await waitFor(() =>
    expect(onVideoSubscribed).toHaveBeenCalledWith(ADA.userId, 0, expect.any(String)),
  );
  stream.clock.advance(200);
  await waitFor(() => expect(onVideoData).toHaveBeenCalled());
  expect(onVideoData.mock.calls[0]?.[3]).toMatchObject(ADA);
  client.subscribeVideo(ADA.userId, false);
  await waitFor(() => expect(onVideoSubscribed.mock.calls.length).toBeGreaterThan(1));
});

test('event subscriptions may change before and after the join', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onEventEx = spy(client, 'onEventEx');
  client.unsubscribeEvent([rtms.EVENT_SHARING_STOP]);
  await stream.join(client);
  stream.act({ do: 'share_stop' });
  client.subscribeEvent([rtms.EVENT_SHARING_STOP]);
  stream.act({ do: 'active_speaker', userId: ADA.userId });
  const types = () => onEventEx.mock.calls.map(([json]) => JSON.parse(`${json}`).event_type);
  await waitFor(() => {
    stream.act({ do: 'share_stop' });
    expect(types()).toContain(rtms.EVENT_SHARING_STOP);
  });
  expect(types().indexOf(rtms.EVENT_ACTIVE_SPEAKER_CHANGE)).toBeLessThan(
    types().indexOf(rtms.EVENT_SHARING_STOP),
  );
});

test('onSessionUpdate reports a session added, paused, resumed and stopped', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onSessionUpdate = spy(client, 'onSessionUpdate');
  await stream.join(client);
  await waitFor(() => expect(onSessionUpdate).toHaveBeenCalled());
  stream.act({ do: 'pause' });
  stream.act({ do: 'resume' });
  stream.act({ do: 'stop', reason: 6 });
  await waitFor(() => expect(onSessionUpdate).toHaveBeenCalledTimes(4));
  const ids = { streamId: stream.rtmsStreamId, meetingId: client.uuid() };
  const seen = onSessionUpdate.mock.calls.map(([op, session]) => [op, session]);
  expect(seen).toMatchObject([
    [rtms.SESSION_EVENT_ADD, { ...ids, status: 1, isActive: true, isPaused: false }],
    [rtms.SESSION_EVENT_PAUSE, { ...ids, status: 2, isActive: false, isPaused: true }],
    [rtms.SESSION_EVENT_RESUME, { ...ids, status: 1, isActive: true, isPaused: false }],
    [rtms.SESSION_EVENT_STOP, { ...ids, status: 0, isActive: false, isPaused: false }],
  ]);
});

test("onLeave is the last call and has Zoom's stop reason", async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const order: string[] = [];
  client.onSessionUpdate(() => order.push('session'));
  const left = new Promise((resolve) => {
    let end: unknown;
    client.onEnded((reason) => {
      end = reason;
    });
    client.onLeave((...args) => {
      order.push('leave');
      resolve([...args, end]);
    });
  });
  await stream.join(client);
  stream.act({ do: 'stop', reason: 6 });
  const end = { cause: 'stopped', stopReason: 6, restartable: false };
  expect(await left).toEqual([6, end]);
  expect(order.at(-1)).toBe('leave');
});

test("onJoinConfirm has Zoom's status when the join is refused", async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onLeave = spy(client, 'onLeave');
  const confirmed = new Promise((resolve) => client.onJoinConfirm(resolve));
  client.join({ ...stream.payload(), secret: 'wrong' });
  expect(await confirmed).toBe(STATUS_CODE.INVALID_SIGNATURE);
  await waitFor(() => expect(onLeave).toHaveBeenCalled());
  expect(onLeave.mock.calls[0]?.[0]).toBe(18);
});

test('leave may be called twice, and without a join', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onLeave = spy(client, 'onLeave');
  expect(await client.leave()).toBe(true);
  await stream.join(client);
  expect(await Promise.all([client.leave(), client.leave()])).toEqual([true, true]);
  expect(await client.leave()).toBe(true);
  await waitFor(() => expect(onLeave).toHaveBeenCalledTimes(1));
  expect(onLeave.mock.calls).toEqual([[0]]);
});

test('leave with closeStream ends the stream for everybody', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  await stream.join(client);
  await client.leave({ closeStream: true });
  expect(stream.simulator.streams()[0]?.state).toBe('TERMINATED');
});

test('a client in an await using block leaves at its end and waits for running callbacks', async () => {
  await using stream = await simulateStream();
  const done: string[] = [];
  {
    await using client = stream.client();
    client.onLeave(() => done.push('leave'));
    client.onSessionUpdate(async () => {
      await new Promise(setImmediate);
      done.push('session');
    });
    await stream.join(client);
    await waitFor(() => expect(stream.simulator.streams()[0]?.isConnected).toBe(true));
  }
  expect(done.at(-1)).toBe('leave');
  await waitFor(() => expect(stream.simulator.streams()[0]?.isConnected).toBe(false));
});

test('a released client cannot join again', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  await stream.join(client);
  expect(await client.release()).toBe(true);
  expect(() => client.join(stream.payload())).toThrow('released');
});

test('a second client of this process cannot join the same stream', async () => {
  await using stream = await simulateStream();
  const first = stream.client();
  await stream.join(first);
  expect(() => stream.client().join(stream.payload())).toThrow('[rtms/invalid-state]');
  expect(first.join(stream.payload())).toBe(true);
});

test('a client connects to no host outside the allowed hosts', async () => {
  await using stream = await simulateStream();
  const client = stream.client({ allowedHosts: 'zoom.us' });
  expect(await stream.join(client)).toBe(rtms.RTMS_SDK_FAILURE);
});

test('join names the field that is missing', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const { meeting_uuid: _, ...noId } = stream.payload();
  expect(() => client.join(noId)).toThrow('join needs meeting_uuid or webinar_uuid');
  const { rtms_stream_id: __, ...noStream } = stream.payload();
  expect(() => client.join(noStream)).toThrow('join needs rtms_stream_id');
  const { server_urls: ___, ...noUrl } = stream.payload();
  expect(() => client.join(noUrl)).toThrow('join needs server_urls');
  const { secret: ____, ...noSecret } = stream.payload();
  expect(() => client.join(noSecret)).toThrow(ReferenceError);
  expect(() => client.onAudioData(undefined as never)).toThrow('onAudioData needs a function');
});

test('calls that only a native library needs succeed and do nothing', () => {
  expect(rtms.Client.uninitialize()).toBe(true);
  expect(rtms.isInitialized()).toBe(false);
  expect(rtms.Client.initialize()).toBe(true);
  expect(rtms.isInitialized()).toBe(true);
  expect(new rtms.Client().poll()).toBe(true);
  expect(rtms.Client.uninitialize()).toBe(true);
});

test('Contact Center audio carries its channel', async () => {
  const talking = { kind: 'synthetic', talkMs: 1 } as const;
  const participants = [{ ...ADA, channelId: 'ch-ada', audio: talking }];
  await using stream = await simulateStream({ product: 'contact_center', participants });
  const client = stream.client();
  const onAudioData = spy(client, 'onAudioData');
  const onEventEx = spy(client, 'onEventEx');
  await stream.join(client);
  stream.clock.advance(20);
  stream.act({ do: 'voice', eventType: rtms.EVENT_USER_HOLD, userId: ADA.userId });
  await waitFor(() => expect(onAudioData).toHaveBeenCalled());
  expect(onAudioData.mock.calls[0]?.[3]).toMatchObject({ userId: 0, channelId: 'ch-ada' });
  await waitFor(() => expect(onEventEx).toHaveBeenCalled());
  expect(JSON.parse(`${onEventEx.mock.calls.at(-1)?.[0]}`)).toMatchObject({ event_type: 12 });
});
