import { hash } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import protobuf from 'protobufjs';
import { FrameDecoder, frames, type KinesisRecord } from '../../sdk/consumer/index.ts';
import { PUT_UNIT_BYTES } from '../../shared/kinesis-rules.ts';
import { splitIntoChunks } from '../../shared/record/encode-media-record.ts';
import { decodeAggregate, encodeAggregate } from '../../shared/record/kpl.ts';
import { aggregateSize } from '../support/aggregate-size.ts';
import { median } from './timing.ts';

const KEY = '0123456789abcdef0123456789abcdef';
const START_MS = 1_738_392_033_699;

/** How the runner's lanes close an aggregate: one PUT unit, or this much time. */
const TARGET_BYTES = PUT_UNIT_BYTES - 1;
const LINGER_MS = 160;

const WARM_UP_ROUNDS = 4;
const ROUNDS = 15;
const ROUND_MS = 50;

/** What one partition key carries. */
interface Shape {
  readonly title: string;
  readonly mediaType: number;
  readonly codec: number;
  readonly speakers: number;
  readonly intervalMs: number;
  /** Of each speaker. */
  readonly frames: number;
  readonly sizeBytes: (index: number) => number;
  /** Most bytes of one message. */
  readonly chunkBytes: number;
}

const AUDIO = { mediaType: 1, intervalMs: 20, speakers: 1, frames: 400, chunkBytes: 1_000_000 };
const VIDEO = { ...AUDIO, mediaType: 2, codec: 7, intervalMs: 1_000 / 30, frames: 60 };
const sizeOfPicture = (index: number) =>
  index % 30 === 0 ? 60_000 : 8_000 + ((index * 397) % 4_000);

const SHAPES: readonly Shape[] = [
  { ...AUDIO, title: 'Opus, 80 to 160 B', codec: 4, sizeBytes: (at) => 80 + ((at * 37) % 81) },
  { ...AUDIO, title: 'Opus, five speakers', codec: 4, speakers: 5, sizeBytes: () => 120 },
  { ...AUDIO, title: 'as long as a sentence, 78 B', codec: 4, sizeBytes: () => 78 },
  { ...AUDIO, title: 'L16, 640 B', codec: 1, sizeBytes: () => 640 },
  { ...AUDIO, title: 'L16, five speakers', codec: 1, speakers: 5, sizeBytes: () => 640 },
  { ...VIDEO, title: '720p, 10 kB, key frames of 60 kB', sizeBytes: sizeOfPicture },
  { ...VIDEO, title: '720p, key frames in chunks', sizeBytes: sizeOfPicture, chunkBytes: 20_000 },
];

/**
 * What reading the `media` stream costs a frame, from the bytes of Kinesis records:
 *
 * - decoder: `FrameDecoder`, everything it does for a consumer.
 * - frames(): the same through `frames(reader)`, from an SDK client that answers at once.
 * - library: `aws-kinesis-agg` as its README calls it, with checksums; its base64 back into bytes; protobufjs
 *   with the published schema; CRC-32 of the payload; chunks joined. No repeats, no epochs, no names, no dates.
 * - checksums: what both must do, MD5 of each aggregate and CRC-32 of each payload, by the same functions of
 *   Node. `ratio at most` is of a decoder that does nothing else; `beyond` compares what the two add to it.
 */
export async function benchConsume(): Promise<void> {
  print('µs a frame', COLUMNS);
  for (const shape of SHAPES) {
    const records = lane(shape);
    const frameCount = shape.frames * shape.speakers;
    assertSame(records, frameCount);
    const [kit, reader, library, floor] = await measure(records, frameCount);
    const ratios = [library / kit, library / floor, (library - floor) / (kit - floor)];
    const cells = [kit, reader, library, floor, ...ratios].map((value) => value.toFixed(2));
    print(shape.title, cells);
  }
}

const COLUMNS = ['decoder', 'frames()', 'library', 'checksums', 'ratio', 'at most', 'beyond'];

function print(title: string, cells: readonly string[]): void {
  const columns = cells.map((cell) => cell.padStart(11)).join('');
  process.stdout.write(`${title.padEnd(34)}${columns}\n`);
}

/** In turn, in many short rounds, so that a busy machine troubles all alike. @returns medians, µs a frame */
async function measure(
  records: readonly KinesisRecord[],
  frameCount: number,
): Promise<[number, number, number, number]> {
  const sums = checksummed(records);
  const client = instantKinesis(records);
  const runs = [
    () => readWithKit(records, touch),
    () => readWithReader(client, touch),
    () => readWithLibrary(records, touch),
    () => readChecksums(sums),
  ] as const;
  const rounds = runs.map((): number[] => []);
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const [index, run] of runs.entries()) {
      const us = (await timeOnce(run)) / frameCount;
      if (round >= 0) rounds[index]?.push(us);
    }
  }
  return rounds.map(median) as [number, number, number, number];
}

/** CPU time, not wall time: others may be on this core. */
async function timeOnce(run: () => void | Promise<void>): Promise<number> {
  const cpu = process.cpuUsage();
  const endMs = performance.now() + ROUND_MS;
  let runs = 0;
  for (; performance.now() < endMs; runs++) await run();
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / runs;
}

/** Told of every whole frame; returns nothing, keeps nothing. */
type Take = (payload: Uint8Array, capturedAtMs: number, userName: string) => void;

let taken = 0;
/** Looks at what a consumer surely looks at. */
const touch: Take = (payload, capturedAtMs, userName) => {
  taken = (taken + payload.length + capturedAtMs + userName.length) | 0;
};

function readWithKit(records: readonly KinesisRecord[], take: Take): void {
  const decoder = new FrameDecoder();
  for (const record of records) {
    for (const { payload, capturedAt, userName } of decoder.decode(record)) {
      take(payload, capturedAt.getTime(), userName);
    }
  }
}

async function readWithReader(client: KinesisClient, take: Take): Promise<void> {
  const reader = { client, streamName: 'media', stopAtTip: true };
  for await (const { payload, capturedAt, userName } of frames(reader)) {
    take(payload, capturedAt.getTime(), userName);
  }
}

/** A client of one shard that holds these records. */
function instantKinesis(records: readonly KinesisRecord[]): KinesisClient {
  const answer = {
    Shards: [{ ShardId: 'shardId-000000000000', SequenceNumberRange: {} }],
    ShardIterator: 'iterator',
    NextShardIterator: 'iterator',
    MillisBehindLatest: 0,
    Records: records.map(({ data, partitionKey, sequenceNumber }) => ({
      Data: data,
      PartitionKey: partitionKey,
      SequenceNumber: sequenceNumber,
    })),
  };
  return { send: async () => answer } as unknown as KinesisClient;
}

interface Deaggregated {
  readonly Data: string;
}

interface AggregationLibrary {
  deaggregateSync(
    record: object,
    computeChecksums: boolean,
    onDone: (error: Error | undefined, records: readonly Deaggregated[]) => void,
  ): void;
}

interface PublishedRecord {
  readonly mediaType: number;
  readonly userId: number;
  readonly userName: string;
  readonly capturedAtMs: { toNumber(): number };
  readonly chunkCount: number;
  readonly payloadCrc32: number;
  readonly payload: Uint8Array;
}

const { deaggregateSync } = createRequire(import.meta.url)('aws-kinesis-agg') as AggregationLibrary;
const schema = fileURLToPath(new URL('../../shared/record/media_record.proto', import.meta.url));
const Published = protobuf.loadSync(schema).lookupType('rtms.v1.MediaRecord');

function readWithLibrary(records: readonly KinesisRecord[], take: Take): void {
  let chunks: Uint8Array[] = [];
  for (const { data, partitionKey, sequenceNumber } of records) {
    const kinesisRecord = {
      Data: data,
      PartitionKey: partitionKey,
      SequenceNumber: sequenceNumber,
    };
    deaggregateSync(kinesisRecord, true, (error, userRecords) => {
      if (error) throw error;
      for (const { Data } of userRecords) {
        // A record that is no aggregate comes back as it was put in.
        const bytes = typeof Data === 'string' ? Buffer.from(Data, 'base64') : Data;
        const record = Published.decode(bytes) as unknown as PublishedRecord;
        if (crc32(record.payload) !== record.payloadCrc32) throw new Error('damaged payload');
        let { payload } = record;
        if (record.chunkCount > 1) {
          chunks.push(payload);
          if (chunks.length < record.chunkCount) continue;
          payload = Buffer.concat(chunks);
          chunks = [];
        }
        take(payload, record.capturedAtMs.toNumber(), record.userName);
      }
    });
  }
}

/** The byte ranges that both must check. */
interface Checksummed {
  readonly aggregates: readonly Uint8Array[];
  readonly payloads: readonly Uint8Array[];
}

function checksummed(records: readonly KinesisRecord[]): Checksummed {
  const payloads: Uint8Array[] = [];
  const aggregates: Uint8Array[] = [];
  for (const { data, partitionKey } of records) {
    const users = decodeAggregate(data, partitionKey);
    if (users.length > 1) aggregates.push(data.subarray(4, data.length - 16));
    for (const user of users) {
      payloads.push((Published.decode(user.data) as unknown as PublishedRecord).payload);
    }
  }
  return { aggregates, payloads };
}

function readChecksums({ aggregates, payloads }: Checksummed): void {
  for (const aggregate of aggregates) taken = (taken + hash('md5', aggregate, 'hex').length) | 0;
  for (const payload of payloads) taken = (taken + crc32(payload)) | 0;
}

/** Both must give every payload, bit for bit, in order. */
function assertSame(records: readonly KinesisRecord[], count: number): void {
  const [kit, library]: Uint8Array[][] = [[], []];
  readWithKit(records, (payload) => void kit?.push(payload));
  readWithLibrary(records, (payload) => void library?.push(payload));
  if (kit?.length !== count || library?.length !== count) throw new Error('frames are missing');
  for (const [index, payload] of kit.entries()) {
    if (Buffer.compare(payload, library[index] as Uint8Array) !== 0) throw new Error('they differ');
  }
}

/** Kinesis records of one partition key, as a lane makes them. */
function lane(shape: Shape): KinesisRecord[] {
  const records: KinesisRecord[] = [];
  let open: Buffer[] = [];
  let openedAtMs = 0;
  const close = () => {
    const [only] = open;
    if (only === undefined) return;
    const data = open.length === 1 ? only : encodeAggregate(KEY, open);
    const sequenceNumber = `4959338271490290${records.length}`.padEnd(56, '0');
    records.push({ data, partitionKey: KEY, sequenceNumber });
    open = [];
  };
  for (let index = 0; index < shape.frames; index++) {
    const atMs = Math.round(index * shape.intervalMs);
    if (atMs - openedAtMs >= LINGER_MS) close();
    for (let speaker = 0; speaker < shape.speakers; speaker++) {
      for (const message of messages(shape, index, speaker, atMs)) {
        const sizes = [...open, message].map(({ length }) => length);
        if (aggregateSize(KEY.length, sizes) > TARGET_BYTES) close();
        if (open.length === 0) openedAtMs = atMs;
        open.push(message);
      }
    }
  }
  close();
  return records;
}

const SPEAKERS = ['John Smith', 'Zoë Ada Park', 'Ana', 'Jürgen Müller', '佐藤 花子'];

function messages(shape: Shape, index: number, speaker: number, atMs: number): Buffer[] {
  const payload = Buffer.alloc(shape.sizeBytes(index));
  for (let at = 0; at < payload.length; at++) payload[at] = (at * 31 + index * 7 + speaker) & 0xff;
  const isAudio = shape.mediaType === 1;
  const record = {
    rtmsStreamId: KEY,
    epoch: 1,
    sequence: index + 1,
    mediaType: shape.mediaType,
    userId: 16_778_240 + 1_024 * speaker,
    userName: SPEAKERS[speaker] ?? '',
    capturedAtMs: START_MS + atMs,
    receivedAtMs: START_MS + atMs + 37,
    codec: shape.codec,
    ...(isAudio ? { sampleRateHz: 16_000, channels: 1 } : { width: 1_280, height: 720 }),
    payload,
  };
  return splitIntoChunks(record, shape.chunkBytes);
}
