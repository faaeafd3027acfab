import { afterEach, describe, expect, test } from 'vitest';
import { startManualZoom, ZOOM_STARTS_AT_MS, zoomMessage } from '../../test/support/manual-zoom.ts';
import {
  handshakeIds,
  joinMedia,
  joinSignaling,
  joinUnified,
  RawSocket,
  type WireMessage,
} from '../../test/support/raw-client.ts';
import type { ManualClock } from '../clock.ts';
import { readSyntheticFrame } from '../media/synthetic-frame.ts';
import type { Behaviour } from '../scenario/behaviour.ts';
import type { ScenarioInput } from '../scenario/scenario.ts';
import type { Simulator } from '../simulator.ts';

const fixture = (name: string) => zoomMessage(`media/${name}`);

const talk = { kind: 'synthetic' } as const;
const ADA = { userId: 16_778_240, userName: 'John Smith', audio: talk };
const BEN = { userId: 33_556_610, userName: 'Alice', audio: talk };
const MULTI = { audio: { data_opt: 2 } };

let clock: ManualClock;
let simulator: Simulator;
afterEach(() => simulator.close());

async function start(scenario: Partial<ScenarioInput> = {}, behaviour: Partial<Behaviour> = {}) {
  const zoom = await startManualZoom({ participants: [ADA, BEN], ...scenario }, behaviour);
  ({ clock, simulator } = zoom);
  return zoom.rtmsStreamId;
}

/** Timestamps of the messages of one type that have arrived. */
async function timestamps(socket: RawSocket, msgType: number): Promise<number[]> {
  await socket.caughtUp();
  return socket.take(msgType).map(({ content }) => content.timestamp - ZOOM_STARTS_AT_MS);
}

describe('media handshake', () => {
  async function signalingUrls(id: string): Promise<Record<string, string>> {
    return (await joinSignaling(simulator, id)).response.media_server.server_urls;
  }

  test.each(['audio', 'video'])('answers %s with the agreed parameters', async (mediaType) => {
    const id = await start();
    const urls = await signalingUrls(id);
    const { media_type, media_params } = fixture(`03-handshake-req.${mediaType}`);
    const { response } = await joinMedia(simulator, id, urls[mediaType] ?? '', {
      media_type,
      media_params,
    });
    expect(response).toEqual(fixture(`04-handshake-resp.${mediaType}`));
  });

  test('applies the defaults to everything on one socket', async () => {
    const id = await start();
    const urls = await signalingUrls(id);
    const { response } = await joinMedia(simulator, id, urls['all'] ?? '', { media_type: 32 });
    expect(response).toEqual(fixture('04-handshake-resp.all-defaults'));
  });

  test('accepts a set of bits on the address for all', async () => {
    const id = await start();
    const urls = await signalingUrls(id);
    const { media_type } = fixture('03-handshake-req.audio+transcript-bitmask');
    const { response } = await joinMedia(simulator, id, urls['all'] ?? '', { media_type });
    expect(Object.keys(response.media_params)).toEqual(['audio', 'transcript']);
  });

  test.each([
    ['04-handshake-resp.error-3', 'audio', { media_type: 1, signature: 'f'.repeat(64) }],
    ['04-handshake-resp.error-10', 'all', { media_type: 2 }],
    [
      '04-handshake-resp.error-24',
      'audio',
      { media_type: 1, media_params: { audio: { send_rate: 30 } } },
    ],
  ])('answers %s and closes', async (name, path, fields) => {
    const id = await start({ media: ['audio', 'transcript'] });
    const urls = await signalingUrls(id);
    const { media, response } = await joinMedia(simulator, id, urls[path] ?? '', fields);
    expect(response).toEqual(fixture(name));
    expect(await media.closed).toBe(1000);
  });

  test.each([
    [9, 'video', 1],
    [10, 'audio', 2],
    [11, 'audio', 4],
    [12, 'audio', 8],
    [13, 'audio', 16],
  ])('answers %i for what only %s is granted', async (status, granted, media_type) => {
    const id = await start({ media: [granted as 'audio'] });
    const urls = await signalingUrls(id);
    const { response } = await joinMedia(simulator, id, urls['all'] ?? '', { media_type });
    expect(response.status_code).toBe(status);
  });

  test.each([
    [7, 'audio', 'audio'],
    [0, 'audio', 2],
    [0, 'audio', 32],
    [14, 'all', 0],
    [14, 'all', 64],
  ])('answers %i on %s for media_type %j', async (status, path, media_type) => {
    const id = await start();
    const urls = await signalingUrls(id);
    const { response } = await joinMedia(simulator, id, urls[path] ?? '', { media_type });
    expect(response.status_code).toBe(status);
  });

  test.each([2, 32])('answers 7 on a split address for media_type %i if asked to', async (bits) => {
    const id = await start({}, { splitAddress: 'own_bit' });
    const urls = await signalingUrls(id);
    const { response } = await joinMedia(simulator, id, urls['audio'] ?? '', { media_type: bits });
    expect(response.status_code).toBe(7);
  });

  test('accepts bits of their own on `all` beside split connections', async () => {
    const id = await start();
    const urls = await signalingUrls(id);
    const join = (path: string, media_type: number) =>
      joinMedia(simulator, id, urls[path] ?? '', { media_type });
    expect((await join('audio', 1)).response.status_code).toBe(0);
    expect((await join('all', 4 + 16)).response.status_code).toBe(0);
    expect((await join('all', 8)).response.status_code).toBe(0);
    expect((await join('all', 16)).response.status_code).toBe(16);
    expect((await join('all', 32)).response.status_code).toBe(16);
  });

  test('accepts one connection for a media type, and none beside one on `all` if asked to', async () => {
    const id = await start({}, { mediaUrls: 'every', allBesideSplit: 'refuse' });
    const urls = await signalingUrls(id);
    const join = (path: string, media_type: number) =>
      joinMedia(simulator, id, urls[path] ?? '', { media_type });
    const audio = await join('audio', 1);
    const chat = await join('chat', 16);
    expect(chat.response.status_code).toBe(0);
    expect((await join('audio', 1)).response).toEqual(fixture('04-handshake-resp.error-16'));
    expect((await join('all', 32)).response.status_code).toBe(16);
    await Promise.all([audio.media.close(), chat.media.close()]);
    expect((await join('all', 1)).response.status_code).toBe(0);
    expect((await join('video', 2)).response).toEqual(fixture('04-handshake-resp.error-15'));
  });

  test('closes without an answer on a bad signature if asked to', async () => {
    const id = await start({}, { badSignature: 'close' });
    const media = await RawSocket.open((await signalingUrls(id))['audio'] ?? '');
    media.send({ msg_type: 3, ...handshakeIds(simulator, id), signature: 'x', media_type: 1 });
    expect(await media.closed).toBe(1000);
    expect(media.unread).toEqual([]);
  });
});

describe('audio', () => {
  test('waits for message 7, then sends what was kept, then keeps pace', async () => {
    const id = await start({ participants: [ADA] });
    clock.advance(1_000);
    const { signaling, response } = await joinSignaling(simulator, id);
    const url = response.media_server.server_urls.audio;
    const { media } = await joinMedia(simulator, id, url, { media_type: 1, media_params: MULTI });
    clock.advance(100);
    expect(await timestamps(media, 14)).toEqual([]);
    signaling.send({ msg_type: 7, rtms_stream_id: id });
    await signaling.next(8);
    clock.advance(20);
    expect(await timestamps(media, 14)).toEqual(Array.from({ length: 56 }, (_, i) => i * 20));
    const first = await signaling.next(6);
    expect(first).toEqual({ msg_type: 6, event: { event_type: 1, timestamp: ZOOM_STARTS_AT_MS } });
    clock.advance(60);
    expect(await timestamps(media, 14)).toEqual([1120, 1140, 1160]);
    expect(signaling.unread.filter(({ msg_type }) => msg_type === 6)).toEqual([]);
  });

  test('keeps a minute at most', async () => {
    const id = await start({ participants: [ADA] }, { connectWindowMs: 100_000 });
    clock.advance(70_000);
    const { media } = await joinUnified(simulator, id, { media_params: MULTI });
    clock.advance(20);
    const [first] = await timestamps(media, 14);
    expect(first).toBe(10_000);
    expect(simulator.sent(id).sources[0]?.notSent).toEqual([
      {
        reason: 'buffer_full',
        frames: 500,
        fromMs: ZOOM_STARTS_AT_MS,
        toMs: ZOOM_STARTS_AT_MS + 9_980,
      },
    ]);
  });

  test('drops the first backlog for a client that declines it, but keeps later ones', async () => {
    const id = await start({ participants: [ADA] });
    clock.advance(1_000);
    const options = { media_params: MULTI, handshake: { buffer_data: false } };
    const first = await joinUnified(simulator, id, options);
    clock.advance(40);
    expect(await timestamps(first.media, 14)).toEqual([1_000, 1_020]);
    await first.signaling.close();
    clock.advance(100);
    const second = await joinUnified(simulator, id, options);
    clock.advance(20);
    expect((await timestamps(second.media, 14))[0]).toBe(1_040);
    expect(simulator.sent(id).sources[0]?.notSent[0]?.reason).toBe('buffer_declined');
  });

  test('sends at the rate asked for', async () => {
    const id = await start({ participants: [ADA] });
    const audio = { data_opt: 2, send_rate: 100 };
    const { media } = await joinUnified(simulator, id, { media_params: { audio } });
    clock.advance(300);
    const { content } = await media.next(14);
    expect(content).toMatchObject({ user_id: ADA.userId, user_name: 'John Smith', length: 3200 });
    expect(Buffer.from(content.data, 'base64')).toHaveLength(3200);
    expect(await timestamps(media, 14)).toEqual([100, 200]);
  });

  test('is anonymous when mixed', async () => {
    const id = await start();
    const { media } = await joinUnified(simulator, id);
    clock.advance(20);
    const message = await media.next(14);
    const expected = fixture('14-audio.l16-16k-mono-20ms.mixed');
    expect(Object.keys(message.content)).toEqual(Object.keys(expected.content));
    expect(message.content.user_id).toBe(0);
  });

  test('has one stream for each participant, of three talkers at most', async () => {
    const participants = [1, 2, 3, 4].map((userId) => ({
      userId,
      userName: `P${userId}`,
      audio: talk,
    }));
    const id = await start({ participants });
    const { media } = await joinUnified(simulator, id, { media_params: MULTI });
    clock.advance(20);
    await media.caughtUp();
    expect(media.take(14).map(({ content }) => content.user_id)).toEqual([1, 2, 3]);
  });

  test('names the channel in Contact Center', async () => {
    const channel = { ...ADA, channelId: '123abc' };
    const id = await start({ product: 'contact_center', participants: [channel] });
    const { media } = await joinUnified(simulator, id);
    clock.advance(20);
    const { content } = await media.next(14);
    const expected = fixture('14-audio.contact-center-channel');
    expect(Object.keys(content)).toEqual(Object.keys(expected.content));
    expect(content.channel_id).toBe('123abc');
    expect(simulator.sent(id).sources[0]).toMatchObject({ channelId: '123abc', frames: 1 });
  });

  test.each([
    [false, 0],
    [true, 5],
  ])('mixed through silence: %s', async (mixedAudioSilence, frames) => {
    const id = await start({ participants: [{ userId: 1, userName: 'A' }] }, { mixedAudioSilence });
    const { media } = await joinUnified(simulator, id);
    clock.advance(100);
    expect(await timestamps(media, 14)).toHaveLength(frames);
  });
});

describe('pictures', () => {
  const video = {
    kind: 'synthetic',
    fps: 30,
    frameBytes: 80,
    keyFrameBytes: 120,
    keyEvery: 10,
  } as const;

  test('come at the rate asked for, for the last speaker with a camera, and are never kept', async () => {
    const participants = [
      { ...ADA, video },
      { ...BEN, video, cameraOff: true },
    ];
    const id = await start({ participants });
    clock.advance(1_000);
    const media_params = { video: { codec: 7, fps: 10 } };
    const { media } = await joinUnified(simulator, id, { media_params });
    const speakers = async () => {
      clock.advance(200);
      await media.caughtUp();
      return media
        .take(15)
        .map(({ content }) => [content.user_id, content.timestamp - ZOOM_STARTS_AT_MS]);
    };
    expect(await speakers()).toEqual([
      [ADA.userId, 1_000],
      [ADA.userId, 1_100],
    ]);
    simulator.act(id, { do: 'active_speaker', userId: BEN.userId });
    expect((await speakers())[0]?.[0]).toBe(ADA.userId);
    simulator.act(id, { do: 'video_on', userId: BEN.userId });
    expect((await speakers())[0]?.[0]).toBe(BEN.userId);
    simulator.act(id, { do: 'video_off', userId: BEN.userId });
    simulator.act(id, { do: 'video_off', userId: ADA.userId });
    expect(await speakers()).toEqual([]);
    const ada = simulator.sent(id).sources.find(({ mediaType }) => mediaType === 'video');
    expect(ada?.notSent).toMatchObject([{ reason: 'not_connected', fromMs: ZOOM_STARTS_AT_MS }]);
  });

  test('begin with a key frame when the speaker changes', async () => {
    const id = await start({
      participants: [
        { ...ADA, video },
        { ...BEN, video },
      ],
    });
    const media_params = { video: { codec: 7, fps: 30 } };
    const { media } = await joinUnified(simulator, id, { media_params });
    clock.advance(500);
    await media.caughtUp();
    media.take(15);
    simulator.act(id, { do: 'active_speaker', userId: BEN.userId });
    clock.advance(100);
    const { content } = await media.next(15);
    const unit = Buffer.from(content.data, 'base64');
    expect([content.user_id, unit.readUInt8(4) & 31]).toEqual([BEN.userId, 5]);
    expect(readSyntheticFrame(unit)).toMatchObject({ source: BEN.userId, offsetMs: 500 });
  });

  test.each([
    [5, 'ffd8'],
    [6, '89504e47'],
    [7, '00000001'],
  ])('of a share have the format of codec %i', async (codec, magic) => {
    const id = await start();
    const { media } = await joinUnified(simulator, id, { media_params: { deskshare: { codec } } });
    const track = { kind: 'slides' as const, slides: [{ atMs: 0, file: 'slides/1.jpg' }] };
    simulator.act(id, { do: 'share_start', userId: BEN.userId, track });
    clock.advance(1_100);
    const { content } = await media.next(16);
    expect(content).toMatchObject({
      user_id: BEN.userId,
      user_name: 'Alice',
      timestamp: ZOOM_STARTS_AT_MS,
    });
    const bytes = Buffer.from(content.data, 'base64');
    expect(bytes).toHaveLength(content.length);
    expect(bytes.toString('hex').startsWith(magic)).toBe(true);
    expect(await timestamps(media, 16)).toEqual([1_000]);
    simulator.act(id, { do: 'share_stop' });
    clock.advance(3_000);
    expect(await timestamps(media, 16)).toEqual([]);
  });
});

describe('text', () => {
  const line = {
    do: 'transcript',
    userId: ADA.userId,
    text: 'Thanks everyone for joining.',
    startMs: 0,
    endMs: 1_000,
  } as const;

  async function transcribed(behaviour: Partial<Behaviour>): Promise<WireMessage> {
    const id = await start({}, behaviour);
    const { media } = await joinUnified(simulator, id);
    clock.advance(1_600);
    simulator.act(id, line);
    return media.next(17);
  }

  test.each([
    ['ms', ZOOM_STARTS_AT_MS + 1_600],
    ['us', (ZOOM_STARTS_AT_MS + 1_600) * 1000],
  ] as const)('of the transcript is stamped in %s', async (transcriptTimeUnit, timestamp) => {
    const message = await transcribed({ transcriptTimeUnit });
    const shape = fixture('17-transcript.ms');
    expect(Object.keys(message.content).sort()).toEqual(Object.keys(shape.content).sort());
    expect(message.content).toMatchObject({
      data: line.text,
      start_time: ZOOM_STARTS_AT_MS,
      end_time: ZOOM_STARTS_AT_MS + 1_000,
      language: 9,
      timestamp,
    });
  });

  test('carries the attribute and the channel', async () => {
    const channel = { ...ADA, channelId: '123abc' };
    const id = await start({ product: 'phone', participants: [channel] });
    const { media } = await joinUnified(simulator, id);
    simulator.act(id, { ...line, attribute: 2 });
    const { content } = await media.next(17);
    expect(content).toMatchObject({ channel_id: '123abc', attribute: 2 });
    expect(content).not.toHaveProperty('user_id');
  });

  const operations = {
    'new-everyone': {},
    'new-direct': { session: { type: 2, id: '' }, receiverId: BEN.userId },
    reply: { parentMessageId: '{5A7E1C7C-0001-4C1B-9E55-000000000001}' },
    update: { operation: 3 },
    delete: { operation: 2 },
    'add-emoji': { operation: 4 },
    files: { files: [{ file_id: 'f_0001', file_name: 'roadmap.pdf', file_size: 482_113 }] },
    'delete-file': { operation: 2, deletedFileIds: ['f_0001'] },
    'nested-json-string': {},
  };

  test.each(Object.entries(operations))(
    'of chat has the documented shape: %s',
    async (name, fields) => {
      const isNested = name === 'nested-json-string';
      const expected = fixture(`18-chat.${name}`);
      const inner = isNested ? JSON.parse(expected.content.data) : expected.content;
      const id = await start({}, { chatShape: isNested ? 'nested' : 'direct' });
      const { media } = await joinUnified(simulator, id);
      simulator.act(id, {
        do: 'chat',
        userId: ADA.userId,
        text: inner.data,
        messageId: inner.message_id,
        ...fields,
      });
      const message = await media.next(18);
      if (isNested) {
        const { parent_message_id: _, ...nested } = JSON.parse(message.content.data);
        expect(nested).toEqual(inner);
      } else expect(message).toEqual(expected);
    },
  );

  test('is not kept for a client that comes later', async () => {
    const id = await start();
    simulator.act(id, line);
    simulator.act(id, { do: 'chat', userId: ADA.userId, text: 'hi' });
    const { transcript, chat } = simulator.sent(id);
    expect([transcript[0]?.sent, chat[0]?.sent]).toEqual([false, false]);
  });
});

test('the script can send messages that Zoom should never send', async () => {
  const id = await start();
  const { signaling, media } = await joinUnified(simulator, id);
  simulator.act(id, { do: 'raw', socket: 'audio', text: '{"msg_type":14,"content":"AAAA"}' });
  simulator.act(id, { do: 'raw', socket: 'signaling', text: '{"msg_type":1000}' });
  expect(await media.next(14)).toEqual({ msg_type: 14, content: 'AAAA' });
  expect(await signaling.next(1000)).toEqual({ msg_type: 1000 });
});
