import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ServiceError } from '../../shared/errors.ts';
import { decodeMessage, encodeKeepAliveResp } from './codec.ts';

const FIXTURES = new URL('../../test/fixtures/rtms/', import.meta.url);

// biome-ignore lint/suspicious/noExplicitAny: fixtures are read field by field
type Wire = any;

const read = (name: string) => readFileSync(new URL(name, FIXTURES), 'utf8');

/** What only a client sends; nobody may store the signature in it. */
const clientOnly = ({ signature: _, ...raw }: Wire) => ({
  msgType: 'other',
  number: raw.msg_type,
  raw,
});
const stopReason = (wire: Wire) => wire.reason ?? wire.stop_reason;
const name = (text: string | undefined) => text || undefined;

/** What each message becomes, said independently of the decoder; keyed by the file's two digits. */
const EXPECTED: Record<string, (wire: Wire) => object> = {
  '01': clientOnly,
  '02': (wire) => ({
    statusCode: wire.status_code,
    reason: wire.reason,
    serverUrls: Object.fromEntries(
      Object.entries(wire.media_server?.server_urls ?? {}).map(([key, url]) => [key, [url]]),
    ),
  }),
  '03': clientOnly,
  '04': (wire) => ({
    statusCode: wire.status_code,
    reason: wire.reason,
    payloadEncrypted: false,
    mediaParams: wire.media_params,
  }),
  '05': clientOnly,
  '06': (wire) => ({
    eventType: wire.event.event_type,
    timestampMs: wire.event.timestamp ?? wire.event.event_ts,
    userId: wire.event.user_id,
    userName: wire.event.user_name,
    participants: (wire.event.participants ?? []).map((participant: Wire) => ({
      userId: Number(participant.user_id),
      userName: participant.user_name,
    })),
    participantInfo: wire.event.participant_info ?? wire.event.paticipant_info,
    isPartial: false,
    raw: wire.event,
  }),
  '07': clientOnly,
  '08': (wire) => ({
    state: wire.state,
    stopReason: stopReason(wire),
    timestampMs: wire.timestamp,
  }),
  '09': (wire) => ({
    rtmsSessionId: wire.rtms_session_id,
    state: wire.state,
    stopReason: stopReason(wire),
    timestampMs: wire.timestamp,
    isPartial: false,
    raw: wire,
  }),
  10: clientOnly,
  11: (wire) => ({
    rtmsSessionId: wire.rtms_session_id,
    state: wire.state,
    timestampMs: wire.timestamp,
    isPartial: false,
    raw: wire,
  }),
  12: (wire) => ({ timestampJson: String(wire.timestamp) }),
  13: clientOnly,
  14: (wire) => frame(wire),
  15: (wire) => frame(wire),
  16: (wire) => frame(wire),
  17: ({ content }) => ({
    text: content.data,
    userId: content.user_id,
    channelId: content.channel_id,
    userName: content.user_name,
    startMs: content.start_time,
    endMs: content.end_time,
    timestampMs: content.timestamp >= 1e15 ? content.timestamp / 1000 : content.timestamp,
    language: content.language,
    attribute: content.attribute,
  }),
  18: ({ content: outer }) => {
    const content = outer.data.startsWith('{') ? { ...outer, ...JSON.parse(outer.data) } : outer;
    return {
      text: content.data,
      timestampMs: content.timestamp,
      messageId: content.message_id,
      parentMessageId: name(content.parent_message_id),
      operation: content.operation_type,
      chatSession: content.chat_session,
      sender: { userId: content.user_id, userName: content.user_name },
      receiver: content.receiver && {
        userId: content.receiver.user_id,
        userName: content.receiver.user_name,
      },
      files: content.files?.map((file: Wire) => ({
        fileId: file.file_id,
        fileName: file.file_name,
        fileSize: file.file_size,
      })),
      deletedFileIds: content.delete_file_id_list,
    };
  },
  19: clientOnly,
  20: (wire) => ({
    state: wire.state,
    timestampMs: wire.timestamp < 1e11 ? wire.timestamp * 1000 : wire.timestamp,
  }),
  21: clientOnly,
  22: (wire) => ({ statusCode: wire.status_code, reason: wire.reason }),
  28: clientOnly,
  29: (wire) => ({
    userId: wire.user_id,
    statusCode: wire.status_code,
    reason: wire.reason,
    raw: wire,
  }),
};

function frame({ content, ...outer }: Wire): object {
  const fields = typeof content === 'string' ? { ...outer, data: content } : content;
  return {
    userId: fields.user_id,
    channelId: fields.channel_id,
    userName: fields.user_name,
    timestampMs: fields.timestamp,
    payload: Buffer.from(fields.data, 'base64'),
  };
}

const files = ['signaling', 'media'].flatMap((folder) =>
  readdirSync(new URL(folder, FIXTURES))
    .filter((file) => file !== 'signature-vectors.json')
    .map((file) => `${folder}/${file}`),
);

describe('fixtures from Zoom documents and captures', () => {
  test.each(files)('%s', (file) => {
    const text = read(file);
    const wire = JSON.parse(text);
    const expected = EXPECTED[file.split('/')[1]?.slice(0, 2) ?? ''];
    expect(expected, 'no expectation for this message').toBeDefined();
    const message = { msgType: wire.msg_type, ...expected?.(wire) };
    expect(decodeMessage(text)).toEqual(message);
    expect(decodeMessage(Buffer.from(text))).toEqual(message);
  });
});

describe('keep alive', () => {
  test('keeps every digit of an int64 timestamp', () => {
    const text = '{ "msg_type" : 12, "timestamp" : 9223372036854775807 }';
    const message = decodeMessage(text);
    expect(message).toEqual({ msgType: 12, timestampJson: '9223372036854775807' });
    expect(encodeKeepAliveResp('9223372036854775807')).toBe(
      '{"msg_type":13,"timestamp":9223372036854775807}',
    );
  });

  test('is not misled by another timestamp inside the message', () => {
    const text = '{"msg_type":12,"timestamp":17383920336990001,"x":{"timestamp":5}}';
    expect(decodeMessage(text)).toMatchObject({ timestampJson: '17383920336990001' });
  });

  test.each([
    ['1e3', '1000'],
    ['-7', '-7'],
    ['"1738392033699"', '"1738392033699"'],
  ])('echoes the timestamp %s', (given, echoed) => {
    expect(decodeMessage(`{"msg_type":12,"timestamp":${given}}`)).toMatchObject({
      timestampJson: echoed,
    });
  });
});

describe('variants', () => {
  const decode = (wire: object): Wire => decodeMessage(JSON.stringify(wire));

  test('reads payload_encryption in place of payload_encrypted', () => {
    expect(decode({ msg_type: 4, status_code: 0, payload_encryption: true })).toMatchObject({
      payloadEncrypted: true,
      reason: '',
    });
  });

  test('reads an event without event_type as an unknown one', () => {
    const event = { event_code: 8001, event_ts: 1738392033 };
    expect(decode({ msg_type: 6, event })).toMatchObject({
      eventType: undefined,
      timestampMs: 1738392033000,
    });
  });

  test('keeps only texts and numbers of participant_info', () => {
    const event = { event_type: 8, participant_info: { channel_id: 5, x: { y: 1 }, z: '' } };
    expect(decode({ msg_type: 6, event }).participantInfo).toEqual({ channel_id: '5' });
  });

  test('leaves out server addresses that are not texts', () => {
    const server_urls = { audio: 5, video: null, all: {}, chat: '', transcript: 'wss://t' };
    expect(decode({ msg_type: 2, status_code: 0, media_server: { server_urls } })).toMatchObject({
      serverUrls: { transcript: ['wss://t'] },
    });
  });

  test.each(['data:image/jpeg;base64,', ''])('strips the prefix %j of a payload', (prefix) => {
    const content = { user_id: 0, data: `${prefix}/9j/4A==`, timestamp: 1 };
    expect(decode({ msg_type: 16, content }).payload).toEqual(Buffer.from('ffd8ffe0', 'hex'));
  });

  test.each([
    ['16778240', 16778240],
    [4294967295, 4294967295],
    [-1, undefined],
    [null, undefined],
    ['', undefined],
  ])('reads the user id %j', (user_id, userId) => {
    const content = { user_id, data: '', timestamp: 1 };
    expect(decode({ msg_type: 14, content }).userId).toBe(userId);
  });

  test.each([
    ['1738392033', 1738392033000],
    ['1738392033.5', 1738392033500],
    ['1738392033699', 1738392033699],
    ['1738392033699.9', 1738392033699],
    ['1.738392033699e12', 1738392033699],
    ['1738392033699123', 1738392033699],
    ['"1738392033699"', 1738392033699],
    ['946684800', 946684800000],
    ['946684799', undefined],
    ['7258118399999999', 7258118399999],
    ['7258118400000000', undefined],
    ['0', undefined],
    ['1', undefined],
    ['-1738392033699', undefined],
    ['99999999999', undefined],
    ['100000000000', undefined],
    ['8640000000000000', undefined],
    ['9007199254740993', undefined],
    ['9223372036854775807', undefined],
    ['1e300', undefined],
    ['1e999', undefined],
    ['""', undefined],
    ['"soon"', undefined],
    ['null', undefined],
    ['true', undefined],
    ['{}', undefined],
  ])('reads the time %s as %s, wherever it stands', (json, timestampMs) => {
    const time = `"timestamp":${json}`;
    for (const msgType of [14, 15, 16]) {
      const text = `{"msg_type":${msgType},"content":{"data":"AAAA",${time}}}`;
      const frame = { payload: Buffer.alloc(3), timestampMs };
      expect(decodeMessage(text)).toMatchObject(frame);
      expect(decodeMessage(Buffer.from(text))).toMatchObject(frame);
    }
    const times = `"start_time":${json},"end_time":${json},${time}`;
    expect(decodeMessage(`{"msg_type":17,"content":{"data":"",${times}}}`)).toMatchObject({
      startMs: timestampMs,
      endMs: timestampMs,
      timestampMs,
    });
    for (const text of [
      `{"msg_type":18,"content":{"data":"",${time}}}`,
      `{"msg_type":6,"event":{"event_type":6,${time}}}`,
      `{"msg_type":6,"event":{"event_type":8,"event_ts":${json}}}`,
      `{"msg_type":8,"state":1,${time}}`,
      `{"msg_type":9,"rtms_session_id":"s","state":1,${time}}`,
      `{"msg_type":11,"rtms_session_id":"s","state":1,${time}}`,
      `{"msg_type":20,"rtms_stream_id":"s","state":1,${time}}`,
    ]) {
      expect(decodeMessage(text)).toMatchObject({ timestampMs });
    }
  });

  test.each(['{', '{}', '{"a":1}', '{"operation_type"', '[1]'])(
    'reads %j in a chat as text that a user typed',
    (data) => {
      expect(decode({ msg_type: 18, content: { data, timestamp: 1 } })).toMatchObject({
        text: data,
        operation: undefined,
      });
    },
  );

  test('reads nested chat without a text of its own', () => {
    const data = JSON.stringify({ message_id: 'm', operation_type: 2 });
    expect(decode({ msg_type: 18, content: { data } })).toMatchObject({ text: '', operation: 2 });
  });

  test('leaves out parts of a chat message that have another shape', () => {
    const content = {
      sender: { user_name: 'x' },
      receiver: 7,
      chat_session: { id: 'i' },
      files: [null, {}, { file_id: 'f' }],
      delete_file_id_list: ['a', null, 5],
    };
    expect(decode({ msg_type: 18, content })).toMatchObject({
      text: '',
      sender: { userId: undefined, userName: 'x' },
      receiver: { userId: 7, userName: undefined },
      chatSession: undefined,
      files: [{ fileId: 'f', fileName: '', fileSize: 0 }],
      deletedFileIds: ['a', '5'],
    });
    expect(decode({ msg_type: 18, content: { chat_session: { type: 1 } } })).toMatchObject({
      chatSession: { type: 1, id: '' },
    });
  });

  test.each([0, 23, 24, 27, 30, 4096])('passes message %i on as other', (number) => {
    const raw = { msg_type: number, content: { anything: [1] } };
    expect(decode(raw)).toEqual({ msgType: 'other', number, raw });
  });
});

describe('malformed', () => {
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
  const audio = { user_id: 7, data: 'AAAA', length: 3, timestamp: 1 };
  const rows: [string, string, object][] = [
    ['no JSON', '{"msg_type":14,"content":{"da', { field: 'json', msgType: 14 }],
    ['nothing', '', { field: 'json' }],
    ['unknown and too deep', `{"msg_type":99,"x":${deep}}`, { field: 'nesting' }],
    ['too deep', `{"msg_type":17,"content":${deep}}`, { field: 'nesting', msgType: 17 }],
    ['too large', `{"msg_type":6,"x":"${'x '.repeat(150_000)}"}`, { field: 'size', msgType: 6 }],
    ['no content', '{"msg_type":14}', { msgType: 14, field: 'content' }],
    ['an empty list', '{"msg_type":14,"content":[]}', { msgType: 14, field: 'content' }],
    ...(
      [
        ['no data', { data: undefined }, 'data'],
        ['a cut payload', { length: 4 }, 'data'],
        ['broken base64', { data: '!A*A A', length: undefined }, 'data'],
      ] as const
    ).map(([title, change, field]): [string, string, object] => [
      title,
      JSON.stringify({ msg_type: 15, content: { ...audio, ...change } }),
      { msgType: 15, field, userId: 7 },
    ]),
    [
      'a channel',
      '{"msg_type":14,"content":{"channel_id":"c"}}',
      { msgType: 14, field: 'data', channelId: 'c' },
    ],
  ];

  test.each(rows)('%s', (_title, text, detail) => {
    let error: unknown;
    try {
      decodeMessage(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ code: 'rtms/malformed-message', detail });
  });

  test('never quotes the message in the error', () => {
    expect(() => decodeMessage('{"msg_type":17,"content":secret words')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('secret') }),
    );
  });
});
