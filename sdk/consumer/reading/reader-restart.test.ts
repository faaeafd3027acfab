import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { afterAll, describe, expect, test } from 'vitest';
import { splitShard, startLocalStreams } from '../../../test/support/local-streams.ts';
import { mediaRecord, packed, START_MS } from '../../../test/support/test-records.ts';
import type { SavedPosition } from './checkpoints.ts';
import { type FrameReader, frames } from './reader.ts';

/** Readers that begin again, and readers that cannot go on, against a Kinesis server on this machine. */

const streams = await startLocalStreams();
const { server, client } = streams;
afterAll(() => streams[Symbol.asyncDispose]());

/** One Kinesis record a frame. */
async function put(StreamName: string, changes: readonly object[]): Promise<void> {
  for (const change of changes) {
    const { data: Data, partitionKey: PartitionKey } = packed([mediaRecord(change)]);
    const input = { StreamName, Records: [{ Data, PartitionKey }] };
    for (;;) {
      const answer = await client.send(new PutRecordsCommand(input)).catch((error: Error) => error);
      if (!(answer instanceof Error) && answer.FailedRecordCount === 0) break;
    }
  }
}

/** A store in memory that counts its saves. */
function store() {
  const saved = new Map<string, SavedPosition>();
  let calls = 0;
  return {
    saved,
    get calls() {
      return calls;
    },
    load: async (shardId: string) => saved.get(shardId),
    save: async (shardId: string, position: string, seen: string) => {
      calls += 1;
      saved.set(shardId, { position, seen });
    },
  };
}

async function read(
  reader: Omit<FrameReader, 'client'> & Partial<FrameReader>,
  most = Number.POSITIVE_INFINITY,
) {
  const found: string[] = [];
  for await (const { epoch, sequence } of frames({ client, stopAtTip: true, ...reader })) {
    found.push(`${epoch}/${sequence}`);
    if (found.length === most) break;
  }
  return found;
}

const numbers = (...sequences: number[]) => sequences.map((sequence) => ({ sequence }));

describe('a reader that begins again', () => {
  test('resumes behind the last record that was finished, not behind the last page', async () => {
    const streamName = await streams.create();
    const checkpoints = store();
    await put(streamName, numbers(1, 2, 3, 4, 5));
    // The consumer stops while it holds the fourth.
    expect(await read({ streamName, checkpoints }, 4)).toEqual(['1/1', '1/2', '1/3', '1/4']);
    expect(checkpoints.calls).toBe(1);
    expect(await read({ streamName, checkpoints })).toEqual(['1/4', '1/5']);
  });

  test('drops repeats and late writers of what it had seen before the restart', async () => {
    const streamName = await streams.create();
    const checkpoints = store();
    await put(streamName, [...numbers(1, 2), { epoch: 2, sequence: 1 }]);
    expect(await read({ streamName, checkpoints })).toEqual(['1/1', '1/2', '2/1']);
    await put(streamName, [
      { epoch: 1, sequence: 3 },
      { epoch: 2, sequence: 1 },
      { epoch: 2, sequence: 2 },
    ]);
    expect(await read({ streamName, checkpoints })).toEqual(['2/2']);
  });

  test('hands out again what a window held back when the consumer stopped, though newer frames were finished', async () => {
    const streamName = await streams.create();
    const checkpoints = store();
    // After the change of owner Zoom sends audio again that is older than what the window holds.
    const [first, held, replayed] = [
      { sequence: 1, capturedAtMs: START_MS },
      { sequence: 2, capturedAtMs: START_MS + 900 },
      { epoch: 2, sequence: 1, capturedAtMs: START_MS + 500 },
    ];
    const last = { epoch: 2, sequence: 2, capturedAtMs: START_MS + 1_400 };
    await put(streamName, [first, held, replayed, last]);
    const reader = { streamName, checkpoints, reorderWindowMs: 60_000 };
    expect(await read(reader, 3)).toEqual(['1/1', '2/1', '1/2']);
    // The position stays before what is held back, so what the window let pass comes again too.
    expect(await read(reader)).toEqual(['2/1', '1/2', '2/2']);
  });

  test('reads on with a store that keeps the position alone', async () => {
    const streamName = await streams.create();
    const { saved, save } = store();
    const checkpoints = { save, load: async (id: string) => saved.get(id)?.position };
    await put(streamName, numbers(1));
    await read({ streamName, checkpoints });
    await put(streamName, numbers(1, 2));
    expect(await read({ streamName, checkpoints })).toEqual(['1/1', '1/2']);
  });

  test('reads an open shard of which an earlier stream of that name had reached the end', async () => {
    const streamName = await streams.create();
    const checkpoints = { load: async () => 'SHARD_END', save: async () => undefined };
    await put(streamName, numbers(1));
    expect(await read({ streamName, checkpoints })).toEqual(['1/1']);
  });

  test('calls onTrimmed, or ends without it, when the record of its checkpoint is not kept any more', async () => {
    const streamName = await streams.create();
    await put(streamName, numbers(1, 2, 3));
    const checkpoints = store();
    await read({ streamName, checkpoints }, 2);
    const [shardId, saved] = [...checkpoints.saved][0] as [string, SavedPosition];
    // As after the retention period: the record of the checkpoint is gone.
    const gone: typeof client.send = async (command: never) => {
      const answer = (await client.send(command)) as { Records?: object[] };
      return 'Records' in answer ? { ...answer, Records: answer.Records?.slice(1) } : answer;
    };
    const reader = { client: { send: gone }, streamName, checkpoints, stopAtTip: true };
    const ending = Array.fromAsync(frames(reader));
    await expect(ending).rejects.toMatchObject({ code: 'kinesis/trimmed' });
    const trimmed: object[] = [];
    const onTrimmed = (what: object) => void trimmed.push(what);
    const left = await Array.fromAsync(frames({ ...reader, onTrimmed }));
    expect(left.map(({ sequence }) => sequence)).toEqual([2, 3]);
    const resumesAt = expect.any(Date);
    expect(trimmed).toEqual([{ shardId, position: saved.position, resumesAt }]);
  });
});

test('a reader that resumes after a day without a record says that some may be gone', async () => {
  let nowMs = Date.now();
  await using idle = await startIdle(() => nowMs);
  const checkpoints = store();
  await idle.put(1);
  const reader = {
    client: idle.client,
    streamName: idle.streamName,
    checkpoints,
    stopAtTip: true,
  } as const;
  await Array.fromAsync(frames(reader));
  nowMs += 25 * 3_600_000;
  await idle.put(2);
  const again = Array.fromAsync(frames(reader));
  await expect(again).rejects.toMatchObject({
    code: 'kinesis/trimmed',
    message: expect.stringContaining('may be gone'),
  });
  const left = await Array.fromAsync(frames({ ...reader, onTrimmed: () => undefined }));
  expect(left.map(({ sequence }) => sequence)).toEqual([2]);
});

test('a reader calls onTrimmed when records expired while the consumer held a page', async () => {
  let nowMs = Date.now();
  await using idle = await startIdle(() => nowMs);
  await idle.put(1);
  nowMs += 300_000;
  await idle.put(2);
  nowMs += 86_000_000;
  await idle.put(3);
  const send: typeof idle.client.send = (command: { input: object }) =>
    idle.client.send(isRead(command) ? limited(command) : (command as never));
  const trimmed: object[] = [];
  const found: number[] = [];
  const reader = { client: { send }, streamName: idle.streamName, stopAtTip: true } as const;
  const onTrimmed = (what: object) => void trimmed.push(what);
  for await (const { sequence } of frames({ ...reader, onTrimmed })) {
    found.push(sequence);
    // The iterator expires meanwhile, and so do the first two records.
    if (sequence === 1) nowMs += 900_000;
  }
  expect(found).toEqual([1, 3]);
  expect(trimmed).toMatchObject([{ shardId: 'shardId-000000000000' }]);
});

test('a reader at the tip of a stream long idle takes nothing for trimmed when its iterator expires', async () => {
  let nowMs = Date.now();
  await using idle = await startIdle(() => nowMs);
  await idle.put(1);
  let reads = 0;
  const send: typeof idle.client.send = async (command: { input: object }) => {
    if (isRead(command) && ++reads === 3) nowMs += 25 * 3_600_000;
    const answer = await idle.client.send(command as never);
    if (reads === 4) await idle.put(2);
    return answer;
  };
  const found: number[] = [];
  for await (const { sequence } of frames({
    client: { send },
    streamName: idle.streamName,
    pollMs: 0,
  })) {
    found.push(sequence);
    if (sequence === 2) break;
  }
  expect(found).toEqual([1, 2]);
});

const isRead = (command: object) => command.constructor.name === 'GetRecordsCommand';

/** The same call for one record. */
function limited(command: { input: object }) {
  return Object.assign(command, { input: { ...command.input, Limit: 1 } }) as never;
}

describe('a reader that begins again after a reshard', () => {
  const [PARENT, CHILD] = ['shardId-000000000000', 'shardId-000000000001'];

  test.each(['LATEST', 'a time'])(
    'skips nothing that the new shards hold already, whatever startAt says: %s',
    async (which) => {
      let nowMs = Date.now();
      await using idle = await startIdle(() => nowMs);
      const reader = { client: idle.client, streamName: idle.streamName, checkpoints: store() };
      await idle.put(1);
      await read(reader);
      await splitShard(idle.client, idle.streamName);
      // Reads the parent to its end; the children are empty and get no checkpoints.
      await read(reader);
      await idle.put(2);
      nowMs += 1_000;
      const startAt = which === 'LATEST' ? 'LATEST' : new Date(nowMs);
      expect(await read({ ...reader, startAt })).toEqual(['1/2']);
    },
  );

  test('reads the children of a shard whose last page is at the tip and not yet its end', async () => {
    const streamName = await streams.create();
    await put(streamName, numbers(1));
    await splitShard(client, streamName);
    await put(streamName, numbers(2));
    const held = new Set<string>();
    const send: typeof client.send = async (command: { input: { ShardIterator?: string } }) => {
      const { ShardIterator = '' } = command.input;
      if (held.has(ShardIterator)) return { Records: [], MillisBehindLatest: 0 } as never;
      const answer = (await client.send(command as never)) as object;
      if (!isRead(command) || 'NextShardIterator' in answer) return answer as never;
      held.add('the end');
      return { ...answer, MillisBehindLatest: 0, NextShardIterator: 'the end' } as never;
    };
    const found = await Array.fromAsync(
      frames({ client: { send }, streamName, stopAtTip: true, pollMs: 0 }),
    );
    expect(found.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  test('says that records may be gone when a shard expired that it had not read to its end', async () => {
    let nowMs = Date.now();
    await using idle = await startIdle(() => nowMs);
    const checkpoints = store();
    await idle.put(1);
    await read({ client: idle.client, streamName: idle.streamName, checkpoints });
    await idle.put(2);
    await splitShard(idle.client, idle.streamName);
    await idle.put(3);
    nowMs += 25 * 3_600_000;
    await idle.put(4);
    const trimmed: object[] = [];
    const onTrimmed = (what: object) => void trimmed.push(what);
    const reader = { client: idle.client, streamName: idle.streamName, checkpoints };
    await expect(read(reader)).rejects.toMatchObject({ code: 'kinesis/trimmed' });
    expect(await read({ ...reader, onTrimmed })).toEqual(['1/4']);
    expect(trimmed).toMatchObject([{ shardId: PARENT }]);
    // Told once: the children have checkpoints of their own now.
    await idle.put(5);
    expect(checkpoints.saved.has(CHILD)).toBe(true);
    expect(await read(reader)).toEqual(['1/5']);
  });
});

/** A stream on a Kinesis server of its own, whose clock the test sets. */
async function startIdle(clock: () => number) {
  const own = await startLocalStreams(clock);
  const StreamName = await own.create();
  return {
    client: own.client,
    streamName: StreamName,
    async put(sequence: number) {
      const { data: Data, partitionKey: PartitionKey } = packed([mediaRecord({ sequence })]);
      const Records = [{ Data, PartitionKey }];
      await own.client.send(new PutRecordsCommand({ StreamName, Records }));
    },
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}

describe('failures', () => {
  test.each<[string, object, string, RegExp]>([
    ['a misspelt option', { stopAtTipp: true }, 'config/invalid', /no such option: stopAtTipp/],
    ['a misspelt value', { startAt: 'LATSET' }, 'config/invalid', /startAt/],
    ['a client that is none', { client: {} }, 'config/invalid', /client/],
    ['a client that is undefined', { client: undefined }, 'config/invalid', /client is missing/],
    ['a stream without a name', { streamName: '' }, 'config/invalid', /streamName/],
    ['a meeting, which frames does not filter', { rtmsStreamId: 'a' }, 'config/invalid', /such/],
    [
      'a checkpoint of another stream',
      { checkpoints: { load: async () => '123', save: async () => undefined } },
      'kinesis/read-refused',
      /InvalidArgumentException/,
    ],
    [
      'a client without a Region',
      {
        client: new KinesisClient({
          region: (): Promise<string> => Promise.reject(new Error('Region is missing')),
        }),
      },
      'kinesis/read-refused',
      /Region is missing/,
    ],
    [
      'an endpoint where nobody is',
      {
        client: new KinesisClient({
          region: 'us-east-1',
          endpoint: 'http://127.0.0.1:9',
          credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
          maxAttempts: 1,
        }),
      },
      'kinesis/read-refused',
      /ECONNREFUSED/,
    ],
  ])('a reader ends at once and says why: %s', async (_title, changes, code, why) => {
    const streamName = await streams.create();
    await put(streamName, numbers(1));
    const beganAt = performance.now();
    const reading = Array.fromAsync(frames({ client, streamName, stopAtTip: true, ...changes }));
    await expect(reading).rejects.toMatchObject({ code, message: expect.stringMatching(why) });
    expect(performance.now() - beganAt).toBeLessThan(15_000);
  });

  test('a reader calls onRetry before it repeats a call that failed for a passing reason', async () => {
    const streamName = await streams.create();
    await put(streamName, numbers(1));
    const errors = { ProvisionedThroughputExceededException: 1 };
    server.faults.set({ rules: [{ operation: 'GetRecords', errors, durationMs: 300 }] });
    const told: string[] = [];
    const onRetry = ({ code }: { code: string }, attempt: number) =>
      void told.push(`${code} ${attempt}`);
    await read({ streamName, onRetry });
    server.faults.clear();
    expect(told[0]).toBe('kinesis/read-failed 1');
  });
});

test('a reader calls onProgress with how far behind each shard is', async () => {
  const streamName = await streams.create();
  await put(streamName, numbers(1));
  const told: object[] = [];
  await read({ streamName, onProgress: (at) => void told.push(at) });
  expect(told.at(-1)).toEqual({ shardId: 'shardId-000000000000', millisBehindLatest: 0 });
});

test.each([
  ['', 0],
  [', also where its clock is ahead of the one of Kinesis', 600_000],
])(
  'a reader with startAt LATEST skips nothing when its first iterator expires%s',
  async (_title, aheadMs) => {
    await using idle = await startIdle(() => Date.now() - aheadMs);
    const { client } = idle;
    const stop = new AbortController();
    let calls = 0;
    const send: typeof client.send = async (command: never) => {
      const isRead = (command as object).constructor.name === 'GetRecordsCommand';
      if (isRead) calls += 1;
      if (isRead && calls === 2) {
        // What is written between the last answer and the new iterator.
        await idle.put(1);
        throw Object.assign(new Error('expired'), { name: 'ExpiredIteratorException' });
      }
      return client.send(command);
    };
    const reader = {
      client: { send },
      streamName: idle.streamName,
      startAt: 'LATEST',
      signal: stop.signal,
    } as const;
    for await (const { sequence } of frames({ ...reader, pollMs: 0 })) {
      expect(sequence).toBe(1);
      stop.abort();
    }
    expect(calls).toBeGreaterThan(2);
  },
);
