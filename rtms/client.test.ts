import { describe, expect, test } from 'vitest';
import { readSyntheticFrame } from '../simulator/media/synthetic-frame.ts';
import {
  ADA,
  BEN,
  CALL,
  L16_ONLY,
  NOW_MS,
  simulate,
  simulateJoined,
} from '../test/support/rtms/simulated-client.ts';
import { EVENT_TYPE, ZCC_VOICE_EVENT_TYPE } from './protocol/constants.ts';
import { completeMediaRequest, DEFAULT_MEDIA_REQUEST } from './protocol/params.ts';
import { PRODUCTS } from './protocol/product.ts';

const MIXED = completeMediaRequest({
  ...L16_ONLY,
  audio: { codec: 'L16', sampleRate: 'SR_16K', channel: 'MONO', dataOpt: 'AUDIO_MIXED_STREAM' },
});
const WITH_CAMERAS = [ADA, BEN].map((who) => ({
  ...who,
  video: { kind: 'synthetic', fps: 25, frameBytes: 400, keyFrameBytes: 900, keyEvery: 25 } as const,
}));

describe('joining', () => {
  test('connects every media type, emits `joined`, and streams', async () => {
    await using it = await simulateJoined({ client: { media: DEFAULT_MEDIA_REQUEST } });
    expect(it.log.names()).toEqual(['state', 'event', 'state', 'joined', 'sessionState']);
    expect(it.simulator.streams()[0]?.mediaConnected).toEqual([
      'audio',
      'video',
      'deskshare',
      'transcript',
      'chat',
    ]);
    expect(it.client.state).toBe('streaming');
    expect(it.client.media).toEqual({
      audio: { contentType: 2, codec: 4, sampleRate: 3, channel: 2, dataOpt: 2, sendRateMs: 20 },
      video: { contentType: 3, codec: 7, resolution: 2, fps: 30, dataOpt: 3 },
      deskshare: { contentType: 3, codec: 5, resolution: 3, fps: 1 },
      transcript: { contentType: 5, srcLanguage: -1, enableLid: true },
      chat: { contentType: 5 },
    });
    expect(it.log.of('joined')).toEqual([it.client.media]);
  });

  test.each(PRODUCTS)('signs and joins a %s by its own id', async (product) => {
    await using it = await simulateJoined({ scenario: { product } });
    expect(it.client.state).toBe('streaming');
  });

  test('uses one socket for everything with the unified layout', async () => {
    await using it = await simulateJoined({
      client: { layout: 'unified', media: DEFAULT_MEDIA_REQUEST },
    });
    expect(Object.keys(it.client.media)).toHaveLength(5);
    expect((await it.play(100)).length).toBeGreaterThan(0);
  });

  test('asks a unified socket only for what Zoom offers', async () => {
    await using it = await simulateJoined({
      scenario: { media: ['audio', 'transcript'] },
      client: { layout: 'unified', media: DEFAULT_MEDIA_REQUEST },
    });
    expect(Object.keys(it.client.media)).toEqual(['audio', 'transcript']);
  });

  test('leaves out media types for which the app has no scope', async () => {
    await using it = await simulateJoined({
      scenario: { media: ['audio', 'chat'] },
      // Chat is asked for twice, with share and without it, while the audio is up already.
      client: { media: DEFAULT_MEDIA_REQUEST, mediaWaitMs: 10_000 },
    });
    expect(Object.keys(it.client.media)).toEqual(['audio', 'chat']);
  });

  test('ends as refused when nothing it wants is offered', async () => {
    await using it = await simulate({ scenario: { media: ['chat'] } });
    it.client.join(it.join);
    expect(await it.ended()).toEqual({ cause: 'refused', status: 9, restartable: false });
  });

  test('ends as refused on a wrong secret, at once', async () => {
    await using it = await simulate();
    it.client.join({ ...it.join, clientSecret: 'wrong' });
    expect(await it.ended()).toEqual({ cause: 'refused', status: 3, restartable: false });
    expect(it.log.names()).toEqual(['state', 'state', 'state', 'ended']);
  });

  test('ends as lost on a wrong secret when Zoom closes without an answer', async () => {
    await using it = await simulate({
      behaviour: { badSignature: 'close' },
      client: { signalingWindowMs: 100 },
    });
    it.client.join({ ...it.join, clientSecret: 'wrong' });
    expect(await it.ended()).toEqual({ cause: 'lost', restartable: true });
  });

  test('ends without dialling when no address is allowed', async () => {
    await using it = await simulate({ client: { isAllowedAddress: () => false } });
    it.client.join(it.join);
    expect(await it.ended()).toEqual({ cause: 'failed', restartable: false });
    expect(it.simulator.streams()[0]?.isConnected).toBe(false);
  });

  test('sends no signature to a media address that is not allowed', async () => {
    await using it = await simulate({
      client: { isAllowedAddress: (url) => !/\/(audio|all)$/.test(url) },
    });
    it.client.join(it.join);
    expect(await it.ended()).toEqual({ cause: 'refused', restartable: false });
  });

  test('tries the next address when one does not answer', async () => {
    await using it = await simulate();
    it.client.join({ ...it.join, serverUrls: ['ws://127.0.0.1:1', ...it.join.serverUrls] });
    await it.log.next('joined');
  });

  test('refuses to join a second time', async () => {
    await using it = await simulateJoined();
    expect(() => it.client.join(it.join)).toThrow(
      expect.objectContaining({ code: 'rtms/invalid-state' }),
    );
  });

  test('refuses subscriptions before it joins', async () => {
    await using it = await simulate();
    expect(() => it.client.subscribeEvents([2], true)).toThrow('has not joined');
    expect(() => it.client.subscribeVideo(1, true)).toThrow('has not joined');
  });
});

describe('frames', () => {
  test('arrive byte for byte, in order, with name, codec and times', async () => {
    await using it = await simulateJoined();
    const frames = await it.play(400);
    for (const who of [ADA, BEN]) {
      const own = frames.filter((frame) => frame.userId === who.userId);
      expect(own.length).toBeGreaterThan(15);
      for (const [index, frame] of own.entries()) {
        const content = readSyntheticFrame(frame.payload);
        expect(content).toMatchObject({ source: who.userId, offsetMs: index * 20 });
        expect(frame).toMatchObject({
          mediaType: 'audio',
          userName: who.userName,
          codec: 1,
          capturedAtMs: NOW_MS + index * 20,
        });
        expect(Math.abs(frame.receivedAtMs - Date.now())).toBeLessThan(20_000);
      }
    }
  });

  test('of the burst at the start come all, a minute of audio at once', async () => {
    await using it = await simulate();
    it.clock.advance(55_000);
    it.client.join(it.join);
    await it.log.next('sessionState');
    const frames = await it.play(20);
    expect(frames.length + it.log.of('frame').length).toBeGreaterThan(5000);
  });

  test('of the backlog do not come with `bufferData: false`', async () => {
    await using it = await simulate({ client: { bufferData: false } });
    it.clock.advance(10_000);
    it.client.join(it.join);
    await it.log.next('sessionState');
    await it.play(100);
    expect(it.log.of('frame')[0]?.capturedAtMs).toBeGreaterThanOrEqual(NOW_MS + 10_000);
  });

  test('arrive in binary messages too, and keep-alives are answered digit for digit', async () => {
    await using it = await simulateJoined({
      behaviour: { frames: 'binary', keepAliveMs: 1_000, keepAliveUnit: 'ns', keepAliveMisses: 3 },
    });
    for (let second = 0; second < 6; second++) await it.play(1_000);
    expect(it.client.state).toBe('streaming');
  });

  test('of mixed audio have user 0 and the active speaker, until that one leaves', async () => {
    await using it = await simulateJoined({ client: { media: MIXED } });
    const [before] = await it.play(20);
    expect(before).toMatchObject({ userId: 0, userName: '' });
    expect(before).not.toHaveProperty('activeSpeaker');
    it.act({ do: 'active_speaker', userId: ADA.userId });
    await it.log.until(() => it.log.of('event').some((e) => e.name === 'active_speaker'));
    const [during] = await it.play(20);
    expect(during?.activeSpeaker).toEqual({ userId: ADA.userId, userName: ADA.userName });
    it.act({ do: 'leave', userId: ADA.userId });
    await it.log.until(() => it.log.of('event').some((e) => e.name === 'participant_left'));
    const [after] = await it.play(20);
    expect(after).not.toHaveProperty('activeSpeaker');
  });

  test('of Contact Center carry the channel in place of the user', async () => {
    await using it = await simulateJoined({ scenario: CALL });
    const frames = await it.play(40);
    expect(frames[0]).toMatchObject({ channelId: 'ch-ada', userName: '' });
    expect(frames[0]).not.toHaveProperty('userId');
  });
});

describe('lines and events', () => {
  test('have the names of people who leave or turn on their camera', async () => {
    await using it = await simulateJoined({ scenario: { participants: WITH_CAMERAS } });
    const joined = it.log.of('event').find((event) => event.name === 'participant_joined');
    expect(joined).toMatchObject({
      participants: [ADA, BEN].map(({ userId, userName }) => ({ userId, userName })),
    });
    it.act({ do: 'video_off', userId: BEN.userId });
    it.act({ do: 'leave', userId: BEN.userId });
    await it.log.until(() => it.log.of('event').some((e) => e.name === 'participant_left'));
    for (const name of ['participant_video_off', 'participant_left']) {
      expect(it.log.of('event')).toContainEqual({
        name,
        participants: [{ userId: BEN.userId, userName: BEN.userName }],
        timestampMs: NOW_MS,
      });
    }
  });

  test.each(['ms', 'us'] as const)(
    'give transcript times in ms when Zoom sends %s',
    async (unit) => {
      await using it = await simulateJoined({
        behaviour: { transcriptTimeUnit: unit },
        client: { media: DEFAULT_MEDIA_REQUEST },
      });
      it.act({ do: 'transcript', userId: ADA.userId, text: 'Hello', startMs: 0, endMs: 900 });
      expect(await it.log.next('transcript')).toEqual({
        text: 'Hello',
        userId: ADA.userId,
        userName: ADA.userName,
        language: 9,
        attribute: 0,
        startMs: NOW_MS,
        endMs: NOW_MS + 900,
        timestampMs: NOW_MS,
      });
    },
  );

  test.each(['direct', 'nested'] as const)(
    'of chat are read in the %s shape',
    async (chatShape) => {
      await using it = await simulateJoined({
        behaviour: { chatShape },
        client: { media: DEFAULT_MEDIA_REQUEST },
      });
      it.act({ do: 'chat', userId: ADA.userId, text: 'the deck', messageId: 'm1' });
      expect(await it.log.next('chat')).toMatchObject({
        text: 'the deck',
        messageId: 'm1',
        operation: 1,
        chatSession: { type: 1, id: '' },
        sender: { userId: ADA.userId, userName: ADA.userName },
        timestampMs: NOW_MS,
      });
    },
  );

  test.each(['participant_info', 'paticipant_info'] as const)(
    'decode Contact Center events by product, from %s',
    async (participantInfoKey) => {
      await using it = await simulateJoined({
        scenario: CALL,
        behaviour: { participantInfoKey },
      });
      it.act({ do: 'voice', eventType: ZCC_VOICE_EVENT_TYPE.USER_HOLD, userId: ADA.userId });
      await it.log.until(() => it.log.of('event').some((e) => e.name === 'voice'));
      expect(it.log.of('event')).toContainEqual({
        name: 'voice',
        event: 'user_hold',
        participant: { channelId: 'ch-ada', displayName: ADA.userName },
        timestampMs: NOW_MS,
      });
    },
  );

  test('come only while they are subscribed to', async () => {
    await using it = await simulateJoined({ client: { events: [] } });
    it.act({ do: 'active_speaker', userId: ADA.userId });
    it.client.subscribeEvents([EVENT_TYPE.SHARING_STOP], true);
    it.client.subscribeEvents([EVENT_TYPE.SHARING_STOP], false);
    it.client.subscribeEvents([EVENT_TYPE.PARTICIPANT_JOIN, 99], true);
    const event = await it.log.next('event');
    expect(event.name).toBe('participant_joined');
    it.act({ do: 'event', eventType: 99, fields: { anything: 1 } });
    await it.log.next('event', 2);
    expect(it.log.of('event')[1]).toMatchObject({ name: 'other', raw: { anything: 1 } });
  });

  test('tell pause, resume and sessions once per change', async () => {
    await using it = await simulateJoined();
    it.act({ do: 'pause' });
    await it.log.next('paused');
    expect(it.client.state).toBe('paused');
    it.act({ do: 'resume' });
    await it.log.next('resumed');
    expect(it.client.state).toBe('streaming');
    expect(it.log.of('paused')).toEqual([NOW_MS]);
    expect(it.log.of('resumed')).toEqual([NOW_MS]);
    it.act({ do: 'session_stop', sessionId: 'one', reason: 3 });
    await it.log.until(() => it.log.of('sessionState').some((s) => s.rtmsSessionId === 'one'));
    expect(it.log.of('sessionState').at(-1)).toEqual({
      rtmsSessionId: 'one',
      state: 5,
      stopReason: 3,
      timestampMs: NOW_MS,
    });
    expect(it.client.state).toBe('streaming');
  });

  test('include messages of an unknown type, as `other`', async () => {
    await using it = await simulateJoined();
    it.act({ do: 'raw', socket: 'signaling', text: '{"msg_type":77,"x":1}' });
    it.act({ do: 'raw', socket: 'audio', text: '{"msg_type":23,"y":2}' });
    await it.log.next('other', 2);
    expect(it.log.of('other')).toEqual(
      expect.arrayContaining([
        { msg_type: 77, x: 1 },
        { msg_type: 23, y: 2 },
      ]),
    );
  });
});

describe('individual video', () => {
  const media = completeMediaRequest({
    audio: false,
    deskshare: false,
    transcript: false,
    chat: false,
    video: { fps: 25, dataOpt: 'VIDEO_SINGLE_INDIVIDUAL_STREAM' },
  });

  test('flows once a participant is selected, and follows a new selection', async () => {
    await using it = await simulateJoined({
      client: { media },
      scenario: { participants: WITH_CAMERAS },
    });
    expect(await it.play(200)).toEqual([]);
    it.client.subscribeVideo(ADA.userId, true);
    expect(await it.log.next('videoSubscribed')).toEqual({
      userId: ADA.userId,
      status: 0,
      reason: '',
    });
    const first = await it.play(200);
    expect(new Set(first.map((frame) => frame.userId))).toEqual(new Set([ADA.userId]));
    it.client.subscribeVideo(BEN.userId, true);
    await it.log.next('videoSubscribed', 2);
    const second = await it.play(200);
    expect(new Set(second.map((frame) => frame.userId))).toEqual(new Set([BEN.userId]));
    it.client.subscribeVideo(BEN.userId, true);
    expect((await it.log.next('videoSubscribed', 3)).status).toBe(44);
    it.client.subscribeVideo(BEN.userId, false);
    await it.log.next('videoSubscribed', 4);
    expect(await it.play(200)).toEqual([]);
  });

  test('is selected again after a reconnect, unless Zoom refused it', async () => {
    await using it = await simulateJoined({
      client: { media },
      scenario: { participants: WITH_CAMERAS },
    });
    it.client.subscribeVideo(4711, true);
    expect((await it.log.next('videoSubscribed')).status).toBe(4);
    it.client.reconnect('test');
    await it.log.next('reconnected');
    it.client.subscribeVideo(ADA.userId, true);
    await it.log.next('videoSubscribed', 2);
    it.client.reconnect('test');
    await it.log.next('reconnected', 2);
    await it.log.next('videoSubscribed', 3);
    expect(it.log.of('videoSubscribed').map((result) => result.status)).toEqual([4, 0, 0]);
    expect((await it.play(200)).length).toBeGreaterThan(0);
  });

  test('is selected again once the video connection is back, also if its loss was not noticed', async () => {
    await using it = await simulateJoined({
      client: { media },
      scenario: { participants: WITH_CAMERAS },
    });
    // Zoom has lost the connection, we do not know yet: it refuses everybody.
    it.act({ do: 'cut_media', mediaType: 'video', how: 'close' });
    it.client.subscribeVideo(ADA.userId, true);
    await it.log.until(() => it.log.of('videoSubscribed').some(({ status }) => status === 0));
    expect(it.log.of('videoSubscribed')[0]).toMatchObject({ userId: ADA.userId, status: 29 });
    expect(new Set((await it.play(200)).map(({ userId }) => userId))).toEqual(
      new Set([ADA.userId]),
    );
    it.act({ do: 'cut_media', mediaType: 'video', how: 'close' });
    await it.log.next('interrupted', 2);
    it.client.subscribeVideo(BEN.userId, true);
    const isBen = ({ userId, status }: { userId: number; status: number }) =>
      userId === BEN.userId && status === 0;
    await it.log.until(() => it.log.of('videoSubscribed').some(isBen));
    expect(new Set((await it.play(200)).map(({ userId }) => userId))).toEqual(
      new Set([BEN.userId]),
    );
  });

  test.each(['signaling', 'media'] as const)(
    'waits for the video connection of a reconnect of %s',
    async (what) => {
      await using it = await simulateJoined({
        client: { media },
        scenario: { participants: WITH_CAMERAS },
      });
      it.act(what === 'signaling' ? { do: 'cut_signaling' } : { do: 'cut_media' });
      await it.log.next('interrupted');
      it.client.subscribeVideo(ADA.userId, true);
      await it.log.next('reconnected');
      expect(await it.log.next('videoSubscribed')).toMatchObject({ userId: ADA.userId, status: 0 });
      expect((await it.play(200)).length).toBeGreaterThan(0);
    },
  );
});
