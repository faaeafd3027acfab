import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { ServiceError } from '../../../shared/errors.ts';
import type { EventData, EventName } from '../../../shared/record/event-data.ts';
import { eventBytes, kinesisRecord, START_MS } from '../../../test/support/test-records.ts';
import { EventDecoder, type ReceivedEvent } from './event-record.ts';

const timestampMs = START_MS;
const participants = [{ userId: 7 }];
const scope = { scope: 'signaling', cause: 'watchdog', attempt: 1, durationMs: 9 } as const;
const ledger = [{ mediaType: 'audio', userId: 7, received: 1, written: 1, lost: 0 }] as const;

/** The least that each event holds: every field here must be there and be of its type. */
const LEAST: { readonly [Name in EventName]?: EventData[Name] } = {
  transcript: { text: '', timestampMs },
  chat: { text: '', timestampMs },
  participant_joined: { participants, timestampMs },
  participant_left: { participants, timestampMs },
  participant_video_on: { participants, timestampMs },
  participant_video_off: { participants, timestampMs },
  active_speaker: { timestampMs },
  sharing_started: { timestampMs },
  sharing_stopped: { timestampMs },
  voice: { name: 'user_hold', timestampMs },
  first_packet: { timestampMs },
  session_state: { rtmsSessionId: 'a', state: 1, timestampMs },
  session_started: {
    product: 'meeting',
    entityId: 'a',
    media: {},
    requestedAtMs: 1,
    claimedAtMs: 1,
    streamingAtMs: 1,
  },
  session_paused: { timestampMs },
  session_resumed: { timestampMs },
  session_interrupted: scope,
  session_reconnected: scope,
  session_ledger: { page: 1, pages: 2, ledger },
  session_handed_over: { cause: 'shutdown', ledger },
  session_taken_over: { previousEpoch: 1, cause: 'owner_lost' },
  session_ended: { restartable: false, ledger },
  session_missed: {
    product: 'meeting',
    entityId: 'a',
    reason: 'no_room',
    requestedAtMs: 1,
    ledger,
  },
  start_failed: { timestampMs },
  request_status: { timestampMs },
  concurrency_limited: { timestampMs },
  session_revoked: { timestampMs },
  gap: {
    mediaType: 'audio',
    fromSequence: 1,
    toSequence: 1,
    count: 1,
    bytes: 1,
    fromMs: 1,
    toMs: 1,
    cause: 'malformed',
  },
};
const NAMES = Object.keys(LEAST) as EventName[];

/** Reads lines as one record; what is bad does not end anything. */
function read(...lines: Buffer[]) {
  const bad: ServiceError[] = [];
  const decoder = new EventDecoder({ onBadRecord: (error) => void bad.push(error) });
  const found: ReceivedEvent[] = [...decoder.decode(kinesisRecord(Buffer.concat(lines)))];
  return { found, bad };
}

const lineOf = (name: EventName, data: unknown, sequence = 1) =>
  eventBytes(name, data as EventData[EventName], sequence);
const next = lineOf('sharing_stopped', { timestampMs }, 2);

describe.each(NAMES)('%s', (name) => {
  const least = LEAST[name] as Record<string, unknown>;

  test('is read with the least it holds, and with fields of a later version', () => {
    const { found, bad } = read(lineOf(name, { ...least, mood: { of: 'later' } }));
    expect(bad).toEqual([]);
    expect(found).toMatchObject([{ name, data: least }]);
  });

  test.each(Object.keys(least))(
    'without a sound %s is one bad record, and the next is read',
    (field) => {
      const oddities = [undefined, null, [[]], { a: { b: 1 } }];
      for (const odd of oddities) {
        // A record of media types may well be an object.
        if (field === 'media' && odd !== undefined && odd !== null && !Array.isArray(odd)) continue;
        const { found, bad } = read(lineOf(name, { ...least, [field]: odd }), next);
        expect(bad.map(({ code, detail }) => [code, detail['subSequenceNumber']])).toEqual([
          ['record/malformed', 0],
        ]);
        expect(found.map(({ sequence }) => sequence)).toEqual([2]);
      }
    },
  );
});

test.each([
  ['a time of no calendar', 'transcript', { text: 'x', timestampMs: 1e300 }],
  ['a negative count', 'gap', { ...LEAST.gap, count: -1 }],
  ['a count with a fraction', 'gap', { ...LEAST.gap, count: 1.5 }],
  [
    'a ledger row without counts',
    'session_ended',
    { restartable: true, ledger: [{ mediaType: 'audio' }] },
  ],
  [
    'a blind time without an end',
    'session_taken_over',
    { ...LEAST.session_taken_over, blind: [{ mediaType: 'video', fromMs: 1 }] },
  ],
  ['a nameless participant list', 'participant_left', { participants: [null], timestampMs }],
] as const)('%s is a bad record', (_title, name, data) => {
  expect(read(lineOf(name, data), next)).toMatchObject({
    bad: [{ code: 'record/malformed' }],
    found: [{ sequence: 2 }],
  });
});

test.each(['2026', '1', 'Tue', '', '2026-11-27', '2026-99-99T00:00:00Z'])(
  'an event whose time is "%s" is a bad record',
  (time) => {
    const line = JSON.stringify({ ...JSON.parse(next.toString()), time });
    expect(read(Buffer.from(line)).bad).toHaveLength(1);
  },
);

property.prop([fc.constantFrom(...NAMES), fc.json()])(
  'whatever stands in data, an event comes whole or as a bad record',
  (name, json) => {
    const { found, bad } = read(lineOf(name, JSON.parse(json)), next);
    expect(found.length + bad.length).toBe(2);
    expect(found.at(-1)?.sequence).toBe(2);
  },
);
