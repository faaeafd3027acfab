import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Roster } from './meeting-view.ts';
import { decodeMessage } from './protocol/codec.ts';
import type { EventUpdate } from './protocol/decode-signaling.ts';
import { readSignalingEvent } from './signaling-event.ts';

const FOLDER = new URL('../test/fixtures/rtms/signaling/', import.meta.url);
const files = readdirSync(FOLDER).filter((file) => file.startsWith('06-'));

function read(product: 'meeting' | 'contact_center' | 'phone', text: string) {
  const roster = new Roster();
  roster.learn(33556610, 'Alice');
  return readSignalingEvent(product, decodeMessage(text) as EventUpdate, roster, 99);
}

const NAMES: Record<string, object> = {
  'first-packet-timestamp': { name: 'first_packet', timestampMs: 1738392033699 },
  'active-speaker-change': { name: 'active_speaker', userId: 16778240, userName: 'John Smith' },
  'participant-join': {
    name: 'participant_joined',
    participants: [
      { userId: 16778240, userName: 'John Smith' },
      { userId: 33556610, userName: 'Alice' },
    ],
  },
  'participant-leave': {
    name: 'participant_left',
    participants: [{ userId: 33556610, userName: 'Alice' }],
  },
  'participant-leave.string-id': {
    name: 'participant_left',
    participants: [{ userId: 33556610, userName: 'Alice' }],
  },
  'sharing-start': { name: 'sharing_started', userId: 16778240, userName: 'John Smith' },
  'sharing-stop': { name: 'sharing_stopped' },
  'media-connection-interrupted': { name: 'media_connection_interrupted' },
  'participant-video-on': {
    name: 'participant_video_on',
    participants: [{ userId: 16778240, userName: '' }],
  },
  'participant-video-off': { name: 'participant_video_off' },
  'chat-group-create': { name: 'chat_group', event: 'chat_group_create' },
  'chat-group-delete': { name: 'chat_group', event: 'chat_group_delete' },
  'chat-group-members-add': { name: 'chat_group', event: 'chat_group_members_add' },
  'chat-group-members-delete': { name: 'chat_group', event: 'chat_group_members_delete' },
  'chat-group-member-status-update': {
    name: 'chat_group',
    event: 'chat_group_member_status_update',
  },
  'zcc-consumer-answered': {
    name: 'voice',
    event: 'consumer_answered',
    participant: { channelId: '123abc', participantMode: 'caller', phoneNumber: '+18005550101' },
  },
  'zcc-consumer-answered.typo-key': { name: 'voice', participant: { channelId: '123abc' } },
  'zcc-consumer-end': { name: 'voice', event: 'consumer_end' },
  'zcc-user-answered': { name: 'voice', event: 'user_answered' },
  'zcc-user-end': { name: 'voice', event: 'user_end' },
  'zcc-user-hold': { name: 'voice', event: 'user_hold' },
  'zcc-user-unhold': { name: 'voice', event: 'user_unhold' },
  'zcc-transfer-initiated': { name: 'voice', event: 'transfer_initiated' },
  'zcc-transfer-completed': { name: 'voice', event: 'transfer_completed' },
};

test.each(files)('%s', (file) => {
  const key = file.slice('06-event-'.length, -'.json'.length);
  expect(NAMES[key], 'no expectation for this event').toBeDefined();
  const product = key.startsWith('zcc') ? 'contact_center' : 'meeting';
  expect(read(product, readFileSync(new URL(file, FOLDER), 'utf8'))).toMatchObject(
    NAMES[key] ?? {},
  );
});

test.each([
  ['meeting', '{"msg_type":6,"event":{"event_type":99,"x":1}}', { event_type: 99, x: 1 }],
  ['meeting', '{"msg_type":6,"event":{"event_type":2}}', { event_type: 2 }],
  ['meeting', '{"msg_type":6,"event":{"event_code":2}}', { event_code: 2 }],
  ['contact_center', '{"msg_type":6,"event":{"event_type":30}}', { event_type: 30 }],
  ['phone', '{"msg_type":6,"event":{"event_type":8}}', { event_type: 8 }],
] as const)('passes on for a %s: %s', (product, text, raw) => {
  expect(read(product, text)).toEqual({ name: 'other', raw, timestampMs: 99 });
});

test.each([
  [1, 'first_packet'],
  [7, 'media_connection_interrupted'],
])('knows event %i in Contact Center too', (type, name) => {
  const text = `{"msg_type":6,"event":{"event_type":${type},"event_ts":1738392033699}}`;
  expect(read('contact_center', text)).toEqual({ name, timestampMs: 1738392033699 });
});

test('a voice event without a participant is told without one', () => {
  expect(read('contact_center', '{"msg_type":6,"event":{"event_type":8}}')).toEqual({
    name: 'voice',
    event: 'consumer_answered',
    timestampMs: 99,
  });
});

describe('Phone', () => {
  const told = (event: object, names?: Readonly<Record<string, string>>) => {
    const text = Buffer.from(JSON.stringify({ msg_type: 6, event }));
    return readSignalingEvent('phone', decodeMessage(text) as EventUpdate, new Roster(), 99, names);
  };

  test("events of V1 have Contact Center's numbers, as in Zoom's sample", () => {
    const event = { event_type: 18, event_ts: 1, paticipant_info: { channel_id: 'c' } };
    expect(told(event)).toMatchObject({
      name: 'voice',
      event: 'transfer_initiated',
      participant: { channelId: 'c' },
    });
  });

  test('event codes have the names that the deployment gives; other codes are passed on', () => {
    const event = { event_code: 8001, event_ts: 1, participant_info: { channel_id: 'c' } };
    expect(told(event)).toMatchObject({ name: 'other', raw: event });
    expect(told(event, { 8001: 'hold' })).toMatchObject({
      name: 'voice',
      event: 'hold',
      participant: { channelId: 'c' },
    });
    expect(told({ event_code: 8002 }, { 8001: 'hold' })).toMatchObject({ name: 'other' });
  });
});
