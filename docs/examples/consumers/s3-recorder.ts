import {
  decodeKinesisEvent,
  type Frame,
  type KinesisLambdaEvent,
  sourceKey,
} from '../../../sdk/consumer/index.ts';

/** Where objects go: an S3 client, or anything that takes a PUT. */
export interface ObjectStore {
  put(key: string, body: Uint8Array, contentType: string): Promise<void>;
  /** Deletes everything whose key begins so. Without it a revoked session stays, and a failure says so. */
  deleteAll?(prefix: string): Promise<void>;
}

interface StoredObject {
  readonly kinesisSequenceNumber: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly contentType: string;
}

const FILES: Readonly<Record<string, { extension: string; contentType: string }>> = {
  L16: { extension: 'pcm', contentType: 'audio/l16' },
  G711: { extension: 'alaw', contentType: 'audio/pcma' },
  G722: { extension: 'g722', contentType: 'audio/g722' },
  OPUS: { extension: 'opus-packets', contentType: 'application/octet-stream' },
  H264: { extension: 'h264', contentType: 'video/h264' },
  JPG: { extension: 'jpg', contentType: 'image/jpeg' },
  PNG: { extension: 'png', contentType: 'image/png' },
};
const UNKNOWN = { extension: 'bin', contentType: 'application/octet-stream' };

/**
 * A Lambda handler that stores whatever arrives, of either stream:
 *
 * - `<stream>/<epoch>/audio/user-16778240/0000000001.pcm`: the frames of one source in one Kinesis record, one
 *   after another (Opus packets with two bytes of length before each), named by the first frame's sequence;
 * - `…/deskshare/user-16778240/0000000007.jpg`: each picture by itself;
 * - `<stream>/<epoch>/events/0000000003.json`: each event.
 *
 * A `session_revoked` deletes everything of its stream but the events that tell of it: Zoom took the consent back. Media
 * that arrive on the other stream later are kept out by the bucket's own rule, or by a sweep over `…/events/` for that name.
 *
 * Objects follow Kinesis records, not batches: what Lambda sends again overwrites the same objects, however it
 * cuts the batches then. A put that fails names its record, so that only the rest comes again.
 */
export function createRecorder(store: ObjectStore) {
  return async (event: KinesisLambdaEvent) => {
    const { frames, events, bad, batchItemFailures } = decodeKinesisEvent(event);
    for (const { code, detail } of bad) {
      process.stderr.write(`${JSON.stringify({ level: 'error', code, detail })}\n`);
    }
    const revoked = events.filter(({ name }) => name === 'session_revoked');
    const isRevoked = ({ rtmsStreamId }: { rtmsStreamId: string }) =>
      revoked.some((event) => event.rtmsStreamId === rtmsStreamId);
    const kept = events.filter((event) => !isRevoked(event) || event.name.startsWith('session_'));
    const objects = [
      ...mediaObjects(frames),
      ...kept.map(({ rtmsStreamId, epoch, sequence, kinesisSequenceNumber, ...rest }) => ({
        kinesisSequenceNumber,
        key: `${rtmsStreamId}/${epoch}/events/${padded(sequence)}.json`,
        body: Buffer.from(JSON.stringify({ rtmsStreamId, epoch, sequence, ...rest })),
        contentType: 'application/json',
      })),
    ];
    for (const { rtmsStreamId } of revoked) {
      try {
        if (store.deleteAll === undefined) throw new Error('no deleteAll');
        await store.deleteAll(`${rtmsStreamId}/`);
      } catch {
        process.stderr.write(`${JSON.stringify({ level: 'error', code: 'delete_failed' })}\n`);
        // Nothing of this batch is stored yet: all of it comes again.
        const [first] = event.Records;
        const itemIdentifier = first?.kinesis.sequenceNumber ?? '';
        return { batchItemFailures: [{ itemIdentifier }] };
      }
    }
    for (const { key, body, contentType, kinesisSequenceNumber } of objects) {
      try {
        await store.put(key, body, contentType);
      } catch (error) {
        const name = error instanceof Error ? error.name : typeof error;
        process.stderr.write(`${JSON.stringify({ level: 'error', code: 'put_failed', name })}\n`);
        return { batchItemFailures: [{ itemIdentifier: kinesisSequenceNumber }] };
      }
    }
    return { batchItemFailures };
  };
}

/** In the order of the Kinesis records, so that a failure leaves nothing behind unstored. */
function mediaObjects(frames: readonly Frame[]): StoredObject[] {
  const groups = Map.groupBy(frames, (frame) => {
    const isPicture = frame.codec === 'JPG' || frame.codec === 'PNG';
    const part = isPicture ? frame.sequence : '';
    return [frame.kinesisSequenceNumber, folderOf(frame), frame.codec, part].join(' ');
  });
  return [...groups.values()].map((group) => {
    const [first] = group as [Frame, ...Frame[]];
    const { extension, contentType } = FILES[first.codec] ?? UNKNOWN;
    return {
      kinesisSequenceNumber: first.kinesisSequenceNumber,
      key: `${folderOf(first)}/${padded(first.sequence)}.${extension}`,
      body: Buffer.concat(group.flatMap(first.codec === 'OPUS' ? withLength : withoutLength)),
      contentType,
    };
  });
}

function folderOf(frame: Frame): string {
  const source = encodeURIComponent(sourceKey(frame).replace(' ', '-'));
  return `${frame.rtmsStreamId}/${frame.epoch}/${frame.mediaType}/${source}`;
}

function withLength({ payload }: Frame): Uint8Array[] {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(payload.length);
  return [length, payload];
}

function withoutLength({ payload }: Frame): Uint8Array[] {
  return [payload];
}

function padded(sequence: number): string {
  return String(sequence).padStart(10, '0');
}
