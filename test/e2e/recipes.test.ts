import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { ALL_FORMATS, FilePathSource, Input } from 'mediabunny';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  createRecorder,
  type ObjectFacts,
  type ObjectStore,
} from '../../docs/examples/consumers/s3-recorder.ts';
import { type KinesisServer, startKinesisServer } from '../../local/kinesis/server.ts';
import { decodeKinesisEvent } from '../../sdk/consumer/index.ts';
import { encodeMediaRecord, splitIntoChunks } from '../../shared/record/encode-media-record.ts';
import { encodeEvent } from '../../shared/record/event.ts';
import { encodeAggregate } from '../../shared/record/kpl.ts';
import type { MediaRecord } from '../../shared/record/media-record.ts';
import { bareEnvironment } from '../support/rtms-command.ts';
import { waitFor } from '../support/wait.ts';

/** The recipes of docs/examples/consumers, on records that went through the local Kinesis server. */

const RECIPES = 'docs/examples/consumers';
const ID = 'a+b/c==';
const START_MS = Date.parse('2026-11-22T10:00:00Z');
const ORIGIN = { rtmsStreamId: ID, epoch: 1, product: 'meeting', entityId: 'm/1==' } as const;
const ADA = { userId: 16_778_240, userName: 'Ada' };

interface Put {
  readonly stream: 'media' | 'events';
  readonly PartitionKey: string;
  readonly Data: Buffer;
}

function frame(mediaType: 1 | 2 | 4, codec: number, sequence: number, payload: Buffer) {
  const atMs = START_MS + sequence * 20;
  const times = { capturedAtMs: atMs, receivedAtMs: atMs + 40 };
  const record = { rtmsStreamId: ID, epoch: 1, sequence, mediaType, codec, payload };
  return { ...record, ...ADA, ...times } satisfies MediaRecord;
}

/** One of everything a reader must understand: aggregates, bare records, chunks, repeats, a late writer. */
function putAll(): Put[] {
  const pcm = [1, 2, 3].map((n) => frame(1, 1, n, Buffer.alloc(640, n)));
  const opus = [1, 2].map((n) => ({ ...frame(1, 4, n, Buffer.alloc(60, n)), channelId: 'ch 7' }));
  const slide = frame(4, 5, 1, Buffer.from('a jpg in two chunks'.repeat(20)));
  const aggregate = encodeAggregate(ID, pcm.slice(0, 2).map(encodeMediaRecord));
  const onPhone = opus.map(({ userId: _, ...rest }) => encodeMediaRecord(rest));
  const late = encodeMediaRecord({ ...frame(1, 1, 9, Buffer.alloc(640)), epoch: 1 });
  const next = encodeMediaRecord({ ...frame(1, 1, 1, Buffer.alloc(640, 7)), epoch: 2 });
  const media = (Data: Buffer, PartitionKey = ID): Put => ({ stream: 'media', PartitionKey, Data });
  const event = (...args: Parameters<typeof encodeEvent>): Put => ({
    stream: 'events',
    PartitionKey: ID,
    Data: encodeEvent(...args),
  });
  const said = { text: 'The budget, déjà vu.', ...ADA, timestampMs: START_MS };
  const gap = { mediaType: 'audio', userId: ADA.userId, cause: 'buffer_full' } as const;
  const range = { fromSequence: 4, toSequence: 8, count: 5, bytes: 3_200 };
  const times = { fromMs: START_MS, toMs: START_MS + 100 };
  return [
    media(aggregate),
    media(aggregate),
    media(encodeMediaRecord(pcm[2] as MediaRecord)),
    media(encodeAggregate('phone', onPhone), 'phone'),
    ...splitIntoChunks(slide, 300).map((chunk) => media(chunk, `${ID}#v#16778240`)),
    media(encodeAggregate(ID, [next])),
    media(late),
    event(ORIGIN, 'transcript', 1, START_MS, said),
    event(ORIGIN, 'transcript', 1, START_MS, said),
    event(ORIGIN, 'gap', 2, START_MS + 50, { ...gap, ...range, ...times }),
    event(ORIGIN, 'session_ended', 3, START_MS + 99, {
      stopReason: 6,
      stopReasonName: 'MEETING_ENDED',
      restartable: false,
      ledger: [],
    }),
  ];
}

interface Stored {
  readonly Data: string;
  readonly PartitionKey: string;
  readonly SequenceNumber: string;
}

const folder = mkdtempSync(join(tmpdir(), 'rtms-recipes-'));
let server: KinesisServer;
let client: KinesisClient;
const stored: Record<'media' | 'events', Stored[]> = { media: [], events: [] };

async function readBack(StreamName: string): Promise<Stored[]> {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
  const records: Stored[] = [];
  for (const { ShardId } of Shards) {
    const position = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
    const { ShardIterator } = await client.send(new GetShardIteratorCommand(position));
    const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
    for (const { Data, PartitionKey = '', SequenceNumber = '' } of Records) {
      records.push({
        Data: Buffer.from(Data ?? []).toString('base64'),
        PartitionKey,
        SequenceNumber,
      });
    }
  }
  return records;
}

/** As Lambda hands it to a function. */
function lambdaEvent(records: readonly Stored[]) {
  return {
    Records: records.map(({ Data, PartitionKey, SequenceNumber }) => ({
      kinesis: { data: Data, partitionKey: PartitionKey, sequenceNumber: SequenceNumber },
    })),
  };
}

beforeAll(async () => {
  server = await startKinesisServer();
  client = new KinesisClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    endpoint: server.url,
    requestHandler: new NodeHttpHandler(),
  });
  for (const StreamName of ['media', 'events']) {
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  }
  for (const { stream, ...put } of putAll()) {
    await client.send(new PutRecordCommand({ StreamName: stream, ...put }));
  }
  stored.media = await readBack('media');
  stored.events = await readBack('events');
});

afterAll(async () => {
  client?.destroy();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const hasFfprobe = spawnSync('ffprobe', ['-version']).status === 0;

test.runIf(process.env['RTMS_REQUIRE_MEDIA_TOOLS'] === '1')(
  'RTMS_REQUIRE_MEDIA_TOOLS: ffprobe is installed',
  () => {
    expect(hasFfprobe).toBe(true);
  },
);

describe('the Lambda to S3 recorder', () => {
  /** What S3 is to it. */
  class Bucket implements ObjectStore {
    readonly objects = new Map<string, { body: Buffer; about: ObjectFacts }>();
    failOn = '';
    /** Called when an object of media was stored. */
    onMedia: (() => Promise<void>) | undefined;

    async put(key: string, body: Uint8Array, about: ObjectFacts): Promise<void> {
      if (this.failOn !== '' && key.includes(this.failOn)) throw new Error('503');
      this.objects.set(key, { body: Buffer.from(body), about });
      if (key.includes('/audio/')) await this.onMedia?.();
    }
    async exists(key: string): Promise<boolean> {
      return this.objects.has(key);
    }
    async deleteAll(prefix: string): Promise<void> {
      for (const key of this.objects.keys()) if (key.startsWith(prefix)) this.objects.delete(key);
    }
    get keys(): string[] {
      return [...this.objects.keys()].sort();
    }
  }

  const first = '2026-11-22T10:00:00.020Z-0000000001';
  const MEDIA = [
    `${ID}/1/audio/channel-ch%207/${first}.frames.jsonl`,
    `${ID}/1/audio/channel-ch%207/${first}.ogg`,
    `${ID}/1/audio/user-16778240/${first}.frames.jsonl`,
    `${ID}/1/audio/user-16778240/${first}.wav`,
    `${ID}/1/deskshare/user-16778240/${first}.jpg`,
    `${ID}/2/audio/user-16778240/${first}.frames.jsonl`,
    `${ID}/2/audio/user-16778240/${first}.wav`,
  ];

  test('stores one object for each source of a batch, with capture times and names', async () => {
    const bucket = new Bucket();
    const handler = createRecorder(bucket);
    expect(await handler(lambdaEvent(stored.media))).toEqual({ batchItemFailures: [] });
    expect(bucket.keys).toEqual(MEDIA);
    expect(await handler(lambdaEvent(stored.events))).toEqual({ batchItemFailures: [] });
    expect(bucket.keys.filter((key) => key.includes('/events/'))).toHaveLength(3);
    const object = (name: string) => bucket.objects.get(`${ID}/1/${name}`);
    const wav = object(`audio/user-16778240/${first}.wav`);
    expect(wav?.body.subarray(44)).toEqual(
      Buffer.concat([1, 2, 3].map((byte) => Buffer.alloc(640, byte))),
    );
    expect(wav?.about.metadata).toEqual({
      'user-name': 'Ada',
      'captured-at': '2026-11-22T10:00:00.020Z',
      'first-sequence': '1',
      'last-sequence': '3',
    });
    const lines = String(object(`audio/user-16778240/${first}.frames.jsonl`)?.body).trim();
    expect(lines.split('\n').map((line) => JSON.parse(line))).toEqual(
      [1, 2, 3].map((sequence) => ({
        sequence,
        capturedAt: new Date(START_MS + sequence * 20).toISOString(),
        userName: 'Ada',
      })),
    );
    expect(String(object(`deskshare/user-16778240/${first}.jpg`)?.body)).toMatch(/^a jpg in two/);
    expect(JSON.parse(String(object('events/0000000001.json')?.body))).toMatchObject({
      name: 'transcript',
      data: { text: 'The budget, déjà vu.' },
    });
  });

  test('stores the same objects when a batch that failed comes again', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const bucket = new Bucket();
    const handler = createRecorder(bucket);
    bucket.failOn = '.ogg';
    const itemIdentifier = stored.media[0]?.SequenceNumber;
    const failed = await handler(lambdaEvent(stored.media));
    expect(failed).toEqual({ batchItemFailures: [{ itemIdentifier }] });
    bucket.failOn = '';
    expect(await handler(lambdaEvent(stored.media))).toEqual({ batchItemFailures: [] });
    expect(bucket.keys).toEqual(MEDIA);
    vi.restoreAllMocks();
  });

  test('stores a picture whose chunks are in two batches once, in the second one', async () => {
    const bucket = new Bucket();
    const handler = createRecorder(bucket);
    const chunk = stored.media.findIndex(({ PartitionKey }) => PartitionKey.includes('#v#'));
    const batch = stored.media.slice(0, chunk + 1);
    const itemIdentifier = stored.media[chunk]?.SequenceNumber;
    expect(await handler(lambdaEvent(batch))).toEqual({ batchItemFailures: [{ itemIdentifier }] });
    expect(bucket.keys.filter((key) => key.endsWith('.jpg'))).toEqual([]);
    await handler(lambdaEvent(stored.media.slice(chunk)));
    expect(bucket.keys.filter((key) => key.endsWith('.jpg'))).toHaveLength(1);
  });

  test('keeps every other frame when one cannot be played', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const bucket = new Bucket();
    const frames = [Buffer.from('f8fffe', 'hex'), Buffer.alloc(0)].map((payload, index) => ({
      Data: encodeMediaRecord(frame(1, 4, index + 1, payload)).toString('base64'),
      PartitionKey: ID,
      SequenceNumber: String(index + 1),
    }));
    const answer = await createRecorder(bucket)(lambdaEvent(frames));
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(bucket.keys.filter((key) => key.endsWith('.ogg'))).toHaveLength(1);
    vi.restoreAllMocks();
  });

  test('puts no silence of hours before what was said for one odd capture time', async () => {
    const bucket = new Bucket();
    const frames = [0, -7_200_000, 0, 0].map((shiftMs, index) => {
      const record = frame(1, 1, index + 1, Buffer.alloc(640, index + 1));
      const capturedAtMs = record.capturedAtMs + shiftMs;
      return {
        Data: encodeMediaRecord({ ...record, capturedAtMs }).toString('base64'),
        PartitionKey: ID,
        SequenceNumber: String(index + 1),
      };
    });
    await createRecorder(bucket)(lambdaEvent(frames));
    const [wav] = [...bucket.objects].filter(([key]) => key.endsWith('.wav'));
    expect(wav?.[1].body.length).toBe(44 + 4 * 640);
  });

  describe('when Zoom takes the consent back', () => {
    const revocation = lambdaEvent(
      [
        encodeEvent(ORIGIN, 'transcript', 4, START_MS, { text: 'private', timestampMs: START_MS }),
        encodeEvent(ORIGIN, 'session_revoked', 5, START_MS, { timestampMs: START_MS }),
      ].map((data, index) => ({
        Data: data.toString('base64'),
        PartitionKey: ID,
        SequenceNumber: String(index + 1),
      })),
    );
    const NOTHING = [`revoked/${ID}.json`];

    test('deletes what it has of that session, and keeps nothing that comes later', async () => {
      const bucket = new Bucket();
      const handler = createRecorder(bucket);
      await handler(lambdaEvent(stored.media));
      expect(await handler(revocation)).toEqual({ batchItemFailures: [] });
      expect(bucket.keys).toEqual(NOTHING);
      await handler(lambdaEvent(stored.media));
      expect(bucket.keys).toEqual(NOTHING);
    });

    test('keeps nothing of media that are stored at that moment', async () => {
      const bucket = new Bucket();
      const handler = createRecorder(bucket);
      bucket.onMedia = async () => {
        bucket.onMedia = undefined;
        await handler(revocation);
      };
      await handler(lambdaEvent(stored.media));
      expect(bucket.keys).toEqual(NOTHING);
    });

    test('has the batch sent again when it cannot delete', async () => {
      vi.spyOn(process.stderr, 'write').mockReturnValue(true);
      const bucket = new Bucket();
      bucket.deleteAll = () => Promise.reject(new Error('403'));
      const answer = await createRecorder(bucket)(revocation);
      expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }] });
      vi.restoreAllMocks();
    });
  });

  test.skipIf(!hasFfprobe)(
    'writes Ogg and WAV that ffprobe reads (skipped: no ffprobe)',
    async () => {
      const bucket = new Bucket();
      const packets = Array.from({ length: 50 }, (_, index) =>
        frame(1, 4, index + 1, Buffer.from('f8fffe', 'hex')),
      );
      const pcm = Array.from({ length: 50 }, (_, index) => ({
        ...frame(1, 1, index + 1, Buffer.alloc(640, 1)),
        userId: 7,
      }));
      const records = [...packets, ...pcm].map((record, index) => ({
        Data: encodeMediaRecord(record).toString('base64'),
        PartitionKey: ID,
        SequenceNumber: String(index + 1),
      }));
      await createRecorder(bucket)(lambdaEvent(records));
      const seen: string[] = [];
      for (const [key, { body }] of bucket.objects) {
        if (key.endsWith('.jsonl')) continue;
        const path = join(folder, `object${key.slice(key.lastIndexOf('.'))}`);
        writeFileSync(path, body);
        const entries = 'stream=codec_name:format=duration';
        const args = ['-v', 'error', '-show_entries', entries, '-of', 'csv=p=0', path];
        const { stdout, stderr } = spawnSync('ffprobe', args, { encoding: 'utf8' });
        expect(stderr).toBe('');
        const [codec, seconds] = stdout.trim().split('\n');
        seen.push(`${codec} ${Number(seconds).toFixed(1)}`);
      }
      expect(seen.sort()).toEqual(['opus 1.0', 'pcm_s16le 1.0']);
    },
  );
});

describe('the live transcript', () => {
  let child: ChildProcess;
  afterAll(() => child?.kill('SIGKILL'));

  test('prints what is said from then on, and ends with Ctrl-C', async () => {
    child = spawn(process.execPath, [`${RECIPES}/live-transcript.ts`, 'events'], {
      env: {
        ...bareEnvironment(),
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        AWS_ENDPOINT_URL_KINESIS: server.url,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    // It begins at the tip, wherever that is when it is ready: say it until it is heard.
    let sequence = 100;
    await waitFor(
      async () => {
        sequence += 1;
        const data = { text: 'Hello\u001b[2J', ...ADA, timestampMs: START_MS };
        const Data = encodeEvent(ORIGIN, 'transcript', sequence, START_MS, data);
        await client.send(new PutRecordCommand({ StreamName: 'events', PartitionKey: ID, Data }));
        expect(output).toContain('10:00:00  Ada: Hello [2J\n');
      },
      { interval: 200 },
    );
    const closed = once(child, 'close');
    child.kill('SIGINT');
    expect(await closed).toEqual([0, null]);
  });
});

describe('the Athena table', () => {
  const ddl = readFileSync(`${RECIPES}/athena/events.sql`, 'utf8');
  const [columnText = ''] = ddl.split('PARTITIONED BY');
  const columns = [...columnText.matchAll(/^ {2}`(\w+)` \w+/gm)].map(([, name]) => name as string);
  const lines = () =>
    stored.events.flatMap(({ Data }) => Buffer.from(Data, 'base64').toString().trim().split('\n'));

  test('has a column for every attribute of an event, and no other', () => {
    for (const line of lines()) expect(Object.keys(JSON.parse(line))).toEqual(columns);
  });

  test('reads where Firehose writes', () => {
    const firehose = JSON.parse(readFileSync(`${RECIPES}/athena/firehose.json`, 'utf8'));
    const { Prefix, BucketARN } = firehose.ExtendedS3DestinationConfiguration;
    const bucket = BucketARN.replace('arn:aws:s3:::', 's3://');
    const [, template] = /'storage.location.template' = '(.*)'/.exec(ddl) ?? [];
    expect(template?.replace(/\$\{day\}/, '!{timestamp:yyyy-MM-dd}')).toBe(`${bucket}/${Prefix}`);
    expect(ddl).toContain(`LOCATION '${bucket}/rtms-events/'`);
  });

  test('answers its questions', () => {
    const database = new DatabaseSync(':memory:');
    database.exec(`CREATE TABLE rtms_events (${[...columns, 'day'].map((c) => `"${c}"`)})`);
    // Athena's function, in SQLite.
    database.function('json_extract_scalar', (json, path) => {
      const value = JSON.parse(String(json))[String(path).slice(2)];
      return value === undefined ? null : String(value);
    });
    const insert = database.prepare(
      `INSERT INTO rtms_events VALUES (${[...columns, 'day'].map(() => '?')})`,
    );
    for (const line of lines()) {
      const event = JSON.parse(line);
      const row = columns.map((c) => (c === 'data' ? JSON.stringify(event.data) : event[c]));
      insert.run(...row, '2026-11-22');
    }
    const questions = readFileSync(`${RECIPES}/athena/questions.sql`, 'utf8');
    const ask = (name: string) => {
      const [, text = ''] = questions.split(`-- name: ${name}\n`);
      const [query = ''] = text.split(';');
      return database.prepare(query).all();
    };
    expect(ask('who said a word')).toEqual([
      expect.objectContaining({ speaker: 'Ada', words: 'The budget, déjà vu.' }),
    ]);
    expect(ask('what was lost, and why')).toEqual([
      { rtms_stream_id: ID, media: 'audio', cause: 'buffer_full', lost: 5 },
    ]);
    expect(ask('meetings, and how they ended')).toEqual([
      {
        rtms_stream_id: ID,
        first_event: '2026-11-22T10:00:00.000Z',
        epochs: 1,
        ended: 'MEETING_ENDED',
      },
    ]);
  });
});

const hasPython = spawnSync('python3', ['--version']).status === 0;

describe.skipIf(!hasPython)('the Python reader (skipped: no python3 on this machine)', () => {
  const sample = `${RECIPES}/python/sample.jsonl`;

  async function python(...args: string[]) {
    const file = `${RECIPES}/python/read_records.py`;
    const child = promisify(execFile)('python3', ['-B', file, ...args]);
    const { stdout, stderr } = await child.catch((error) => error);
    const lines = String(stdout).split('\n').filter(Boolean);
    return { lines: lines.map((line) => JSON.parse(line)), stderr: String(stderr) };
  }

  test('reads what the consumer kit reads, frame by frame', async () => {
    const file = join(folder, 'records.jsonl');
    const records = [...stored.media, ...stored.events];
    writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    const { lines, stderr } = await python(file);
    expect(stderr).toBe('');
    const kit = decodeKinesisEvent(lambdaEvent(records));
    const frames = lines.filter(({ kind }) => kind === 'frame');
    expect(frames).toEqual(
      kit.frames.map(({ rtmsStreamId, epoch, sequence, mediaType, codec, payload, ...rest }) =>
        expect.objectContaining({
          rtmsStreamId,
          epoch,
          sequence,
          mediaType,
          codec,
          ...(rest.userId === undefined ? { channelId: rest.channelId } : { userId: rest.userId }),
          capturedAtMs: rest.capturedAt.getTime(),
          sha256: createHash('sha256').update(payload).digest('hex'),
        }),
      ),
    );
    const ids = lines.filter(({ kind }) => kind === 'event').map(({ id }) => id);
    expect(ids).toEqual(kit.events.map(({ id }) => id));
  });

  test('tells of damaged records and reads on', async () => {
    const [first, , third] = stored.media as [Stored, Stored, Stored];
    const damaged = Buffer.from(third.Data, 'base64');
    damaged[damaged.length - 1] = 0xff;
    const records = [
      { ...third, Data: damaged.toString('base64') },
      { ...third, Data: 'AAAA' },
      first,
    ];
    const file = join(folder, 'damaged.jsonl');
    writeFileSync(file, records.map((record) => JSON.stringify(record)).join('\n'));
    const { lines, stderr } = await python(file);
    expect(lines).toHaveLength(2);
    expect(stderr.match(new RegExp(`${third.SequenceNumber}: skipped`, 'g'))).toHaveLength(2);
    expect(stderr).toContain('does not match its checksum');
  });

  test('reads the sample file, which holds what is written today', async () => {
    const written = putAll().map(({ PartitionKey, Data }, index) =>
      JSON.stringify({
        Data: Data.toString('base64'),
        PartitionKey,
        SequenceNumber: `${index + 1}`,
      }),
    );
    if (process.env['UPDATE_SAMPLE']) writeFileSync(sample, `${written.join('\n')}\n`);
    expect(readFileSync(sample, 'utf8')).toBe(`${written.join('\n')}\n`);
    const out = join(folder, 'python');
    const { lines } = await python('--out', out, sample);
    expect(lines).toHaveLength(10);
    expect(readdirSync(out).sort()).toEqual([
      'a-b-c---channel-ch-7-audio.ogg',
      'a-b-c---user-16778240-audio.l16',
      `a-b-c---user-16778240-deskshare-${START_MS + 20}.jpg`,
    ]);
  });

  test('writes Opus that another program plays in time, with silence for what lacks', async () => {
    const packet = (sequence: number, atMs: number) => ({
      ...frame(1, 4, sequence, Buffer.from('f8fffe', 'hex')),
      capturedAtMs: START_MS + atMs,
    });
    const packets = [packet(1, 0), packet(2, 20), packet(3, 500)];
    const rows = packets.map((record, index) => ({
      Data: encodeMediaRecord(record).toString('base64'),
      PartitionKey: ID,
      SequenceNumber: String(index + 1),
    }));
    const file = join(folder, 'opus.jsonl');
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const out = join(folder, 'python-opus');
    await python('--out', out, file);
    const [name = ''] = readdirSync(out);
    const source = new FilePathSource(join(out, name));
    const input = new Input({ source, formats: ALL_FORMATS });
    const track = await input.getPrimaryAudioTrack();
    // 520 ms, less what a decoder needs to begin.
    expect(await track?.computeDuration()).toBeCloseTo(0.52, 1);
    input.dispose();
  });
});
