import { describe, expect, test } from 'vitest';
import type { ChatMessage, SignalingEvent, TranscriptLine } from '../../../rtms/events.ts';
import {
  chatEvent,
  type EventBody,
  sessionStarted,
  signalingEvent,
  stopReasonFields,
  transcriptEvent,
} from './events.ts';

const AT = 1_738_392_033_699;
const ADA = { userId: 7, userName: 'Ada' };

describe('a transcript line', () => {
  const line: TranscriptLine = { text: 'Hello', ...ADA, language: 9, timestampMs: AT };

  test('names its language', () => {
    expect(transcriptEvent(line)).toEqual({
      name: 'transcript',
      timeMs: AT,
      data: { ...line, languageName: 'ENGLISH' },
    });
  });

  test('happened when it began', () => {
    expect(transcriptEvent({ ...line, startMs: AT - 900 }).timeMs).toBe(AT - 900);
  });

  test('has no name where Zoom gave none', () => {
    const { language: _, ...rest } = line;
    const { data } = transcriptEvent({ ...rest, userName: '' });
    expect(data).toEqual({ text: 'Hello', userId: 7, timestampMs: AT });
  });
});

describe('a chat message', () => {
  const message: ChatMessage = {
    messageId: 'm',
    operation: 1,
    text: 'Hi',
    sender: { userId: 7, userName: '' },
    timestampMs: AT,
  };

  test('names what was done', () => {
    expect(chatEvent(message)).toEqual({
      name: 'chat',
      timeMs: AT,
      data: {
        messageId: 'm',
        operation: 'NEW',
        text: 'Hi',
        sender: { userId: 7 },
        timestampMs: AT,
      },
    });
  });

  test('keeps the number of an operation it does not know', () => {
    expect(chatEvent({ ...message, operation: 99 }).data).toMatchObject({ operation: '99' });
  });

  test('passes on what else there is', () => {
    const more = { receiver: ADA, chatSession: { type: 2, id: 's' }, deletedFileIds: ['f'] };
    expect(chatEvent({ text: '', timestampMs: AT, ...more }).data).toEqual({
      text: '',
      timestampMs: AT,
      ...more,
    });
  });
});

describe('a signaling event', () => {
  const body = (name: string, data: object) => ({ name, timeMs: AT, data });
  test.each<[SignalingEvent, object | undefined]>([
    [{ name: 'first_packet', timestampMs: AT }, body('first_packet', { timestampMs: AT })],
    [{ name: 'sharing_stopped', timestampMs: AT }, body('sharing_stopped', { timestampMs: AT })],
    [
      {
        name: 'participant_left',
        participants: [ADA, { userId: 8, userName: '' }],
        timestampMs: AT,
      },
      body('participant_left', { participants: [ADA, { userId: 8 }], timestampMs: AT }),
    ],
    [
      { name: 'active_speaker', ...ADA, timestampMs: AT },
      body('active_speaker', { ...ADA, timestampMs: AT }),
    ],
    [
      { name: 'sharing_started', userId: 7, userName: '', timestampMs: AT },
      body('sharing_started', { userId: 7, timestampMs: AT }),
    ],
    [
      { name: 'voice', event: 'user_hold', participant: { channelId: 'c' }, timestampMs: AT },
      body('voice', { name: 'user_hold', participant: { channelId: 'c' }, timestampMs: AT }),
    ],
    [
      { name: 'voice', event: 'consumer_end', timestampMs: AT },
      body('voice', { name: 'consumer_end', timestampMs: AT }),
    ],
    [
      { name: 'chat_group', event: 'chat_group_create', raw: { a: 1 }, timestampMs: AT },
      body('chat_group', { name: 'chat_group_create', raw: { a: 1 } }),
    ],
    [{ name: 'other', raw: [1], timestampMs: AT }, body('other', { raw: [1] })],
    [{ name: 'media_connection_interrupted', timestampMs: AT }, undefined],
  ])('$name', (event, expected) => {
    expect(signalingEvent(event)).toEqual(expected as EventBody | undefined);
  });
});

test.each([
  [6, { stopReason: 6, stopReasonName: 'MEETING_ENDED' }],
  [99, { stopReason: 99 }],
  [undefined, {}],
])('stop reason %s', (stopReason, fields) => {
  expect(stopReasonFields(stopReason)).toEqual(fields);
});

test.each([
  ['stands there where Zoom has announced the stream again since', AT - 60_000, true],
  ['is left out where it is the same', AT - 10_000, false],
  ['is left out where an older release has claimed the run', undefined, false],
])('the first announcement of a run %s', (_when, runRequestedAtMs, isThere) => {
  const start = {
    startEventTsMs: AT - 11_000,
    serverUrls: [],
    product: 'meeting',
    entityId: 'e',
    app: 'default',
    requestedAtMs: AT - 10_000,
  } as const;
  const agreed = { media: {}, leftOut: [], atMs: AT, owner: 'me' };
  const data = sessionStarted(start, {
    ...agreed,
    row: runRequestedAtMs === undefined ? {} : { runRequestedAtMs },
  });
  expect(data.requestedAtMs).toBe(AT - 10_000);
  expect('runRequestedAtMs' in data).toBe(isThere);
});
