import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeMessage, encodeKeepAliveResp } from './codec.ts';

/**
 * The shapes of messages that Zoom's documents, Zoom's own code and programs of others show, each with its source in
 * the file; what each is read as stands here, by its id.
 */
const FILE = new URL('../../test/fixtures/rtms/zoom-shapes.jsonl', import.meta.url);
const PAYLOAD = Buffer.alloc(640, 0x5a);

interface Shape {
  readonly id: string;
  readonly source: string;
  readonly want: string;
  readonly message: string;
}

const shapes: Shape[] = readFileSync(FILE, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Shape);

const AT = 1727384349123;
const mia = { userId: 16778240, userName: 'Mia' };

const READ: Readonly<Record<string, object>> = {
  D1: { msgType: 6, eventType: 5, userId: undefined, userName: 'Mia Sand', isPartial: true },
  D2: {
    eventType: 3,
    participants: [{ userName: 'Mia Sand' }, { userName: 'Al' }],
    isPartial: true,
    raw: { participants: [{ user_id: 'xxxxxxxxxx' }, { user_id: 'yyyyyyyyyy' }] },
  },
  D3: { msgType: 14, channelId: '123', payload: PAYLOAD, timestampMs: 1738392033699 },
  D4: {
    eventType: 8,
    timestampMs: AT,
    participantInfo: { channel_id: '123abc', queue_name: 'My Queue', user_id: 'u2' },
  },
  D5: { msgType: 20, state: 1, timestampMs: 1694204592000 },
  D6: {
    msgType: 2,
    statusCode: 0,
    serverUrls: Object.fromEntries(
      ['audio', 'video', 'transcript', 'all'].map((key) => [key, ['wss://127.0.0.1:443']]),
    ),
  },
  D7: { msgType: 4, statusCode: 0, payloadEncrypted: true, mediaParams: { audio: { codec: 1 } } },
  D8: {
    msgType: 9,
    rtmsSessionId: 's',
    state: 1,
    stopReason: 1,
    timestampMs: AT,
    isPartial: false,
  },
  D9: { msgType: 29, userId: 16778240, statusCode: 0, reason: 'OK' },
  D10: {
    msgType: 17,
    text: 'Hi, hello world!',
    userId: 19778240,
    userName: 'Mia',
    language: 9,
    startMs: 1727384100000,
    endMs: 1727384310000,
  },
  D11: { msgType: 18, text: 'Chat message', timestampMs: 1727384349000 },
  Z1: { msgType: 12, timestampJson: undefined },
  Z1b: { msgType: 12, timestampJson: undefined },
  Z1c: { msgType: 12, timestampJson: undefined },
  Z2: { msgType: 2, statusCode: 0, serverUrls: { all: ['wss://h'] } },
  Z2b: { msgType: 2, statusCode: 0, serverUrls: { audio: ['wss://h/audio'] } },
  Z3: { msgType: 2, serverUrls: { all: ['wss://h/all'] } },
  Z3b: { msgType: 2, serverUrls: { all: ['wss://h/all'] } },
  Z3c: {
    serverUrls: { audio: ['wss://h/a'], deskshare: ['wss://h/s'], all: ['wss://h/all'] },
  },
  Z4: { msgType: 2, statusCode: 0, serverUrls: { all: ['wss://h'] } },
  Z5: { eventType: 3, ...mia, participants: [], isPartial: false },
  Z5b: { eventType: 8, userId: 16778240, participants: [] },
  Z5d: { eventType: 4, participants: [], isPartial: true, raw: { participants: null } },
  Z6: { msgType: 2, statusCode: 17, reason: 'Duplicate signal request' },
  Z7: {
    msgType: 18,
    text: 'hi',
    messageId: 'm1',
    operation: 1,
    sender: { userId: 1, userName: 'Mia' },
    timestampMs: 1783000000000,
  },
  Z7c: { msgType: 18, text: '', messageId: 'm1', operation: 4 },
  Z11: { msgType: 8, state: 4, stopReason: 3 },
  Z12: { msgType: 9, rtmsSessionId: undefined, state: 5, stopReason: 6, raw: { state: 5 } },
  Z14: { msgType: 29, userId: undefined, statusCode: 44, raw: { status_code: 44 } },
  Z16: { msgType: 14, ...mia, timestampMs: 1783000000000, payload: PAYLOAD },
  Z17: { msgType: 17, text: 'hello', userName: 'Mia' },
  Z18: { msgType: 14, userId: undefined, userName: 'Mia', payload: PAYLOAD },
  Z18b: {
    msgType: 17,
    text: 'hi',
    userId: undefined,
    userName: 'Mia',
    raw: { content: { user_id: 1234234567890 } },
  },
  Z21: { msgType: 17, text: 'x', userId: 1, timestampMs: 1727384349000 },
  Z22: { msgType: 14, userId: 1, payload: Buffer.from('fbfffe01', 'hex') },
  Z23: { msgType: 4, statusCode: 0 },
  Z24: { msgType: 'other', raw: { msg_type: 'SIGNALING_HAND_SHAKE_RESP', status: 'STATUS_OK' } },
  Z25: { msgType: 12, timestampJson: '1783000000000' },
  Z27: { msgType: 8, state: 4, stopReason: 6 },
};

test.each(shapes)('$id, $source: $want', ({ id, message }) => {
  const text = message.replace('<base64 of 640 bytes>', PAYLOAD.toString('base64'));
  const expected = READ[id];
  expect(expected, 'no expectation for this shape').toBeDefined();
  for (const bytes of [Buffer.from(text), Buffer.from(`\ufeff${text}\0`), text]) {
    expect(decodeMessage(bytes)).toMatchObject(expected ?? {});
  }
});

test('a keep-alive without a timestamp is answered without one', () => {
  expect(encodeKeepAliveResp(undefined)).toBe('{"msg_type":13}');
});

const encode = (message: unknown) => JSON.stringify(message);
const audio = (content: unknown, outer = {}) => encode({ msg_type: 14, content, ...outer });
const spoken = (content: unknown, outer = {}) => encode({ msg_type: 17, content, ...outer });
const chat = (content: unknown) => encode({ msg_type: 18, content });
const event = (fields: object) => encode({ msg_type: 6, event: { event_type: 3, ...fields } });

/** Other members of the same families. */
test.each<[string, string, object]>([
  [
    'a long id as a number keeps its digits',
    '{"msg_type":14,"content":{"channel_id":7481203947561029384,"data":"AAAA"}}',
    { channelId: '7481203947561029384' },
  ],
  [
    'nanoseconds',
    '{"msg_type":17,"content":{"data":"x","timestamp":1727384349123456789}}',
    { timestampMs: AT },
  ],
  [
    'nanoseconds as text',
    spoken({ data: 'x', timestamp: '1727384349123456789' }),
    { timestampMs: AT },
  ],
  [
    'an ISO time',
    spoken({ data: 'x', timestamp: '2024-09-26T20:59:09.123Z' }),
    { timestampMs: AT },
  ],
  [
    'base64 in lines',
    audio({ data: 'AAAA\r\nBBBB\n' }),
    { payload: Buffer.from('AAAABBBB', 'base64') },
  ],
  ['a list of one content', audio([{ user_id: 7, data: 'AAAA' }]), { userId: 7 }],
  ['content as JSON text', audio(encode({ user_id: 7, data: 'AAAA' })), { userId: 7 }],
  [
    'a payload beside the content',
    encode({ msg_type: 15, user_id: 7, data: 'AAAA' }),
    { msgType: 15, userId: 7 },
  ],
  [
    'a name in camelCase',
    audio({ userId: 7, userName: 'Mia', data: 'AAAA' }),
    { userId: 7, userName: 'Mia' },
  ],
  ['a length as text', audio({ data: 'AAAA', length: '3' }), { payload: Buffer.alloc(3) }],
  ['a message in a list', '[{"msg_type":12}]', { msgType: 12 }],
  ['a message as JSON text', encode('{"msg_type":12}'), { msgType: 12 }],
  ['a language by name', spoken({ data: 'x', language: 'LANGUAGE_ID_ENGLISH' }), { language: 9 }],
  ['no language', spoken({ data: 'x', language: -1 }), { language: -1 }],
  ['text under another name', spoken({ text: 'x', is_final: true }), { text: 'x' }],
  ['a number as text', spoken({ data: 7 }), { text: '7' }],
  ['an attribute by name', spoken({ data: 'x', attribute: 'update' }), { attribute: 2 }],
  [
    'chat as JSON text without id',
    chat({ data: encode({ data: 'hi', sender: mia }) }),
    { text: 'hi', sender: mia },
  ],
  [
    'chat in camelCase',
    chat({ data: { messageId: 'm', operationType: 'NEW', sender: mia, text: 'hi' } }),
    { messageId: 'm', operation: 1, sender: mia, text: 'hi' },
  ],
  [
    'a sender without a usable id',
    chat({ data: 'hi', sender: { user_id: 'abc', user_name: 'Mia' } }),
    { sender: { userName: 'Mia' } },
  ],
  ['a bare sender', chat({ data: 'hi', sender: 7 }), { sender: { userId: 7 } }],
  [
    'flat chat',
    encode({ msg_type: 18, content: 'hi', user_name: 'Mia' }),
    { text: 'hi', sender: { userName: 'Mia' } },
  ],
  [
    'one file, not in a list',
    chat({ data: '', files: { file_id: 7, file_size: 2 ** 33 } }),
    { files: [{ fileId: '7', fileSize: 2 ** 33 }] },
  ],
  [
    'one participant, not in a list',
    event({ participants: { user_id: 7 } }),
    { participants: [{ userId: 7 }], isPartial: false },
  ],
  [
    'participants by id',
    event({ participants: [7, '8'] }),
    { participants: [{ userId: 7 }, { userId: 8 }] },
  ],
  [
    'a good participant among bad ones',
    event({ participants: [null, {}, { user_id: 7 }] }),
    { participants: [{ userId: 7 }], isPartial: true },
  ],
  [
    'an event beside itself',
    encode({ msg_type: 6, event_type: '3', user_id: 7 }),
    { eventType: 3, userId: 7 },
  ],
  [
    'an event by name',
    encode({ msg_type: 6, event: { event_type: 'PARTICIPANT_JOIN' } }),
    { eventType: undefined, eventName: 'PARTICIPANT_JOIN' },
  ],
  ['a status by name', '{"msg_type":4,"status":"STATUS_INVALID_SIGNATURE"}', { statusCode: 3 }],
  ['a status as text', '{"msg_type":4,"status_code":"16"}', { statusCode: 16 }],
  ['a status nobody can read is not OK', '{"msg_type":4,"status_code":{}}', { statusCode: -1 }],
  ['encryption as 1', '{"msg_type":4,"payload_encrypted":1}', { payloadEncrypted: true }],
  [
    'several addresses in one text',
    encode({ msg_type: 2, media_server: { server_urls: 'wss://a/x,y, wss://b' } }),
    { serverUrls: { all: ['wss://a/x,y', 'wss://b'] } },
  ],
  [
    'a list of addresses',
    encode({ msg_type: 2, media_server: { server_urls: ['wss://a', 7] } }),
    { statusCode: 0, serverUrls: { all: ['wss://a'] } },
  ],
  ['a state by another name', '{"msg_type":8,"state":"stream_state_paused"}', { state: 5 }],
  [
    'a session state by name',
    '{"msg_type":9,"rtms_session_id":7,"state":"STOPPED"}',
    { rtmsSessionId: '7', state: 5 },
  ],
  [
    'a stop reason beyond its range',
    '{"msg_type":8,"state":4,"reason":9007199254740993}',
    { state: 4, stopReason: undefined },
  ],
  ['a state nobody knows', '{"msg_type":8,"state":"DREAMING"}', { msgType: 'other', number: 8 }],
  [
    'a type in camelCase',
    encode({ msgType: 12, timestamp: 5 }),
    { msgType: 12, timestampJson: '5' },
  ],
  [
    'a handshake in camelCase',
    encode({ msgType: 2, statusCode: 0, mediaServer: { serverUrls: { all: 'wss://a' } } }),
    { statusCode: 0, serverUrls: { all: ['wss://a'] } },
  ],
  [
    'parameters in camelCase, as JSON text',
    encode({ msg_type: 4, mediaParams: encode({ audio: { codec: 4 } }) }),
    { mediaParams: { audio: { codec: 4 } } },
  ],
  ['a status that is true', encode({ msg_type: 4, status: true }), { statusCode: 0 }],
  ['a status that is a word', encode({ msg_type: 4, status: 'Success' }), { statusCode: 0 }],
  ['a status that is false is not OK', encode({ msg_type: 4, status: false }), { statusCode: -1 }],
  [
    'a refusal under other names',
    encode({ msg_type: 2, error_code: 17, message: 'Duplicate signal request' }),
    { statusCode: 17, reason: 'Duplicate signal request' },
  ],
  [
    'a state in its content',
    encode({ msg_type: 8, content: { state: 'Terminated', stopReason: 'MeetingEnded' } }),
    { state: 4, stopReason: 6 },
  ],
  [
    'a reason that nobody knows is kept in raw',
    encode({ msg_type: 8, state: 4, reason: 'because' }),
    { state: 4, stopReason: undefined, raw: { reason: 'because' } },
  ],
  [
    'an empty reason is none',
    encode({ msg_type: 9, rtms_session_id: 's', state: 5, reason: '' }),
    { state: 5, stopReason: undefined, isPartial: false },
  ],
  [
    'an answer in its content',
    encode({ msg_type: 29, content: { userId: '7', statusCode: '0' } }),
    { userId: 7, statusCode: 0 },
  ],
  [
    'participants by another name of their id',
    event({ participants: [{ id: 7, name: 'Mia' }, { participant_id: '8' }] }),
    { participants: [{ userId: 7, userName: 'Mia' }, { userId: 8 }], isPartial: false },
  ],
  [
    'a participant id that is none of ours',
    event({ participants: [{ id: 'c0ffee-uuid', name: 'Mia' }] }),
    { participants: [{ userId: undefined, userName: 'Mia' }], isPartial: true },
  ],
  [
    'a payload as JavaScript writes a Buffer',
    audio({ data: Buffer.from([1, 2]) }),
    { payload: Buffer.from([1, 2]) },
  ],
  [
    'a payload as a list of bytes',
    audio({ user_id: 7, data: [1, 2] }),
    { userId: 7, payload: Buffer.from([1, 2]) },
  ],
  ['a length that is not set', audio({ data: 'AAAA', length: 0 }), { payload: Buffer.alloc(3) }],
  [
    'chat without content',
    encode({ msg_type: 18, data: 'hi', user_id: 7 }),
    { text: 'hi', sender: { userId: 7 } },
  ],
  [
    'chat whose text stands where nobody looked',
    chat({ message: 'hi', message_id: 'm', operation_type: 1 }),
    { text: '', messageId: 'm', raw: { content: { message: 'hi' } } },
  ],
  [
    'an emoji has no text',
    chat({ message_id: 'm', operation_type: 4 }),
    { text: '', operation: 4 },
  ],
  [
    'a signature that comes back',
    '{"msg_type":1,"signature":"s","x":1}',
    { msgType: 'other', raw: { msg_type: 1, x: 1 } },
  ],
])('%s', (_title, text, expected) => {
  expect(decodeMessage(Buffer.from(text))).toMatchObject(expected);
});

test('nobody may store our signature or the keys of a transport', () => {
  const server = { server_urls: {}, srtp_keys: 'k', srt_passphrase: 'k' };
  const text = encode({ msg_type: 'X', signature: 's', srt_passphrase: 'p', media_server: server });
  expect(decodeMessage(text)).toEqual({
    msgType: 'other',
    number: undefined,
    raw: { msg_type: 'X', media_server: { server_urls: {} } },
  });
});

test('names are cut on a character, ids are absent when they are too long', () => {
  const long = { user_name: '日'.repeat(300), channel_id: 'x'.repeat(257), data: 'AAAA' };
  expect(decodeMessage(audio(long))).toMatchObject({
    userName: '日'.repeat(170),
    channelId: undefined,
  });
  expect(decodeMessage(audio({ channel_id: 'a\nb', data: 'AAAA' }))).toMatchObject({
    channelId: undefined,
    payload: Buffer.alloc(3),
  });
});

test.each([
  ['9'.repeat(32), '9'.repeat(32)],
  ['9'.repeat(33), undefined],
  [`"${'x'.repeat(32)}"`, `"${'x'.repeat(32)}"`],
  [`"${'x'.repeat(33)}"`, undefined],
  ['{"a":1}', undefined],
  ['true', undefined],
])('of the timestamp %s a keep-alive repeats %s', (json, timestampJson) => {
  expect(decodeMessage(`{"msg_type":12,"timestamp":${json}}`)).toEqual({
    msgType: 12,
    timestampJson,
  });
});

const large = Buffer.alloc(3_000_000, 7);
test.each([
  ['an id that is none', { user_id: 1234234567890 }],
  ['an opaque id', { user_id: 'x"y', user_name: 'Mia' }],
  ['fields of later versions', { later: { deep: [1, { x: 'y' }] } }],
  ['a repeated field', { user_name: 'Mia', toJSON: undefined }],
])('a large frame with %s keeps its payload', (_title, fields) => {
  const text = encode({
    msg_type: 15,
    later: 1,
    content: { ...fields, data: large.toString('base64') },
  });
  for (const written of [
    text,
    text.replaceAll('/', '\\/'),
    text.replace('"content":', '"content" : '),
  ]) {
    const frame = decodeMessage(Buffer.from(written));
    expect(frame.msgType === 15 && frame.payload.equals(large)).toBe(true);
  }
});

test('names and ids of any length cost no payload, not even beside a large one', () => {
  const content = { user_name: '日'.repeat(300_000), channel_id: 'x'.repeat(1_000_000) };
  for (const payload of [PAYLOAD, large]) {
    const frame = decodeMessage(audio({ ...content, data: payload.toString('base64') }));
    expect(frame).toMatchObject({ userName: '日'.repeat(170), channelId: undefined });
    expect(frame.msgType === 14 && frame.payload.equals(payload)).toBe(true);
  }
  const escaped = audio({ user_name: '\n'.repeat(200_000), data: 'AAAA' });
  expect(decodeMessage(escaped)).toMatchObject({ userName: undefined, payload: Buffer.alloc(3) });
});

test('what is no payload may have 256 KiB', () => {
  const text = 'x'.repeat(250_000);
  expect(decodeMessage(spoken({ data: text }))).toMatchObject({ text });
  for (const message of [
    spoken({ data: 'x'.repeat(300_000) }),
    encode({ msg_type: 99, x: Array(300_000).fill(1) }),
    `{"msg_type":14,"content":{"data":"${'\\"'.repeat(4_000_000)}"}}`,
    `{"msg_type":14,"content":{"x":[${'{},'.repeat(100_000)}1],"data":"${large.toString('base64')}"}}`,
  ]) {
    expect(() => decodeMessage(message)).toThrow(
      expect.objectContaining({ code: 'rtms/malformed-message' }),
    );
  }
});

test.each(['[', '{"a":', '[{"x":['])('8 MB of nested %s cost no time', (opening) => {
  const bytes = Buffer.from(opening.repeat(8_000_000 / opening.length));
  const startedMs = performance.now();
  expect(() => decodeMessage(bytes)).toThrow(
    expect.objectContaining({ detail: expect.objectContaining({ field: 'nesting' }) }),
  );
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});
