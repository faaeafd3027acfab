import { createHash } from 'node:crypto';
import { ListShardsCommand, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { afterAll, describe, expect, test } from 'vitest';
import { splitIntoChunks } from '../../../shared/record/encode-media-record.ts';
import { streamKey } from '../../../shared/record/partition-key.ts';
import { splitShard, startLocalStreams } from '../../../test/support/local-streams.ts';
import {
  eventBytes,
  kinesisRecord,
  mediaRecord,
  packed,
  START_MS,
} from '../../../test/support/test-records.ts';
import type { KinesisRecord } from '../records/records.ts';
import { events, type FrameReader, frames, meetingEvents, meetingFrames } from './reader.ts';

const streams = await startLocalStreams();
const { server, client } = streams;
afterAll(() => streams[Symbol.asyncDispose]());

async function put(StreamName: string, records: readonly KinesisRecord[]): Promise<void> {
  // One after another: order within a call is not promised.
  for (const { data, partitionKey } of records) {
    const Records = [{ Data: data, PartitionKey: partitionKey }];
    const answer = await client.send(new PutRecordsCommand({ StreamName, Records }));
    expect(answer.FailedRecordCount).toBe(0);
  }
}

/** Ten speakers' keys, so that every shard has some. */
const KEYS = Array.from({ length: 10 }, (_, index) => `stream-1#v#${index}`);
const fromEach = (from: number, to: number) =>
  KEYS.flatMap((key, userId) => {
    const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index);
    return [
      packed(
        numbers.map((sequence) => mediaRecord({ sequence, userId, mediaType: 2 })),
        key,
      ),
    ];
  });

async function read(reader: Omit<FrameReader, 'client'>) {
  const found = new Map<number, number[]>();
  for await (const { userId = -1, sequence } of frames({ client, ...reader })) {
    found.set(userId, [...(found.get(userId) ?? []), sequence]);
  }
  return found;
}
const allOf = (to: number) =>
  new Map(KEYS.map((_, userId) => [userId, Array.from({ length: to }, (__, index) => index + 1)]));
const sorted = (found: Map<number, number[]>) => new Map([...found].sort(([a], [b]) => a - b));

/** A store in memory; `saved` is what a restart would find. */
function memoryStore() {
  const saved = new Map<string, string>();
  return {
    saved,
    load: async (shardId: string) => saved.get(shardId),
    save: async (shardId: string, position: string) => void saved.set(shardId, position),
  };
}

describe('frames', () => {
  test('frames come from all shards, each source in order, up to the tip', async () => {
    const streamName = await streams.create(3);
    await put(streamName, [...fromEach(1, 5), ...fromEach(6, 8)]);
    expect(sorted(await read({ streamName, stopAtTip: true }))).toEqual(allOf(8));
  });

  test('frames keep their order over a split, and the child shards are read', async () => {
    const streamName = await streams.create(1);
    await put(streamName, fromEach(1, 3));
    await splitShard(client, streamName);
    await put(streamName, fromEach(4, 6));
    const { Shards } = await client.send(new ListShardsCommand({ StreamName: streamName }));
    expect(Shards).toHaveLength(3);
    expect(sorted(await read({ streamName, stopAtTip: true }))).toEqual(allOf(6));
  });

  test('frames of one partition key are read only from the shards that hold it, through a split', async () => {
    const streamName = await streams.create(4);
    await put(streamName, fromEach(1, 3));
    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: streamName }));
    const [key = ''] = KEYS;
    const hashKey = BigInt(`0x${createHash('md5').update(key).digest('hex')}`);
    const shard = Shards.find(
      ({ HashKeyRange }) => hashKey <= BigInt(HashKeyRange?.EndingHashKey ?? 0),
    );
    await splitShard(client, streamName, shard?.ShardId, hashKey);
    await put(streamName, fromEach(4, 6));
    const iterators = () => server.stats().calls['GetShardIterator']?.['ok'] ?? 0;
    const before = iterators();
    const found = await read({ streamName, stopAtTip: true, partitionKey: key });
    expect(found.get(0)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(iterators() - before).toBe(2);
  });

  test('a reader waits for frames until its signal aborts, and then ends without an error', async () => {
    const streamName = await streams.create(2);
    await put(streamName, fromEach(1, 1));
    const abort = new AbortController();
    const found: number[] = [];
    for await (const frame of frames({ client, streamName, signal: abort.signal, pollMs: 210 })) {
      found.push(frame.sequence);
      if (found.length === KEYS.length) await put(streamName, fromEach(2, 2));
      if (found.length === 2 * KEYS.length) abort.abort();
    }
    expect(found).toHaveLength(2 * KEYS.length);
  });

  test('a reader with startAt LATEST begins with the next new frame', async () => {
    const streamName = await streams.create(1);
    await put(streamName, [packed([mediaRecord({ sequence: 1 })])]);
    const reader = frames({ client, streamName, startAt: 'LATEST', pollMs: 210 });
    const first = reader.next();
    const calls = () => server.stats().calls['GetRecords']?.['ok'] ?? 0;
    for (const before = calls(); calls() === before; ) await new Promise(setImmediate);
    await put(streamName, [packed([mediaRecord({ sequence: 2 })])]);
    expect((await first).value).toMatchObject({ sequence: 2 });
    await reader.return();
  });

  test('frames come in order of capture across shards within the reorder window', async () => {
    const streamName = await streams.create(4);
    const late = KEYS.map((key, userId) =>
      packed([mediaRecord({ userId, mediaType: 2, capturedAtMs: START_MS - userId })], key),
    );
    await put(streamName, late);
    const captured: number[] = [];
    const reader = { client, streamName, stopAtTip: true, reorderWindowMs: 5_000 };
    for await (const { capturedAt } of frames(reader)) captured.push(capturedAt.getTime());
    expect(captured).toEqual(KEYS.map((_, index) => START_MS - KEYS.length + 1 + index));
  });

  test('a reader never asks a shard more than five times a second', async () => {
    const streamName = await streams.create(1);
    await put(streamName, fromEach(1, 1));
    const abort = new AbortController();
    const calls = () => server.stats().calls['GetRecords']?.['ok'] ?? 0;
    const before = calls();
    const begun = performance.now();
    const reading = read({ streamName, signal: abort.signal, pollMs: 0 });
    while (calls() - before < 6) await new Promise(setImmediate);
    abort.abort();
    await reading;
    expect(performance.now() - begun).toBeGreaterThan(1_000);
  });
});

describe('checkpoints', () => {
  test('a reader resumes behind the last page that was taken completely', async () => {
    const streamName = await streams.create(1);
    const checkpoints = memoryStore();
    await put(streamName, [packed([mediaRecord({ sequence: 1 })])]);
    expect(await read({ streamName, stopAtTip: true, checkpoints })).toEqual(new Map([[7, [1]]]));
    await put(streamName, [packed([2, 3].map((sequence) => mediaRecord({ sequence })))]);
    for await (const frame of frames({ client, streamName, checkpoints })) {
      expect(frame.sequence).toBe(2);
      break;
    }
    // The consumer left the page in the middle, so the page comes again.
    expect(await read({ streamName, stopAtTip: true, checkpoints })).toEqual(
      new Map([[7, [2, 3]]]),
    );
    expect(await read({ streamName, stopAtTip: true, checkpoints })).toEqual(new Map());
  });

  test('a checkpoint is not saved before the last chunk of a frame has come', async () => {
    const streamName = await streams.create(1);
    const checkpoints = memoryStore();
    const large = mediaRecord({ payload: Buffer.alloc(3_000, 1) });
    const [first, ...rest] = splitIntoChunks(large, 1_000).map((chunk) => kinesisRecord(chunk));
    await put(streamName, first ? [first] : []);
    const onBadRecord = () => undefined;
    await read({ streamName, stopAtTip: true, checkpoints, onBadRecord });
    expect(checkpoints.saved.size).toBe(0);
    await put(streamName, rest);
    expect(await read({ streamName, stopAtTip: true, checkpoints })).toEqual(new Map([[7, [1]]]));
    expect(checkpoints.saved.size).toBe(1);
  });

  test('a checkpoint remembers that a shard was read to its end', async () => {
    const streamName = await streams.create(1);
    const checkpoints = memoryStore();
    await put(streamName, fromEach(1, 1));
    await splitShard(client, streamName);
    await read({ streamName, stopAtTip: true, checkpoints });
    expect(checkpoints.saved.get('shardId-000000000000')).toBe('SHARD_END');
    await put(streamName, fromEach(2, 2));
    const second = sorted(await read({ streamName, stopAtTip: true, checkpoints }));
    expect(second).toEqual(new Map(KEYS.map((_, userId) => [userId, [2]])));
  });
});

describe('failures', () => {
  test('a failure that passes does not end the reading', async () => {
    const streamName = await streams.create(1);
    await put(streamName, [packed([mediaRecord()])]);
    server.faults.set({
      rules: [
        {
          operation: 'GetRecords',
          errors: { ProvisionedThroughputExceededException: 0.5, ExpiredIteratorException: 0.5 },
          durationMs: 400,
        },
      ],
    });
    expect(await read({ streamName, stopAtTip: true })).toEqual(new Map([[7, [1]]]));
    server.faults.clear();
  });

  test('a missing stream and a denied access are thrown at once, with their codes', async () => {
    await expect(read({ streamName: 'missing' })).rejects.toMatchObject({
      code: 'kinesis/stream-missing',
      detail: { streamName: 'missing' },
    });
    server.faults.set({
      rules: [{ operation: 'ListShards', errors: { AccessDeniedException: 1 } }],
    });
    await expect(read({ streamName: 'any' })).rejects.toMatchObject({
      code: 'kinesis/access-denied',
    });
    server.faults.clear();
  });

  test('a bad record is skipped and reported with onBadRecord, and ends the reading without', async () => {
    const streamName = await streams.create(1);
    await put(streamName, [
      packed([mediaRecord()]),
      kinesisRecord(Buffer.from('junk')),
      packed([mediaRecord({ sequence: 2 })]),
    ]);
    const codes: string[] = [];
    const onBadRecord = ({ code }: { code: string }) => void codes.push(code);
    const found = await read({ streamName, stopAtTip: true, onBadRecord });
    expect([found.get(7), codes]).toEqual([[1, 2], ['record/malformed']]);
    const seen: number[] = [];
    const strict = async () => {
      for await (const { sequence } of frames({ client, streamName })) seen.push(sequence);
    };
    await expect(strict()).rejects.toMatchObject({ code: 'record/malformed' });
    expect(seen).toEqual([1]);
  });
});

describe('one meeting', () => {
  const data = { timestampMs: START_MS };

  test('is found under the partition key that an id with a separator gets', async () => {
    const streamName = await streams.create(4);
    const rtmsStreamId = 'a#b';
    const bytes = eventBytes('sharing_stopped', data, 1, { rtmsStreamId });
    await put(streamName, [kinesisRecord(bytes, streamKey(rtmsStreamId))]);
    const found = await Array.fromAsync(
      meetingEvents({ client, streamName, stopAtTip: true, rtmsStreamId }),
    );
    expect(found.map(({ id }) => id)).toEqual(['a#b/1/1']);
  });

  test('must be named: without an id the reading ends at once', async () => {
    const reader = { client, streamName: 'any', rtmsStreamId: '' };
    for (const read of [meetingFrames, meetingEvents]) {
      await expect(Array.fromAsync<unknown>(read(reader))).rejects.toMatchObject({
        code: 'config/invalid',
        message: expect.stringContaining('rtmsStreamId is missing'),
      });
    }
  });
});

describe('events', () => {
  test('events are read from the events stream, each once', async () => {
    const streamName = await streams.create(1);
    const lines = [1, 2].map((sequence) =>
      kinesisRecord(eventBytes('sharing_stopped', { timestampMs: START_MS }, sequence)),
    );
    await put(streamName, [...lines, ...lines]);
    const found: string[] = [];
    for await (const { id } of events({ client, streamName, stopAtTip: true })) found.push(id);
    expect(found).toEqual(['stream-1/1/1', 'stream-1/1/2']);
  });
});
