import { expect, test } from 'vitest';
import { toChatMessage, toFrame, toTranscriptLine } from './media-messages.ts';
import { Roster } from './meeting-view.ts';
import type { AgreedMedia } from './protocol/agreed-media.ts';
import { decodeMessage } from './protocol/codec.ts';
import type { FrameMessage } from './protocol/decode-media.ts';
import type { ChatDataMessage, TranscriptMessage } from './protocol/decode-text.ts';

const roster = new Roster();
roster.learn(7, 'Ada');
const speaker = { userId: 7, userName: 'Ada' };
const from = (agreed: AgreedMedia) => ({ agreed });
const audio = (dataOpt: number) =>
  from({
    audio: { contentType: 2, codec: 4, sampleRate: 3, channel: 2, dataOpt, sendRateMs: 20 },
  });
const message = <Kind>(msg_type: number, content: unknown) =>
  decodeMessage(JSON.stringify({ msg_type, content })) as Kind;
const frame = (content: unknown) => message<FrameMessage>(14, content);

test.each<[string, unknown, number, object]>([
  ['a participant', { user_id: 7, user_name: 'A.', data: '' }, 2, { userId: 7, userName: 'A.' }],
  ['a participant without name', { user_id: 7, data: '' }, 2, { userId: 7, userName: 'Ada' }],
  ['a channel', { channel_id: 'c', data: '' }, 2, { channelId: 'c', userName: '' }],
  ['the mix', { user_id: 0, data: '' }, 1, { userId: 0, userName: '', activeSpeaker: speaker }],
  ['the mix, as the SDK numbers it', { user_id: -1, data: '' }, 1, { userId: 0 }],
  ['nobody', '', 2, { userId: 0, userName: '' }],
])('a frame of %s', (_title, content, dataOpt, expected) => {
  const result = toFrame(frame(content), 'audio', audio(dataOpt), view(), 99);
  expect(result).toMatchObject({
    ...expected,
    codec: 4,
    capturedAtMs: 99,
    receivedAtMs: 99,
  });
  expect('activeSpeaker' in result).toBe(dataOpt === 1);
});

function view() {
  return { roster, activeSpeaker: speaker };
}

test('a frame has codec 0 on a socket that never agreed on a codec', () => {
  expect(toFrame(frame(''), 'video', audio(1), view(), 1).codec).toBe(0);
});

test.each([
  ['ffd8ffe000', 5],
  ['89504e470d', 6],
  ['0000000167', 7],
  ['0000016742', 7],
  ['1234567890', 6],
  ['ffd8', 6],
])('a share that begins with %s has codec %i', (hex, codec) => {
  const content = { user_id: 7, data: Buffer.from(hex, 'hex').toString('base64') };
  const media = from({ deskshare: { contentType: 3, codec: 6, resolution: 3, fps: 1 } });
  const share = message<FrameMessage>(16, content);
  expect(toFrame(share, 'deskshare', media, view(), 1).codec).toBe(codec);
});

test('a share has codec 0 if neither its payload nor the handshake tells one', () => {
  expect(toFrame(message(16, ''), 'deskshare', from({}), view(), 1).codec).toBe(0);
});

test('a transcript line takes a missing name from the roster and a missing time from the clock', () => {
  const line = (content: object) =>
    toTranscriptLine(message<TranscriptMessage>(17, { data: 'hi', ...content }), roster, 99);
  expect(line({ user_id: 7 })).toEqual({ text: 'hi', userId: 7, userName: 'Ada', timestampMs: 99 });
  expect(line({ channel_id: 'c' })).toEqual({
    text: 'hi',
    channelId: 'c',
    userName: '',
    timestampMs: 99,
  });
});

test.each([-1, 0, 7, '', 'soon', null, 1e300, 2 ** 63])(
  'takes the clock for what says %j of its time',
  (time) => {
    const spoken = { data: 'hi', timestamp: time, start_time: time, end_time: time };
    const { raw, ...line } = toTranscriptLine(message(17, spoken), roster, 99);
    const isUnset = time === 0 || time === '' || time === null;
    // A number that JavaScript cannot hold keeps its digits as text.
    const kept = time === 2 ** 63 ? '9223372036854776000' : time;
    const content = { data: 'hi', timestamp: kept, start_time: kept, end_time: kept };
    expect(raw).toEqual(isUnset ? undefined : { msg_type: 17, content });
    expect(line).toEqual({
      text: 'hi',
      userName: '',
      timestampMs: 99,
    });
    const audible = frame({ user_id: 7, data: '', timestamp: time });
    expect(toFrame(audible, 'audio', audio(2), view(), 99).capturedAtMs).toBe(99);
    expect(toChatMessage(message(18, spoken), roster, 99).timestampMs).toBe(99);
  },
);

test('a chat message takes missing names from the roster and a missing time from the clock', () => {
  const content = {
    data: 'hi',
    sender: { user_id: 7 },
    receiver: { user_id: 8 },
    parent_message_id: 'p',
    files: [],
    delete_file_id_list: ['f'],
  };
  expect(toChatMessage(message<ChatDataMessage>(18, content), roster, 99)).toEqual({
    text: 'hi',
    timestampMs: 99,
    sender: speaker,
    receiver: { userId: 8, userName: '' },
    parentMessageId: 'p',
    files: [],
    deletedFileIds: ['f'],
  });
  expect(toChatMessage(message<ChatDataMessage>(18, {}), roster, 99)).toEqual({
    text: '',
    timestampMs: 99,
    // Its text may stand where nobody looked.
    raw: { msg_type: 18, content: {} },
  });
});
