import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import { encodeEventText } from '../../shared/record/event.ts';
import { encodeAggregate } from '../../shared/record/kpl.ts';
import type { CorruptTargets } from './corrupt-targets.ts';

/** Every event whose `data` a reader relies on, so that `data: {}` is wrong for it. */
const NAMES = [
  'transcript',
  'chat',
  'participant_joined',
  'participant_video_on',
  'active_speaker',
  'sharing_started',
  'sharing_stopped',
  'voice',
  'first_packet',
  'chat_group',
  'session_state',
  'session_started',
  'video_selected',
  'session_paused',
  'session_interrupted',
  'session_reconnected',
  'session_ledger',
  'session_handed_over',
  'session_taken_over',
  'session_ended',
  'session_revoked',
  'gap',
] as const;
const WRONG: readonly unknown[] = [
  null,
  5,
  'text',
  [],
  {},
  // Every field there and of another type.
  {
    timestampMs: '1',
    text: 5,
    participants: 7,
    ledger: 'none',
    mediaType: 1,
    cause: {},
    scope: null,
    count: -1,
  },
  // Of the right types and beyond what they may hold.
  {
    timestampMs: 1e300,
    text: 'x',
    participants: [null],
    ledger: [null],
    mediaType: '',
    cause: '',
    count: 0.5,
  },
];

/** Records of one session that a healthy writer would never write: a reader must tell each of them and go on. */
export function oddRecords(rtmsStreamId: string): {
  readonly media: readonly Uint8Array[];
  readonly events: readonly Uint8Array[];
} {
  const origin = { rtmsStreamId, epoch: 1, product: 'meeting', entityId: 'e' } as const;
  const lines = NAMES.flatMap((name) =>
    WRONG.map((data) => encodeEventText(origin, name, 7, Date.now(), JSON.stringify(data))),
  );
  const frame = encodeMediaRecord({
    ...{ rtmsStreamId, epoch: 1, sequence: 1, mediaType: 1, userId: 7, userName: '' },
    ...{ capturedAtMs: Date.now(), receivedAtMs: Date.now(), codec: 1 },
    payload: Buffer.alloc(100, 7),
  });
  const aggregate = encodeAggregate(rtmsStreamId, [frame, frame]);
  return {
    events: [...lines, Buffer.from('{'), Buffer.from('[]\n'), Buffer.alloc(100)],
    media: [
      frame.subarray(0, -5),
      aggregate.subarray(0, -1),
      Buffer.from('hello'),
      Buffer.alloc(1_000),
      Buffer.alloc(1, 8),
    ],
  };
}

/** Puts them behind the session's own. @returns how many */
export async function putOddRecords(
  { region, credentials, endpoints, streams }: Omit<CorruptTargets, 'row' | 'table' | 'queueUrl'>,
  rtmsStreamId: string,
): Promise<number> {
  const client = new KinesisClient({
    ...{ region, credentials, endpoint: endpoints.kinesis },
    requestHandler: new NodeHttpHandler(),
  });
  const odd = oddRecords(rtmsStreamId);
  for (const stream of ['media', 'events'] as const) {
    for (const Data of odd[stream]) {
      const StreamName = streams[stream];
      await client.send(new PutRecordCommand({ StreamName, PartitionKey: rtmsStreamId, Data }));
    }
  }
  client.destroy();
  return odd.media.length + odd.events.length;
}
