import { createHash } from 'node:crypto';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { streamPages } from '../../../sdk/consumer/reading/stream-pages.ts';
import { decodeMediaRecord } from '../../../shared/record/decode-media-record.ts';
import { decodeAggregate } from '../../../shared/record/kpl.ts';

/** One user record of the media stream, as the Java programs of the peers write it too (`SeenRecord.java`). */
export interface SeenRecord {
  readonly shardId: string;
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
  readonly payloadSha256: string;
  readonly payloadBytes: number;
  readonly rtmsStreamId: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly mediaType: number;
  readonly userId?: number;
  readonly channelId?: string;
  readonly userName: string;
  readonly capturedAtMs: number;
  readonly receivedAtMs: number;
  readonly codec: number;
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  readonly chunkIndex: number;
  readonly chunkCount: number;
  readonly recovered?: boolean;
}

export interface WrittenRecord {
  readonly seen: SeenRecord;
  readonly payload: Buffer;
}

/** One record as it stands in the data stream, aggregate or not. */
export interface StoredRecord {
  readonly shardId: string;
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  readonly data: Uint8Array;
}

/** Reads a whole data stream with our own code, each shard in order. */
export async function readStored(
  client: KinesisClient,
  streamName: string,
): Promise<StoredRecord[]> {
  const stored: StoredRecord[] = [];
  const pages = streamPages({ client, streamName, stopAtTip: true }, async () => undefined);
  for await (const { shardId, records } of pages) {
    for (const { data, partitionKey, sequenceNumber } of records) {
      stored.push({ shardId, partitionKey, sequenceNumber, data });
    }
  }
  return stored;
}

/** Takes aggregates apart. */
export function userRecordsOf(
  stored: readonly StoredRecord[],
): (StoredRecord & { readonly subSequenceNumber: number })[] {
  return stored.flatMap((record) =>
    decodeAggregate(record.data, record.partitionKey).map((part) => ({ ...record, ...part })),
  );
}

/** Takes aggregates apart and reads what is in them. */
export function mediaRecordsOf(stored: readonly StoredRecord[]): WrittenRecord[] {
  return userRecordsOf(stored).map((record) => {
    const { shardId, partitionKey, sequenceNumber, subSequenceNumber, data } = record;
    const { payload, userId, channelId, recovered, ...fields } = decodeMediaRecord(data);
    const seen: SeenRecord = {
      shardId,
      partitionKey,
      sequenceNumber,
      subSequenceNumber,
      payloadSha256: sha256(payload),
      payloadBytes: payload.length,
      ...fields,
      ...(userId !== undefined && { userId }),
      ...(channelId !== undefined && { channelId }),
      ...(recovered !== undefined && { recovered }),
    };
    return { seen, payload };
  });
}

/** A record without a look inside, as a line of text. `RawRecord.java` writes the same. */
export function rawLine({ shardId, partitionKey, sequenceNumber, data }: StoredRecord): string {
  const bytes = data.length;
  return JSON.stringify({ shardId, partitionKey, sequenceNumber, bytes, sha256: sha256(data) });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
