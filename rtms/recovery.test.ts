import { describe, expect, test } from 'vitest';
import {
  ADA,
  L16_ONLY,
  MEETING,
  type Simulated,
  simulateJoined,
} from '../test/support/rtms/simulated-client.ts';
import { completeMediaRequest } from './protocol/params.ts';

const AUDIO_AND_VIDEO = completeMediaRequest({
  ...L16_ONLY,
  video: { codec: 'H264', resolution: 'SD', fps: 25 },
});
const WITH_CAMERA = {
  participants: MEETING.participants.map((participant) => ({
    ...participant,
    video: {
      kind: 'synthetic',
      fps: 25,
      frameBytes: 300,
      keyFrameBytes: 900,
      keyEvery: 25,
    } as const,
  })),
};

/** Every audio frame of one speaker arrived, in order, once. */
function expectCompleteAudio({ log }: Simulated): void {
  const times = log
    .of('frame')
    .filter((frame) => frame.mediaType === 'audio' && frame.userId === ADA.userId)
    .map((frame) => frame.capturedAtMs);
  const [first = 0] = times;
  expect(times.length).toBeGreaterThan(50);
  expect(times).toEqual(times.map((_, index) => first + index * 20));
}

describe('scenario 1: Zoom moves the stream to another server (started again, new address)', () => {
  test.each(['cut', 'keep'] as const)('old sockets %s', async (oldSockets) => {
    await using it = await simulateJoined();
    await it.play(600);
    it.act({ do: 'failover', oldSockets });
    it.client.reconnect('failover', [it.simulator.serverUrl(it.rtmsStreamId)]);
    const reconnected = await it.log.next('reconnected');
    expect(reconnected).toMatchObject({ scope: 'signaling', media: it.client.media });
    expect(it.log.of('interrupted')).toHaveLength(1);
    expect(it.client.state).toBe('streaming');
    await it.flow();
    await it.play(600);
    expectCompleteAudio(it);
    expect(it.log.of('gap')).toEqual([]);
  });

  test('keeps the old connection when the new address is not allowed', async () => {
    const isAllowedAddress = (url: string) => !url.includes('evil');
    await using it = await simulateJoined({ client: { isAllowedAddress } });
    it.client.reconnect('failover', ['wss://evil.example']);
    await it.play(100);
    expect(it.client.state).toBe('streaming');
  });
});

describe('a connection that broke while the process stood still for 20 s', () => {
  // A window that counted from the beginning of the standstill would be over before the first attempt.
  const client = {
    standstills: { follow: () => ({ knownUntil: (ms: number) => ms - 20_000, end() {} }) },
    signalingWindowMs: 10_000,
    mediaWindowMs: 10_000,
    media: AUDIO_AND_VIDEO,
  };
  const broken = ['terminate', 'close'] as const;

  test.each(
    broken.flatMap((how) => [
      ['signaling', { do: 'cut_signaling', how }] as const,
      ['audio', { do: 'cut_media', mediaType: 'audio', how }] as const,
      ['video', { do: 'cut_media', mediaType: 'video', how }] as const,
    ]),
  )('is told as gone since that began, and comes back: %s, %o', async (scope, act) => {
    await using it = await simulateJoined({ scenario: WITH_CAMERA, client });
    await it.play(200);
    it.act(act);
    expect((await it.log.next('interrupted')).durationMs).toBeGreaterThanOrEqual(20_000);
    const reconnected = await it.log.next('reconnected');
    expect(reconnected).toMatchObject({ scope, cause: 'connection_closed' });
    expect(reconnected.durationMs).toBeGreaterThanOrEqual(20_000);
    expect(it.log.of('ended')).toEqual([]);
  });

  test('nothing is told of connections that did not break', async () => {
    await using it = await simulateJoined({ scenario: WITH_CAMERA, client });
    await it.play(600);
    expect(it.log.of('interrupted')).toEqual([]);
    expect(it.log.of('gap')).toEqual([]);
  });
});

describe('scenario 2: signaling is lost (rtms_interrupted)', () => {
  test.each(['terminate', 'close'] as const)(
    'redoes everything on the same address after %s',
    async (how) => {
      await using it = await simulateJoined();
      await it.play(600);
      it.act({ do: 'cut_signaling', how });
      expect(await it.log.next('interrupted')).toEqual({
        scope: 'signaling',
        cause: 'connection_closed',
      });
      expect(await it.log.next('reconnected')).toMatchObject({
        scope: 'signaling',
        cause: 'connection_closed',
      });
      expect(it.log.of('state')).toEqual(['idle', 'connecting', 'streaming', 'reconnecting']);
      await it.flow();
      await it.play(600);
      expectCompleteAudio(it);
    },
  );

  test('reconnects at once when the webhook knows before the socket does', async () => {
    await using it = await simulateJoined({ behaviour: { keepAliveOnlyWhenIdle: false } });
    it.act({ do: 'cut_signaling', how: 'freeze' });
    it.clock.advance(40_000);
    it.client.reconnect('rtms_interrupted');
    expect(await it.log.next('reconnected')).toMatchObject({
      scope: 'signaling',
      cause: 'rtms_interrupted',
    });
  });

  test('redials a socket that is silent', async () => {
    await using it = await simulateJoined({
      behaviour: { duplicateSignaling: 'kick' },
      client: { watchdogMs: 140 },
    });
    it.act({ do: 'cut_signaling', how: 'freeze' });
    expect(await it.log.next('interrupted')).toMatchObject({ cause: 'watchdog' });
    await it.log.until(() => it.log.of('reconnected').length > 0);
  });

  test('tries again while Zoom still counts the old connection (status 8)', async () => {
    await using it = await simulateJoined({ client: { watchdogMs: 140 } });
    it.act({ do: 'cut_signaling', how: 'freeze' });
    await it.log.next('interrupted');
    await it.log.until(() => it.client.state === 'reconnecting');
    it.clock.advance(50_000);
    expect((await it.log.next('reconnected')).attempt).toBeGreaterThanOrEqual(1);
  });

  test('comes back when Zoom closes everything with 1000', async () => {
    await using it = await simulateJoined();
    it.act({ do: 'evict' });
    await it.log.next('reconnected');
    expect(it.client.state).toBe('streaming');
  });

  test('subscribes to everything again', async () => {
    await using it = await simulateJoined();
    it.act({ do: 'cut_signaling' });
    await it.log.next('reconnected');
    const joins = () => it.log.of('event').filter((e) => e.name === 'participant_joined');
    await it.log.until(() => joins().length === 2);
  });

  test('asks for the states of stream and sessions after a reconnect', async () => {
    await using it = await simulateJoined({ client: { backoff: () => 30 } });
    it.act({ do: 'session_start', sessionId: 'two' });
    await it.log.until(() => it.log.of('sessionState').some((s) => s.rtmsSessionId === 'two'));
    const before = it.log.of('sessionState').length;
    it.act({ do: 'cut_signaling' });
    it.act({ do: 'pause' });
    it.act({ do: 'session_stop', sessionId: 'two', reason: 3 });
    await it.log.next('paused');
    await it.log.until(() => it.log.of('sessionState').length === before + 2);
    expect(it.log.of('sessionState').slice(before)).toMatchObject([
      { state: 3 },
      { rtmsSessionId: 'two', state: 5 },
    ]);
    expect(it.client.state).toBe('paused');
  });

  test('stays paused through a reconnect', async () => {
    await using it = await simulateJoined();
    it.act({ do: 'pause' });
    await it.log.next('paused');
    it.act({ do: 'cut_signaling' });
    await it.log.next('reconnected');
    expect(it.client.state).toBe('paused');
    expect(it.log.of('resumed')).toEqual([]);
    expect(it.log.of('paused')).toHaveLength(1);
  });

  test('ends as lost when the window has passed', async () => {
    await using it = await simulateJoined({ client: { signalingWindowMs: 200 } });
    await it.simulator.close();
    expect(await it.ended()).toEqual({ cause: 'lost', restartable: true });
    expect(it.log.names().at(-1)).toBe('ended');
  });

  test('ends as refused when the stream is gone', async () => {
    await using it = await simulateJoined({ client: { backoff: () => 50 } });
    it.act({ do: 'cut_signaling' });
    it.act({ do: 'stop', reason: 6 });
    expect(await it.ended()).toEqual({ cause: 'refused', status: 2, restartable: false });
  });
});

describe('scenario 3: a media connection is lost (event 7)', () => {
  test('redials that socket only, and tells the gap in the video', async () => {
    await using it = await simulateJoined({
      scenario: WITH_CAMERA,
      client: { media: AUDIO_AND_VIDEO },
    });
    await it.play(1_000);
    it.act({ do: 'cut_media', mediaType: 'video' });
    expect(await it.log.next('interrupted')).toEqual({
      scope: 'video',
      cause: 'connection_closed',
    });
    it.clock.advance(1_000);
    expect(await it.log.next('reconnected')).toMatchObject({ scope: 'video', attempt: 1 });
    expect(it.client.state).toBe('streaming');
    await it.play(1_000);
    expectCompleteAudio(it);
    const before = it.log.of('gap')[0];
    expect(before?.mediaType).toBe('video');
    expect((before?.toMs ?? 0) - (before?.fromMs ?? 0)).toBeGreaterThan(500);
    expect(it.log.of('gap').every((gap) => gap.mediaType === 'video')).toBe(true);
  });

  test('keeps signaling and audio alive while the video socket hangs', async () => {
    await using it = await simulateJoined({
      scenario: WITH_CAMERA,
      client: { media: AUDIO_AND_VIDEO, watchdogMs: 60_000, closeTimeoutMs: 500 },
    });
    it.act({ do: 'cut_media', mediaType: 'video', how: 'freeze' });
    for (let i = 0; i < 3; i++) {
      it.clock.advance(9_000);
      await it.roundTrip();
    }
    await it.flow();
    expect(it.client.state).toBe('streaming');
    expect(it.log.of('interrupted')).toEqual([]);
  });

  test('redials a socket when Zoom tells that it is dead before the watchdog does', async () => {
    await using it = await simulateJoined({
      scenario: WITH_CAMERA,
      behaviour: { keepAliveOnlyWhenIdle: false },
      client: { media: AUDIO_AND_VIDEO, noticeMs: 300 },
    });
    it.act({ do: 'cut_media', mediaType: 'video', how: 'freeze' });
    const audio = () =>
      it.log
        .of('frame')
        .filter((frame) => frame.mediaType === 'audio')
        .at(-1);
    for (let i = 0; i < 5; i++) {
      it.clock.advance(10_000);
      // A client that is behind would be taken for a dead one: that has to be the video socket alone.
      await it.log.until(() => (audio()?.capturedAtMs ?? 0) >= it.clock.now() - 100);
      await it.roundTrip();
    }
    await it.flow();
    const interrupted = await it.log.next('interrupted');
    expect(interrupted).toEqual({
      scope: 'video',
      cause: 'media_connection_interrupted',
      durationMs: expect.any(Number),
    });
    // It begins when the connection was last heard, and that was before the notice.
    expect(interrupted.durationMs).toBeGreaterThan(300);
    expect(await it.log.next('reconnected')).toMatchObject({ scope: 'video' });
    expect(it.log.of('interrupted')).toHaveLength(1);
  });

  test('tells the whole time without video where signaling is lost before it is back', async () => {
    let [delayMs, laterMs] = [60_000, 0];
    const clock = () => performance.now() + laterMs;
    await using it = await simulateJoined({
      scenario: WITH_CAMERA,
      client: { media: AUDIO_AND_VIDEO, backoff: () => delayMs, clock },
    });
    await it.play(1_000);
    it.act({ do: 'cut_media', mediaType: 'video' });
    await it.log.next('interrupted');
    [delayMs, laterMs] = [10, 3_000];
    it.client.reconnect('rtms_interrupted');
    await it.log.next('reconnected', 2);
    const [signaling, video] = it.log.of('reconnected');
    expect(signaling).toMatchObject({ scope: 'signaling', cause: 'rtms_interrupted' });
    expect(signaling?.durationMs).toBeLessThan(3_000);
    expect(video).toMatchObject({ scope: 'video', cause: 'connection_closed' });
    expect(video?.durationMs).toBeGreaterThanOrEqual(3_000);
  });

  test('reports each media type of a unified socket', async () => {
    await using it = await simulateJoined({
      scenario: WITH_CAMERA,
      client: { media: AUDIO_AND_VIDEO, layout: 'unified' },
    });
    it.act({ do: 'cut_media' });
    await it.log.next('reconnected', 2);
    expect(it.log.of('interrupted').map(({ scope }) => scope)).toEqual(['audio', 'video']);
    expect(it.log.of('reconnected').map(({ scope }) => scope)).toEqual(['audio', 'video']);
  });
});

describe('scenario 4: Zoom stops the stream (rtms_stopped)', () => {
  test.each([
    [6, false],
    [8, false],
    [10, true],
    [13, true],
    [18, true],
    [24, true],
    [99, false],
  ])('stop reason %i: restartable %s', async (reason, restartable) => {
    await using it = await simulateJoined();
    await it.play(200);
    it.act({ do: 'stop', reason });
    expect(await it.ended()).toEqual({ cause: 'stopped', stopReason: reason, restartable });
    expect(it.log.names().filter((name) => name === 'ended')).toHaveLength(1);
    expect(it.log.names().at(-1)).toBe('ended');
    expect(it.client.state).toBe('ended');
  });

  test('reads the stop reason under its other name', async () => {
    await using it = await simulateJoined({ behaviour: { streamReasonKey: 'stop_reason' } });
    it.act({ do: 'stop', reason: 7 });
    expect(await it.ended()).toMatchObject({ stopReason: 7 });
  });
});
