import { afterEach, describe, expect, test } from 'vitest';
import { PRODUCTS } from '../../rtms/protocol/product.ts';
import { startManualZoom, ZOOM_STARTS_AT_MS, zoomMessage } from '../../test/support/manual-zoom.ts';
import {
  handshakeIds,
  joinMedia,
  joinSignaling,
  joinUnified,
  RawSocket,
} from '../../test/support/raw-client.ts';
import type { ManualClock } from '../clock.ts';
import type { Behaviour } from '../scenario/behaviour.ts';
import type { ScenarioInput } from '../scenario/scenario.ts';
import type { Simulator } from '../simulator.ts';

const fixture = (name: string) => zoomMessage(`signaling/${name}`);

const ADA = { userId: 16_778_240, userName: 'John Smith' };
const BEN = { userId: 33_556_610, userName: 'Alice' };

let clock: ManualClock;
let simulator: Simulator;
afterEach(() => simulator.close());

async function start(scenario: Partial<ScenarioInput> = {}, behaviour: Partial<Behaviour> = {}) {
  const zoom = await startManualZoom({ participants: [ADA, BEN], ...scenario }, behaviour);
  ({ clock, simulator } = zoom);
  return zoom.rtmsStreamId;
}

describe('signaling handshake', () => {
  test("names the addresses of Zoom's documented answer, whatever a meeting app may have", async () => {
    const id = await start();
    const { response } = await joinSignaling(simulator, id);
    const names = Object.keys(response.media_server.server_urls);
    expect(names).toEqual(['audio', 'video', 'transcript', 'all']);
  });

  test.each([
    ['sharescreen', ['audio', 'video', 'sharescreen', 'transcript', 'chat', 'all']],
    ['all', ['all']],
  ] as const)('names %s addresses when told to', async (mediaUrls, names) => {
    const id = await start({}, { mediaUrls });
    const { response } = await joinSignaling(simulator, id);
    expect(Object.keys(response.media_server.server_urls)).toEqual(names);
  });

  test('offers a media address for everything a meeting app may have when told to', async () => {
    const id = await start({}, { mediaUrls: 'every' });
    const { response } = await joinSignaling(simulator, id);
    const { media_server: expected, ...rest } = fixture('02-handshake-resp.ok');
    expect(response).toMatchObject(rest);
    const { server_urls } = response.media_server;
    expect(Object.keys(server_urls)).toEqual(Object.keys(expected.server_urls));
  });

  test('names the address of audio to Contact Center, and the one for all', async () => {
    const id = await start({ product: 'contact_center' });
    const { response } = await joinSignaling(simulator, id);
    expect(Object.keys(response.media_server.server_urls)).toEqual(
      Object.keys(fixture('02-handshake-resp.contact-center').media_server.server_urls),
    );
  });

  test('offers the media types that the scopes grant', async () => {
    const id = await start({ media: ['audio', 'transcript'] });
    const { response } = await joinSignaling(simulator, id);
    expect(Object.keys(response.media_server.server_urls)).toEqual(['audio', 'transcript', 'all']);
  });

  test.each(PRODUCTS)('checks the signature of a %s with its own id field', async (product) => {
    const id = await start({ product });
    const { response } = await joinSignaling(simulator, id);
    expect(response.status_code).toBe(0);
  });

  test.each(['meeting', 'webinar', 'video_sdk', 'contact_center', 'phone', 'minimal'])(
    'accepts the documented request %s as it stands',
    async (name) => {
      const request = fixture(`01-handshake-req.${name}`);
      const product = name === 'video_sdk' ? 'session' : name === 'minimal' ? 'meeting' : name;
      const entityId =
        request.meeting_uuid ??
        request.webinar_uuid ??
        request.session_id ??
        request.engagement_id ??
        request.call_id;
      const rtmsStreamId = request.rtms_stream_id;
      const id = await start({ product: product as 'meeting', entityId, rtmsStreamId });
      const socket = await RawSocket.open(simulator.serverUrl(id));
      socket.send(request);
      expect(await socket.next(2)).toMatchObject({ status_code: 0 });
    },
  );

  test('takes the entity id under meeting_uuid for every product', async () => {
    const id = await start({ product: 'webinar', entityId: 'W==' });
    const { signature } = handshakeIds(simulator, id);
    const socket = await RawSocket.open(simulator.serverUrl(id));
    socket.send({ msg_type: 1, meeting_uuid: 'W==', rtms_stream_id: id, signature });
    expect(await socket.next(2)).toMatchObject({ status_code: 0 });
  });

  test.each([
    ['02-handshake-resp.error-2', { rtms_stream_id: 'unknown' }],
    ['02-handshake-resp.error-3', { signature: 'f'.repeat(64) }],
  ])('answers %s and closes with 1000', async (name, fields) => {
    const id = await start();
    const socket = await RawSocket.open(simulator.serverUrl(id));
    socket.send({ msg_type: 1, ...handshakeIds(simulator, id), ...fields });
    expect(await socket.next(2)).toEqual(fixture(name));
    expect(await socket.closed).toBe(1000);
  });

  test.each([
    ['a missing signature', { signature: undefined }],
    ['another entity', { meeting_uuid: 'other' }],
  ])('answers status 4 to %s', async (_name, fields) => {
    const id = await start();
    const socket = await RawSocket.open(simulator.serverUrl(id));
    socket.send({ msg_type: 1, ...handshakeIds(simulator, id), ...fields });
    expect(await socket.next(2)).toMatchObject({ status_code: 4 });
  });

  test('closes without an answer on a bad signature if asked to', async () => {
    const id = await start({}, { badSignature: 'close' });
    const socket = await RawSocket.open(simulator.serverUrl(id));
    socket.send({ msg_type: 1, ...handshakeIds(simulator, id), signature: 'bad' });
    expect(await socket.closed).toBe(1000);
    expect(socket.unread).toEqual([]);
  });

  test('refuses a second client with status 8', async () => {
    const id = await start();
    const first = await joinSignaling(simulator, id);
    const second = await joinSignaling(simulator, id);
    expect(second.response).toEqual(fixture('02-handshake-resp.error-8'));
    await first.signaling.caughtUp();
  });

  test('lets the second client take over when told to', async () => {
    const id = await start({}, { duplicateSignaling: 'kick' });
    const first = await joinSignaling(simulator, id);
    const second = await joinSignaling(simulator, id);
    expect(second.response.status_code).toBe(0);
    expect(await first.signaling.closed).toBe(1000);
  });

  test('closes a socket that says nothing for 30 seconds', async () => {
    const id = await start();
    const socket = await RawSocket.open(simulator.serverUrl(id));
    await socket.caughtUp();
    clock.advance(30_000);
    expect(await socket.closed).toBe(1000);
  });

  test.each(['text', 'binary'] as const)('speaks in %s frames when told to', async (frames) => {
    const id = await start({}, { frames });
    const { signaling } = await joinSignaling(simulator, id);
    expect(signaling.lastWasBinary).toBe(frames === 'binary');
  });

  test('answers nothing to a message that is not JSON or of an unknown type', async () => {
    const id = await start();
    const { signaling } = await joinSignaling(simulator, id);
    signaling.socket.send('{');
    signaling.socket.send('7');
    signaling.send({ msg_type: 99 });
    signaling.send({ msg_type: 19, rtms_stream_id: id });
    expect(await signaling.next(20)).toMatchObject({ state: 0 });
    expect(signaling.unread).toEqual([]);
  });
});

describe('events', () => {
  test('reports the people who are there to a client that subscribes, then joins and leaves', async () => {
    const late = { userId: 7, userName: 'Late', joinMs: 5_000 };
    const leave = { atMs: 6_000, action: { do: 'leave' as const, userId: BEN.userId } };
    const id = await start({ participants: [ADA, BEN, late], actions: [leave] });
    clock.advance(100);
    const { signaling } = await joinSignaling(simulator, id);
    signaling.send(fixture('05-event-subscription'));
    const roster = await signaling.next(6);
    expect(roster).toEqual(fixture('06-event-participant-join'));
    clock.advance(6_000);
    expect((await signaling.next(6)).event).toEqual({
      event_type: 3,
      timestamp: ZOOM_STARTS_AT_MS + 5_000,
      participants: [{ user_id: 7, user_name: 'Late' }],
    });
    const left = fixture('06-event-participant-leave');
    left.event.timestamp = ZOOM_STARTS_AT_MS + 6_000;
    expect(await signaling.next(6)).toEqual(left);
  });

  test('gives leaves a name only when told to', async () => {
    const id = await start({}, { namesOnLeave: true });
    const { signaling } = await joinSignaling(simulator, id);
    signaling.send({ msg_type: 5, events: [{ event_type: 4, subscribe: true }] });
    await signaling.caughtUp();
    simulator.act(id, { do: 'leave', userId: BEN.userId });
    expect((await signaling.next(6)).event.participants).toEqual([
      { user_id: BEN.userId, user_name: 'Alice' },
    ]);
  });

  test('reports speakers and shares as documented, until unsubscribed', async () => {
    const id = await start();
    const { signaling } = await joinSignaling(simulator, id);
    signaling.send(fixture('05-event-subscription'));
    await signaling.next(6);
    const track = { kind: 'synthetic' as const, frameBytes: 100 };
    for (const [action, name] of [
      [{ do: 'active_speaker', userId: ADA.userId }, '06-event-active-speaker-change'],
      [{ do: 'share_start', userId: ADA.userId, track }, '06-event-sharing-start'],
      [{ do: 'share_stop' }, '06-event-sharing-stop'],
    ] as const) {
      simulator.act(id, action);
      const expected = fixture(name);
      expected.event.timestamp = ZOOM_STARTS_AT_MS;
      expect(await signaling.next(6)).toEqual(expected);
    }
    signaling.send(fixture('05-event-unsubscribe'));
    await signaling.caughtUp();
    simulator.act(id, { do: 'active_speaker', userId: BEN.userId });
    await signaling.caughtUp();
    expect(signaling.unread).toEqual([]);
  });

  test('reports cameras without names', async () => {
    const video = {
      kind: 'synthetic',
      fps: 5,
      frameBytes: 50,
      keyFrameBytes: 50,
      keyEvery: 5,
    } as const;
    const id = await start({ participants: [{ ...ADA, video }] });
    const { signaling } = await joinSignaling(simulator, id);
    signaling.send(fixture('05-event-subscription.video-on-off'));
    const on = fixture('06-event-participant-video-on');
    on.event.timestamp = ZOOM_STARTS_AT_MS;
    expect(await signaling.next(6)).toEqual(on);
    simulator.act(id, { do: 'video_off', userId: ADA.userId });
    const off = fixture('06-event-participant-video-off');
    off.event.timestamp = ZOOM_STARTS_AT_MS;
    expect(await signaling.next(6)).toEqual(off);
  });

  test('passes on any other event, such as chat groups', async () => {
    const id = await start();
    const { signaling } = await joinSignaling(simulator, id);
    signaling.send(fixture('05-event-subscription.chat-groups'));
    await signaling.caughtUp();
    const expected = fixture('06-event-chat-group-create');
    const { event_type: eventType, timestamp: _, ...fields } = expected.event;
    simulator.act(id, { do: 'event', eventType, fields });
    expect((await signaling.next(6)).event).toEqual({
      ...expected.event,
      timestamp: ZOOM_STARTS_AT_MS,
    });
  });

  test.each(['participant_info', 'paticipant_info'] as const)(
    'shapes Contact Center events apart, under %s',
    async (participantInfoKey) => {
      const name = participantInfoKey === 'participant_info' ? '' : '.typo-key';
      const expected = fixture(`06-event-zcc-consumer-answered${name}`);
      const { channel_id, display_name, ...participantInfo } = expected.event[participantInfoKey];
      const id = await start(
        {
          product: 'contact_center',
          participants: [
            { userId: 1, userName: display_name, channelId: channel_id, participantInfo },
          ],
        },
        { participantInfoKey },
      );
      const { signaling } = await joinSignaling(simulator, id);
      signaling.send(fixture('05-event-subscription.contact-center'));
      await signaling.caughtUp();
      simulator.act(id, { do: 'voice', eventType: 8, userId: 1 });
      expected.event.event_ts = ZOOM_STARTS_AT_MS;
      expect(await signaling.next(6)).toEqual(expected);
    },
  );
});

describe('states and queries', () => {
  test('starts sessions and the stream when the client is ready, once', async () => {
    const id = await start();
    const { signaling } = await joinSignaling(simulator, id);
    signaling.send({ msg_type: 7, rtms_stream_id: id });
    signaling.send({ msg_type: 7, rtms_stream_id: id });
    const session = await signaling.next(9);
    expect(session).toMatchObject({ state: 2, timestamp: ZOOM_STARTS_AT_MS });
    expect(await signaling.next(8)).toEqual(fixture('08-stream-state-active'));
    await signaling.caughtUp();
    expect(signaling.unread).toEqual([]);
    signaling.send({ msg_type: 10, rtms_session_id: session.rtms_session_id });
    expect(await signaling.next(11)).toMatchObject({ state: 2, timestamp: ZOOM_STARTS_AT_MS });
    signaling.send({ msg_type: 10, rtms_session_id: 'unknown' });
    expect(await signaling.next(11)).toMatchObject({ status_code: 40 });
    signaling.send({ msg_type: 19, rtms_stream_id: id });
    expect(await signaling.next(20)).toEqual({
      ...fixture('20-stream-state-resp'),
      rtms_stream_id: id,
    });
  });

  test('pauses and resumes, media silent in between', async () => {
    const participants = [{ ...ADA, audio: { kind: 'synthetic' as const } }];
    const id = await start({ participants });
    const { signaling, media } = await joinUnified(simulator, id);
    simulator.act(id, { do: 'pause' });
    expect(await signaling.next(8)).toEqual(fixture('08-stream-state-paused'));
    expect(await signaling.next(9, ({ state }) => state === 3)).toBeDefined();
    clock.advance(200);
    await media.caughtUp();
    expect(media.take(14)).toEqual([]);
    simulator.act(id, { do: 'resume' });
    const resumed = await signaling.next(8);
    expect(resumed).toEqual({
      ...fixture('08-stream-state-resumed'),
      timestamp: ZOOM_STARTS_AT_MS + 200,
    });
    clock.advance(40);
    expect((await media.next(14)).content.timestamp).toBe(ZOOM_STARTS_AT_MS + 200);
  });

  test('stops one session while the stream lives on', async () => {
    const id = await start();
    const { signaling } = await joinSignaling(simulator, id);
    simulator.act(id, { do: 'session_start', sessionId: 'second' });
    simulator.act(id, { do: 'session_stop', sessionId: 'second', reason: 3 });
    await signaling.next(9, ({ state }) => state === 2);
    expect(await signaling.next(9)).toEqual({
      ...fixture('09-session-state-stopped'),
      rtms_session_id: 'second',
    });
    signaling.send({ msg_type: 19, rtms_stream_id: id });
    expect((await signaling.next(20)).state).not.toBe(4);
  });

  test('closes the stream when the client asks for it', async () => {
    const id = await start();
    const { signaling, media } = await joinUnified(simulator, id);
    signaling.send({ msg_type: 21, rtms_stream_id: 'other' });
    expect(await signaling.next(22)).toMatchObject({ status_code: 2 });
    signaling.send({ msg_type: 21, rtms_stream_id: id });
    expect(await signaling.next(22)).toEqual({
      ...fixture('22-stream-close-resp'),
      rtms_stream_id: id,
    });
    expect(await signaling.next(8, ({ state }) => state === 4)).toMatchObject({ reason: 20 });
    expect(await Promise.all([signaling.closed, media.closed])).toEqual([1000, 1000]);
    await simulator.finished(id);
  });

  test.each([
    ['reason', '08-stream-state-terminated'],
    ['stop_reason', '08-stream-state-terminated.stop_reason-variant'],
  ] as const)('ends with the meeting, the reason under %s', async (streamReasonKey, name) => {
    const id = await start({ durationMs: 1_000 }, { streamReasonKey });
    const { signaling } = await joinUnified(simulator, id);
    clock.advance(1_000);
    const states = [await signaling.next(8), await signaling.next(8)];
    expect(states.map(({ state }) => state)).toEqual([3, 4]);
    expect(states[1]).toEqual({ ...fixture(name), timestamp: ZOOM_STARTS_AT_MS + 1_000 });
  });
});

describe('individual video', () => {
  const camera = {
    kind: 'synthetic',
    fps: 10,
    frameBytes: 60,
    keyFrameBytes: 90,
    keyEvery: 10,
  } as const;
  const participants = [
    { ...ADA, video: camera },
    { ...BEN, video: camera },
  ];
  const media_params = { video: { codec: 7, fps: 10, data_opt: 4 } };

  test('is silent until subscribed, follows the last subscription, refuses the same again', async () => {
    const id = await start({ participants });
    const { signaling, media } = await joinUnified(simulator, id, { media_params });
    clock.advance(1_000);
    await media.caughtUp();
    expect(media.take(15)).toEqual([]);

    const subscribe = (user_id: number, on = true) => {
      signaling.send({ msg_type: 28, user_id, subscribe: on, timestamp: ZOOM_STARTS_AT_MS });
      return signaling.next(29);
    };
    const accepted = fixture('29-video-subscription-resp');
    expect(await subscribe(ADA.userId)).toEqual({
      ...accepted,
      timestamp: ZOOM_STARTS_AT_MS + 1_000,
    });
    clock.advance(200);
    expect((await media.next(15)).content.user_id).toBe(ADA.userId);

    const again = fixture('29-video-subscription-resp.duplicate');
    expect(await subscribe(ADA.userId)).toEqual({ ...again, timestamp: ZOOM_STARTS_AT_MS + 1_200 });
    expect(await subscribe(BEN.userId)).toMatchObject({ status_code: 0 });
    await media.caughtUp();
    media.take(15);
    clock.advance(300);
    await media.caughtUp();
    expect(new Set(media.take(15).map(({ content }) => content.user_id))).toEqual(
      new Set([BEN.userId]),
    );
    expect(await subscribe(BEN.userId, false)).toMatchObject({ status_code: 0 });
    clock.advance(300);
    await media.caughtUp();
    expect(media.take(15)).toEqual([]);
    expect(await subscribe(99)).toMatchObject({ status_code: 4 });
  });

  test('needs a video handshake that asked for it', async () => {
    const id = await start({ participants });
    const { signaling } = await joinUnified(simulator, id);
    signaling.send({
      msg_type: 28,
      user_id: ADA.userId,
      subscribe: true,
      timestamp: ZOOM_STARTS_AT_MS,
    });
    expect(await signaling.next(29)).toMatchObject({ status_code: 29 });
  });
});

test('serves media only to a client that has signaling', async () => {
  const id = await start();
  const { signaling, response } = await joinSignaling(simulator, id);
  await signaling.close();
  const url = response.media_server.server_urls.audio;
  await expect(joinMedia(simulator, id, url, { media_type: 1 })).rejects.toThrow('closed before 4');
});
