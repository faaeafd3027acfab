import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import { encodeEvent } from '../../shared/record/event.ts';
import { encodeAggregate } from '../../shared/record/kpl.ts';

/** Fields that replace those of a good row. A new attack is one row of this table. */
export interface RowAttack {
  readonly name: string;
  readonly rule: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export const ROW_ATTACKS: readonly RowAttack[] = (
  [
    ['unknown product', { product: 'hologram' }],
    ['addresses as text', { serverUrls: 'wss://zoom.us' }],
    ['addresses as numbers', { serverUrls: [1, 2] }],
    ['an entity id that is a number', { entityId: 5 }],
    ['an app that is a map', { app: { a: 1 } }],
    ['epoch as text', { epoch: '3' }],
    ['epoch with a fraction', { epoch: 1.5 }],
    ['epoch above 2^32', { epoch: 2 ** 33 }],
    ['a start before all time', { startEventTsMs: -1e18 }],
    ['requested never', { requestedAtMs: null }],
    ['an operator request of tomorrow', { operatorWish: 'teleport' }],
    ['a stream id of 500 bytes', { rtmsStreamId: 'x'.repeat(500) }],
    ['a stream id with #', { rtmsStreamId: 'a#b' }],
    ['an owner that is the list of tasks', { owner: 'TASKS' }],
    ['10,000 addresses', { serverUrls: Array.from({ length: 10_000 }, () => 'ws://127.0.0.1:1') }],
  ] as const
).map(([name, fields]) => ({
  name: `row: ${name}`,
  rule: 'an unreadable row is left alone',
  fields,
}));

/** Bodies in the job queue that none of ours would put there. */
export const JOB_ATTACK = {
  name: 'jobs: no JSON, another version, ids that no row can have',
  rule: 'a job that is none is left to the dead letters',
  bodies: [
    '{',
    'null',
    '[]',
    '{"version":2,"rtmsStreamId":"s"}',
    JSON.stringify({ version: 1, rtmsStreamId: 'x'.repeat(200_000) }),
    JSON.stringify({ version: 1, rtmsStreamId: 'TASKS' }),
    JSON.stringify({ version: 1, rtmsStreamId: '\ud800' }),
    JSON.stringify({ version: 1, rtmsStreamId: { toString: 1 } }),
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  ],
} as const;

/** Records that stand in a stream. A new attack is one row of this table. */
export interface RecordAttack {
  readonly name: string;
  readonly rule: string;
  readonly stream: 'media' | 'events';
  readonly data: readonly Uint8Array[];
}

const ORIGIN = { rtmsStreamId: 'bad', epoch: 1, product: 'meeting', entityId: 'e' } as const;
const FRAME = encodeMediaRecord({
  rtmsStreamId: 'bad',
  epoch: 1,
  sequence: 1,
  mediaType: 1,
  userId: 7,
  userName: '',
  capturedAtMs: 1_700_000_000_000,
  receivedAtMs: 1_700_000_000_000,
  codec: 1,
  payload: Buffer.alloc(100, 7),
});
const AGGREGATE = encodeAggregate('bad', [FRAME, FRAME]);
const EVENT = encodeEvent(ORIGIN, 'first_packet', 1, 0, { timestampMs: 0 });
const line = (data: unknown, name = 'gap') =>
  Buffer.from(
    `${JSON.stringify({ ...JSON.parse(EVENT.toString()), type: `rtms.${name}.v1`, data })}\n`,
  );

export const RECORD_ATTACKS: readonly RecordAttack[] = (
  [
    [
      'media: text, zeros, nothing',
      'media',
      [Buffer.from('hello'), Buffer.alloc(1_000), Buffer.from('x')],
    ],
    ['media: a frame cut short', 'media', [FRAME.subarray(0, -5), FRAME.subarray(0, 3)]],
    ['media: an aggregate with a wrong sum', 'media', [AGGREGATE.subarray(0, -1), AGGREGATE]],
    [
      'events: no JSON, no object, no event',
      'events',
      ['{', '[]', '5', '{"a":1}'].map((text) => Buffer.from(text)),
    ],
    [
      'events: a gap without numbers',
      'events',
      [line({}), line({ mediaType: 'audio', count: 'x' })],
    ],
    [
      'events: a last event without a ledger',
      'events',
      [line({}, 'session_ended'), line({ ledger: 7 }, 'session_ended')],
    ],
    ['events: a roster of nobody', 'events', [line({ participants: null }, 'participant_joined')]],
    ['events: a type of a later version', 'events', [line({ a: 1 }, 'teleported')]],
  ] as const
).map(([name, stream, data]) => ({
  name: `record: ${name}`,
  rule: 'one odd record is told and skipped',
  stream,
  data,
}));
