import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { buffer } from 'node:stream/consumers';
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
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createRecorder, type ObjectStore } from '../../docs/examples/consumers/s3-recorder.ts';
import { type KinesisServer, startKinesisServer } from '../../local/kinesis/server.ts';
import { decodeKinesisEvent } from '../../sdk/consumer/index.ts';
import { encodeMediaRecord, splitIntoChunks } from '../../shared/record/encode-media-record.ts';
import { encodeEvent } from '../../shared/record/event.ts';
import { encodeAggregate } from '../../shared/record/kpl.ts';
import type { MediaRecord } from '../../shared/record/media-record.ts';

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

describe('the Lambda to S3 recorder', () => {
  /** What S3 is to it: PUT an object, get 200. */
  const objects = new Map<string, { body: Buffer; type: string | undefined }>();
  let bucket: Server;
  let failOn: string | undefined;
  let store: ObjectStore;

  beforeAll(async () => {
    bucket = createServer(async (request, response) => {
      const key = decodeURIComponent((request.url ?? '').slice(1));
      const body = await buffer(request);
      const isRefused = failOn !== undefined && key.includes(failOn);
      if (!isRefused) objects.set(key, { body, type: request.headers['content-type'] });
      response.writeHead(isRefused ? 503 : 200).end();
    });
    await once(bucket.listen(0, '127.0.0.1'), 'listening');
    const { port } = bucket.address() as AddressInfo;
    store = {
      async put(key, body, contentType) {
        const { status } = await fetch(`http://127.0.0.1:${port}/${encodeURIComponent(key)}`, {
          method: 'PUT',
          body: Buffer.from(body),
          headers: { 'content-type': contentType },
        });
        if (status !== 200) throw new Error(`PUT answered ${status}`);
      },
    };
  });

  afterAll(() => bucket.close());

  it('stores frames, pictures and events as objects', async () => {
    const handler = createRecorder(store);
    expect(await handler(lambdaEvent(stored.media))).toEqual({ batchItemFailures: [] });
    expect(await handler(lambdaEvent(stored.events))).toEqual({ batchItemFailures: [] });
    expect([...objects.keys()].sort()).toEqual([
      `${ID}/1/audio/channel-ch%207/0000000001.opus-packets`,
      `${ID}/1/audio/user-16778240/0000000001.pcm`,
      `${ID}/1/audio/user-16778240/0000000003.pcm`,
      `${ID}/1/deskshare/user-16778240/0000000001.jpg`,
      `${ID}/1/events/0000000001.json`,
      `${ID}/1/events/0000000002.json`,
      `${ID}/1/events/0000000003.json`,
      `${ID}/2/audio/user-16778240/0000000001.pcm`,
    ]);
    const body = (name: string) => objects.get(`${ID}/1/${name}`)?.body;
    expect(body('audio/user-16778240/0000000001.pcm')).toEqual(
      Buffer.concat([Buffer.alloc(640, 1), Buffer.alloc(640, 2)]),
    );
    const packets = body('audio/channel-ch%207/0000000001.opus-packets');
    expect(packets?.length).toBe(2 * 62);
    expect(packets?.readUInt16BE(62)).toBe(60);
    expect(body('deskshare/user-16778240/0000000001.jpg')?.toString()).toMatch(/^a jpg in two/);
    expect(JSON.parse(String(body('events/0000000001.json')))).toMatchObject({
      name: 'transcript',
      data: { text: 'The budget, déjà vu.' },
    });
  });

  it('names the record whose object could not be stored, and stores the rest when it comes again', async () => {
    const handler = createRecorder(store);
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    objects.clear();
    failOn = '0000000003.pcm';
    const answer = await handler(lambdaEvent(stored.media));
    const failed = stored.media[2]?.SequenceNumber;
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: failed }] });
    expect(objects.size).toBe(1);
    failOn = undefined;
    const rest = stored.media.slice(2);
    expect(await handler(lambdaEvent(rest))).toEqual({ batchItemFailures: [] });
    expect(objects.size).toBe(5);
    vi.restoreAllMocks();
  });
});

describe('the Lambda to S3 recorder, when Zoom takes the consent back', () => {
  const revoked = [
    encodeEvent(ORIGIN, 'transcript', 4, START_MS, { text: 'private', timestampMs: START_MS }),
    encodeEvent(ORIGIN, 'session_revoked', 5, START_MS, { timestampMs: START_MS }),
  ].map((data, index) => ({
    kinesis: { data: data.toString('base64'), partitionKey: ID, sequenceNumber: `${index + 1}` },
  }));

  it('deletes what it has of that session, and keeps the events that say so', async () => {
    const kept = new Map([[`${ID}/1/audio/x.pcm`, Buffer.alloc(1)]]);
    const handler = createRecorder({
      put: async (key, body) => void kept.set(key, Buffer.from(body)),
      deleteAll: async (prefix) => {
        for (const key of kept.keys()) if (key.startsWith(prefix)) kept.delete(key);
      },
    });
    expect(await handler({ Records: revoked })).toEqual({ batchItemFailures: [] });
    expect([...kept.keys()]).toEqual([`${ID}/1/events/0000000005.json`]);
  });

  it('has the batch sent again when it cannot delete', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const handler = createRecorder({ put: async () => undefined });
    const answer = await handler({ Records: revoked });
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }] });
    vi.restoreAllMocks();
  });
});

describe('the live transcript', () => {
  let child: ChildProcess;
  afterAll(() => child?.kill('SIGKILL'));

  it('prints what is said from then on, and ends with Ctrl-C', async () => {
    child = spawn(process.execPath, [`${RECIPES}/live-transcript.ts`, 'events'], {
      env: {
        PATH: process.env['PATH'],
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
    await vi.waitFor(
      async () => {
        sequence += 1;
        const data = { text: 'Hello\u001b[2J', ...ADA, timestampMs: START_MS };
        const Data = encodeEvent(ORIGIN, 'transcript', sequence, START_MS, data);
        await client.send(new PutRecordCommand({ StreamName: 'events', PartitionKey: ID, Data }));
        expect(output).toContain('10:00:00  Ada: Hello [2J\n');
      },
      { timeout: 10_000, interval: 200 },
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

  it('has a column for every attribute of an event, and no other', () => {
    for (const line of lines()) expect(Object.keys(JSON.parse(line))).toEqual(columns);
  });

  it('reads where Firehose writes', () => {
    const firehose = JSON.parse(readFileSync(`${RECIPES}/athena/firehose.json`, 'utf8'));
    const { Prefix, BucketARN } = firehose.ExtendedS3DestinationConfiguration;
    const bucket = BucketARN.replace('arn:aws:s3:::', 's3://');
    const [, template] = /'storage.location.template' = '(.*)'/.exec(ddl) ?? [];
    expect(template?.replace(/\$\{day\}/, '!{timestamp:yyyy-MM-dd}')).toBe(`${bucket}/${Prefix}`);
    expect(ddl).toContain(`LOCATION '${bucket}/rtms-events/'`);
  });

  it('answers its questions', () => {
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

  it('reads what the consumer kit reads, frame by frame', async () => {
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

  it('tells of damaged records and reads on', async () => {
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

  it('reads the sample file, which holds what is written today', async () => {
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

  it('writes Opus that another program plays in time, with silence for what lacks', async () => {
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
