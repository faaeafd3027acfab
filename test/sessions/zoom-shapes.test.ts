import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import type { EventName } from '../../shared/record/event-data.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import { deliverAsZoom } from '../support/front-door.ts';
import {
  type Message,
  type ScriptedZoom,
  startScriptedZoom,
} from '../support/rtms/scripted-zoom.ts';
import { startWorld, type World } from '../support/world.ts';

/*
 * Every shape of test/fixtures/rtms/zoom-shapes.jsonl through the whole system: a webhook, a runner, raw sockets that
 * send what the file holds, and what can be read from the two Kinesis streams in the end.
 */
const FILE = new URL('../fixtures/rtms/zoom-shapes.jsonl', import.meta.url);
const PAYLOAD = Buffer.alloc(640, 0x5a).toString('base64');

const shapes = new Map(
  readFileSync(FILE, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; message: string })
    .map(({ id, message }) => [id, message.replace('<base64 of 640 bytes>', PAYLOAD)]),
);

/** Other members of the families in the file, ours: nobody has shown them, and a relative of each has been seen. */
const ADDRESS = 'wss://h/all';
const VARIATIONS: Readonly<Record<string, object>> = {
  V1: { msgType: 12, timestamp: 'tick' },
  V2: { msg_type: ' 12 ', timestamp: 1738.5 },
  V3: { msg_type: 12, timestamp: { at: 1 } },
  V4: { msg_type: 6, event: { eventType: '3', participants: [{ id: 7, name: 'Ada' }] } },
  V5: { msg_type: 6, event: { event_type: 2, participants: [{ user_id: 7 }] } },
  V6: { msg_type: 6, event: { event_type: 3, people: [{ user_id: 9 }] } },
  V7: { msg_type: 8, state: 'Active', reason: 'because' },
  V8: { msg_type: 9, content: { rtmsSessionId: 's', sessionState: 'Started' } },
  V9: { msg_type: 29, content: { user_id: 'nobody', status_code: 'NO' } },
  V10: { msg_type: 14, content: { user_id: 7, data: Buffer.alloc(640, 1) } },
  V11: { msgType: 14, userId: 7, content: PAYLOAD.replace(/=+$/, '') },
  V12: {
    msg_type: '14',
    content: JSON.stringify({ user_id: 'x-y', data: PAYLOAD, length: '640' }),
  },
  V13: { msg_type: 14, content: [{ user_id: [7], user_name: { first: 'Ada' }, data: PAYLOAD }] },
  V14: { msg_type: 17, data: 'flat', userId: 7 },
  V15: { msg_type: 17, content: { text: 'odd times', start_time: 'noon', end_time: -1 } },
  V16: { msg_type: 17, content: [{ data: 'one' }, { data: 'two' }] },
  V17: { msg_type: 18, data: 'flat chat', user_name: 'Ada' },
  V18: { msg_type: 18, content: { message: 'elsewhere', messageId: 'm2', operationType: 'new' } },
  H1: { msgType: 2, statusCode: '0', mediaServer: { serverUrls: { All: ADDRESS } } },
  H2: { msg_type: 2, status: true, media_server: ADDRESS },
  H3: { msg_type: 2, media_server: { server_urls: [{ type: 'all', url: ADDRESS }] } },
  H4: { msg_type: 2, status: 'Success', media_server: [{ server_urls: { 32: [ADDRESS] } }] },
  H5: { msg_type: 2, error_code: 17, message: 'duplicate signal request' },
  A1: { msg_type: 4, status: 'OK', mediaParams: { audio: { codec: 99, sampleRate: 'fast' } } },
  A2: { msg_type: 4, content: { status_code: '0' }, media_params: 'none' },
  END: { msg_type: 8, content: { streamState: 'TERMINATED', stopReason: 'MeetingEnded' } },
};
const shape = (id: string): string =>
  id in VARIATIONS
    ? JSON.stringify(VARIATIONS[id])
    : (shapes.get(id) ?? expect.unreachable(`no shape ${id}`));

/** What one stream of ours sends, on which socket, and what must be in the events stream for it. */
interface Play {
  readonly product?: 'meeting' | 'contact_center';
  /** Answers to messages 1 and 3, one after the other; the last one is repeated. @default documented ones */
  readonly hello?: readonly string[];
  readonly agreed?: readonly string[];
  readonly signaling?: readonly string[];
  readonly media?: readonly string[];
  /** Frames among `media`. */
  readonly frames: number;
  readonly events?: readonly [EventName, object][];
  readonly answers?: readonly object[];
  readonly last?: string;
  readonly stopReason?: number;
}

const HELLO = '{"msg_type":2,"status_code":0,"media_server":{"server_urls":{"all":"wss://h/all"}}}';
const AGREED = '{"msg_type":4,"status_code":0}';
/** Plays that are about a handshake still have one frame, which comes over what was agreed. */
const ONE_FRAME = { media: ['Z16'], frames: 1 };

const PLAYS: Readonly<Record<string, Play>> = {
  messages: {
    signaling: [
      'D1',
      'D2',
      'D5',
      'D8',
      'D9',
      'Z5',
      'Z5b',
      'Z5d',
      'Z12',
      'Z14',
      'Z24',
      'Z1',
      'Z1b',
      'Z1c',
      'Z25',
    ],
    media: ['D3', 'D10', 'D11', 'Z7', 'Z7c', 'Z16', 'Z17', 'Z18', 'Z18b', 'Z21', 'Z22'],
    frames: 4,
    events: [
      ['sharing_started', { userName: 'Mia Sand', raw: { user_id: 1234234567890 } }],
      [
        'participant_joined',
        { participants: [{ userName: 'Mia Sand' }, { userName: 'Al' }], raw: { event_type: 3 } },
      ],
      ['session_state', { rtmsSessionId: 's', state: 1, stopReason: 1 }],
      ['participant_joined', { participants: [{ userId: 16778240, userName: 'Mia' }] }],
      ['participant_video_on', { participants: [{ userId: 16778240, userName: 'Mia' }] }],
      ['participant_left', { participants: [], raw: { participants: null } }],
      ['session_state', { rtmsSessionId: 's', state: 5, stopReason: 6 }],
      ['other', { raw: { msg_type: 29, status_code: 44 } }],
      ['other', { raw: { msg_type: 'SIGNALING_HAND_SHAKE_RESP' } }],
      [
        'transcript',
        { text: 'Hi, hello world!', userId: 19778240, userName: 'Mia', languageName: 'ENGLISH' },
      ],
      ['transcript', { text: 'hello', userName: 'Mia' }],
      ['transcript', { text: 'hi', userName: 'Mia', raw: { content: { user_id: 1234234567890 } } }],
      ['transcript', { text: 'x', userId: 1, timestampMs: 1727384349000 }],
      ['chat', { text: 'Chat message' }],
      [
        'chat',
        { text: 'hi', messageId: 'm1', operation: 'NEW', sender: { userId: 1, userName: 'Mia' } },
      ],
      ['chat', { text: '', messageId: 'm1', operation: 'ADD_EMOJI' }],
    ],
    answers: [
      { msg_type: 13 },
      { msg_type: 13 },
      { msg_type: 13 },
      { msg_type: 13, timestamp: 1783000000000 },
    ],
    last: 'Z11',
    stopReason: 3,
  },
  'contact-center': {
    product: 'contact_center',
    signaling: ['D4'],
    ...ONE_FRAME,
    events: [['voice', { name: 'consumer_answered', participant: { channelId: '123abc' } }]],
  },
  ...Object.fromEntries(
    ['D6', 'Z2', 'Z2b', 'Z3', 'Z3b', 'Z3c', 'Z4'].map((id) => [
      id,
      { hello: [shape(id)], ...ONE_FRAME },
    ]),
  ),
  Z6: { hello: [shape('Z6'), HELLO], ...ONE_FRAME },
  variations: {
    signaling: ['V1', 'V2', 'V3', 'V4', 'V5', 'V6', 'V7', 'V8', 'V9'],
    media: ['V10', 'V11', 'V12', 'V13', 'V14', 'V15', 'V16', 'V17', 'V18'],
    frames: 4,
    events: [
      ['participant_joined', { participants: [{ userId: 7, userName: 'Ada' }] }],
      ['active_speaker', { userId: 7, userName: 'Ada' }],
      ['participant_joined', { participants: [], raw: { event_type: 3 } }],
      ['other', { raw: { msg_type: 8, reason: 'because' } }],
      ['session_state', { rtmsSessionId: 's', state: 2 }],
      ['other', { raw: { msg_type: 29 } }],
      // Whether her name is known by then depends on which socket is read first.
      ['transcript', { text: 'flat', userId: 7 }],
      ['transcript', { text: 'odd times', raw: { content: { start_time: 'noon' } } }],
      ['other', { raw: { msg_type: 17 } }],
      ['chat', { text: 'flat chat', sender: { userName: 'Ada' } }],
      ['chat', { messageId: 'm2', operation: 'NEW', raw: { content: { message: 'elsewhere' } } }],
    ],
    answers: [
      { msg_type: 13, timestamp: 'tick' },
      { msg_type: 13, timestamp: 1738.5 },
      { msg_type: 13 },
    ],
    last: 'END',
  },
  ...Object.fromEntries(
    ['H1', 'H2', 'H3', 'H4'].map((id) => [id, { hello: [shape(id)], ...ONE_FRAME }]),
  ),
  H5: { hello: [shape('H5'), HELLO], ...ONE_FRAME },
  A1: { agreed: [shape('A1')], ...ONE_FRAME },
  A2: { agreed: [shape('A2')], ...ONE_FRAME },
  D7: { agreed: [shape('D7')], ...ONE_FRAME },
  Z23: { agreed: [shape('Z23')], ...ONE_FRAME },
};

let world: World;
let zoom: ScriptedZoom;
const ready = new Set<string>();
const asked = new Map<string, number>();

/** `<play>/signaling` and `<play>/media` are the sockets of a play. */
function script(path: string, message: Message, socket: WebSocket): void {
  const [name = ''] = path.split('/');
  const { hello = [HELLO], agreed = [AGREED] } = PLAYS[name] ?? { frames: 0 };
  if (message.msg_type === 7) ready.add(name);
  const script = message.msg_type === 1 ? hello : message.msg_type === 3 ? agreed : [];
  const turn = asked.get(`${name}/${message.msg_type}`) ?? 0;
  asked.set(`${name}/${message.msg_type}`, turn + 1);
  const text = script[Math.min(turn, script.length - 1)];
  const media = `${zoom.url}/${name}/media`;
  if (text !== undefined) socket.send(text.replaceAll(/wss:[^"]+/g, media));
}

beforeAll(async () => {
  zoom = await startScriptedZoom(script);
  world = await startWorld({ runners: 1 });
}, 60_000);
afterAll(async () => {
  await zoom[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
}, 60_000);

function post(event: string, payload: object): Promise<number> {
  return deliverAsZoom(world.stack.webhookUrl, EXAMPLE_APP.webhookSecretToken, event, payload);
}

function start(name: string, rtmsStreamId: string): Promise<number> {
  const isVoice = PLAYS[name]?.product === 'contact_center';
  const event = isVoice ? 'contact_center.voice_rtms_started' : 'meeting.rtms_started';
  return post(event, {
    [isVoice ? 'engagement_id' : 'meeting_uuid']: `m-${name}`,
    rtms_stream_id: rtmsStreamId,
    server_urls: `${zoom.url}/${name}/signaling`,
  });
}

test('every shape of the file is played', () => {
  const played = Object.entries(PLAYS).flatMap(
    ([name, { signaling = [], media = [], last = 'Z27' }]) => [name, ...signaling, ...media, last],
  );
  expect([...shapes.keys()].filter((id) => !played.includes(id))).toEqual([]);
});

test.concurrent.each(Object.entries(PLAYS))('%s', async (name, play) => {
  const rtmsStreamId = `shapes#${name}`;
  expect(await start(name, rtmsStreamId)).toBe(200);
  await world.until(`${name} is ready`, () => ready.has(name));
  const [socket] = zoom.sockets(`${name}/media`);
  for (const id of play.signaling ?? []) zoom.send(`${name}/signaling`, shape(id));
  for (const id of play.media ?? []) socket?.send(shape(id));
  const answers = () =>
    zoom.received.flatMap(({ path, message }) =>
      path.startsWith(`${name}/`) && message.msg_type === 13 ? [message] : [],
    );
  const expected = play.answers ?? [];
  // The last message may be read before those of the other socket: nobody answers a keep-alive after it.
  await world.until('all keep-alives answered', () => answers().length >= expected.length);
  // After the last message of the media socket, so that all of them count.
  socket?.send(shape(play.last ?? 'Z27'));
  const { data } = await world.event('session_ended', { rtmsStreamId });
  expect(data.stopReason).toBe(play.stopReason ?? 6);
  for (const { received, written, lost } of data.ledger) {
    expect(lost).toBe(0);
    expect(written).toBe(received);
  }
  const told = world.eventsOf(rtmsStreamId).map((event) => [event.name, event.data]);
  for (const [event, fields] of play.events ?? []) {
    expect(told).toContainEqual([event, expect.objectContaining(matching(fields))]);
  }
  await world.until('all frames', () => world.framesOf(rtmsStreamId).length >= play.frames);
  expect(world.framesOf(rtmsStreamId)).toHaveLength(play.frames);
  expect(answers()).toEqual(expected);
});

/** Objects inside may have more fields, too. */
function matching(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? expect.objectContaining(matching(value))
        : value,
    ]),
  );
}

test('rtms_interrupted with server_urls is followed there', async () => {
  const rtmsStreamId = 'moved';
  expect(await start('Z2', rtmsStreamId)).toBe(200);
  await world.event('session_started', { rtmsStreamId });
  const payload = { meeting_uuid: 'm-Z2', rtms_stream_id: rtmsStreamId };
  const server_urls = [`${zoom.url}/Z4/signaling`];
  const before = asked.get('Z4/1') ?? 0;
  expect(await post('meeting.rtms_interrupted', { ...payload, server_urls })).toBe(200);
  await world.event('session_reconnected', { rtmsStreamId });
  expect(asked.get('Z4/1')).toBe(before + 1);
  expect((await world.row(rtmsStreamId)).movedServerUrls).toEqual(server_urls);
  await post('meeting.rtms_stopped', { ...payload, stop_reason: 'STOP_BC_MEETING_ENDED' });
  expect((await world.event('session_ended', { rtmsStreamId })).data.stopReason).toBe(6);
});

test('the two streams explain every line and frame', async () => {
  expect(world.ledger.report().problems).toEqual([]);
});
