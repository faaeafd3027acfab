import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { streamPages } from '../../sdk/consumer/reading/stream-pages.ts';
import { FrameDecoder } from '../../sdk/consumer/records/records.ts';
import { decodeAggregate } from '../../shared/record/kpl.ts';

/** One user record of a Kinesis stream, as our own code takes it out. */
export interface PeerUserRecord {
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  readonly data: Buffer;
}

/** What programs of others print for each user record. */
export interface PrintedUserRecord {
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  /** Of its bytes, hexadecimal. */
  readonly sha256: string;
}

export interface ReadStream {
  readonly records: readonly PeerUserRecord[];
  readonly aggregates: number;
  /** Frames that the kit makes of them. */
  readonly frames: number;
}

/** Reads a whole Kinesis stream with our own code, each shard in order. @throws Error for a record that the kit calls bad */
export async function readUserRecords(
  client: KinesisClient,
  streamName: string,
): Promise<ReadStream> {
  const records: PeerUserRecord[] = [];
  const decoder = new FrameDecoder();
  let [aggregates, frames] = [0, 0];
  const pages = streamPages({ client, streamName, stopAtTip: true }, async () => undefined);
  for await (const page of pages) {
    for (const whole of page.records) {
      const users = decodeAggregate(whole.data, whole.partitionKey);
      if (users.length > 1) aggregates += 1;
      for (const { data, partitionKey } of users) {
        const { sequenceNumber } = whole;
        records.push({ partitionKey, sequenceNumber, data: Buffer.from(data) });
      }
      // The lines of the event stream are JSON.
      if (whole.data[0] !== 0x7b) frames += [...decoder.decode(whole)].length;
    }
  }
  return { records, aggregates, frames };
}

export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Holds what others read against what we read: the same records, bytes and order in each shard. */
export function assertSameRecords(
  ours: readonly PeerUserRecord[],
  theirs: readonly PrintedUserRecord[],
): void {
  const plain = ({ partitionKey, sequenceNumber }: PrintedUserRecord, hash: string) =>
    `${sequenceNumber} ${partitionKey} ${hash}`;
  const expected = ours.map((one) => plain({ ...one, sha256: '' }, sha256(one.data)));
  assert.deepEqual(
    theirs.map((one) => plain(one, one.sha256)).sort(),
    expected.sort(),
    'the same user records',
  );
}

/** Holds what others packed against what was packed: every record with its key and bytes, in its order. */
export function assertSameOrder(
  packed: readonly PeerUserRecord[],
  read: readonly PeerUserRecord[],
): void {
  const plain = ({ partitionKey, data }: PeerUserRecord) => `${partitionKey} ${sha256(data)}`;
  assert.deepEqual(read.map(plain), packed.map(plain), 'the same user records in the same order');
}

/** JSON lines, as the programs print them. */
export function parseLines<Line>(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** The user records as `write_aggregates.py` and `main.go` take them. */
export function jsonLines(records: readonly PeerUserRecord[]): string {
  return records
    .map(({ partitionKey, data }) =>
      JSON.stringify({ partitionKey, data: data.toString('base64') }),
    )
    .join('\n');
}
