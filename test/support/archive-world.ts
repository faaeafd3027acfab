import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateStreamCommand,
  type KinesisClient,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import { LocalEventBridge } from '../../local/aws/event-bridge.ts';
import { FaultProxy } from '../../local/aws/fault-proxy.ts';
import { createAwsRouter } from '../../local/aws/router.ts';
import { type Child, startChild } from '../../local/child.ts';
import {
  type KinesisServer,
  type KinesisServerOptions,
  startKinesisServer,
} from '../../local/kinesis/server.ts';
import { MEDIA_TYPE_BIT } from '../../rtms/protocol/media-type.ts';
import { eventsOfObject } from '../../sdk/consumer/archive/event-lines.ts';
import { parseName, sessionFolder } from '../../sdk/consumer/archive/layout.ts';
import { framesOfObject } from '../../sdk/consumer/archive/media-object.ts';
import type { ArchiverEnv } from '../../shared/env.ts';
import type { MediaRecord } from '../../shared/record/media-record.ts';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { createGroupTable, startGroupTables } from './group-table.ts';
import { connect } from './kinesis-client.ts';
import { startTestS3, type TestS3 } from './local-s3.ts';
import { bareEnvironment } from './rtms-command.ts';
import { eventBytes, mediaRecord, packed, START_MS } from './test-records.ts';

/** Kinesis, DynamoDB, S3 and EventBridge on this machine, and archivers as processes that can be killed. */
export interface ArchiveWorld extends AsyncDisposable {
  readonly kinesis: KinesisServer;
  readonly client: KinesisClient;
  readonly s3: TestS3;
  /** Between the archivers and S3. */
  readonly s3Faults: FaultProxy;
  readonly eventBridge: LocalEventBridge;
  /** Lines of all archivers that are JSON with an `event`. */
  readonly log: Record<string, unknown>[];
  /** Starts one, with changed variables. */
  start(changes?: Partial<ArchiverEnv & ProcessEnvironment>): Child;
  /** All there is of a session in S3. @throws when an identity is there twice, or an object cannot be read */
  stored(rtmsStreamId: string): Promise<StoredSession>;
  /** `rtms` as a process, with `--archive`, in a folder of its own. It has neither streams nor a table. */
  rtms(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }>;
}

/** What else an archiver is started with. */
interface ProcessEnvironment {
  /** @default by way of `s3Faults` */
  readonly AWS_ENDPOINT_URL_S3: string;
  readonly NODE_OPTIONS: string;
}

export interface StoredSession {
  /** Names of all objects, sorted. */
  readonly names: readonly string[];
  /** `<media type> <source> <epoch>/<sequence>` of every frame. */
  readonly frames: readonly string[];
  readonly events: readonly string[];
}

export const WORLD_STREAMS = { media: 'media', events: 'events' } as const;
const AWS = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
};
const RTMS = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const TABLES = ['archive-media', 'archive-events', 'archive-sessions'] as const;

/** @param kinesisOptions for runs that hold more than the local Kinesis keeps, or by another clock */
export async function startArchiveWorld(
  mediaShards: number,
  kinesisOptions: KinesisServerOptions = {},
): Promise<ArchiveWorld> {
  const stack = new AsyncDisposableStack();
  const kinesis = await startKinesisServer(kinesisOptions);
  stack.defer(() => kinesis.close());
  const client = connect(kinesis.url);
  stack.defer(() => client.destroy());
  const tables = stack.use(await startGroupTables());
  const dynamodb = new DynamoDBClient(tables.dynamodb);
  stack.defer(() => dynamodb.destroy());
  for (const table of TABLES) await createGroupTable(dynamodb, table);
  const s3 = stack.use(await startTestS3());
  const s3Faults = await FaultProxy.start(0, Number(new URL(s3.endpoint).port));
  stack.defer(() => s3Faults.close());
  const eventBridge = new LocalEventBridge();
  const bus = createAwsRouter(eventBridge.operations());
  const busPort = await listen(bus, 0);
  stack.defer(() => closeServer(bus));
  for (const [StreamName, ShardCount] of [
    [WORLD_STREAMS.media, mediaShards],
    [WORLD_STREAMS.events, 1],
  ] as const)
    await client.send(new CreateStreamCommand({ StreamName, ShardCount }));
  const folder = await mkdtemp(join(tmpdir(), 'rtms-archive-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const description = join(folder, 'rtms.json');
  const region = AWS.region;
  await writeFile(description, JSON.stringify({ region, endpoints: { s3: s3.endpoint } }));
  const log: Record<string, unknown>[] = [];
  const children: Child[] = [];
  stack.defer(async () => {
    for (const child of children) child.process.kill('SIGKILL');
    await Promise.all(children.map((child) => child.exited));
  });
  const environment = {
    DEPLOYMENT: 'test',
    MEDIA_STREAM: WORLD_STREAMS.media,
    EVENTS_STREAM: WORLD_STREAMS.events,
    MEDIA_GROUP_TABLE: TABLES[0],
    EVENTS_GROUP_TABLE: TABLES[1],
    ARCHIVE_TABLE: TABLES[2],
    ARCHIVE_BUCKET: s3.bucket,
    ARCHIVE_PREFIX: 'all/',
    ARCHIVE_BUFFER_MIB: '64',
    ARCHIVE_MAX_AGE_SECONDS: '2',
    ARCHIVE_IDLE_SECONDS: '3600',
    ARCHIVE_MEETING_FILE: 'none',
    ARCHIVE_ON_REVOCATION: 'delete',
    ARCHIVE_BYPASS_GOVERNANCE: 'no',
    LOG_LEVEL: 'INFO',
    AWS_REGION: AWS.region,
    AWS_ACCESS_KEY_ID: AWS.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: AWS.credentials.secretAccessKey,
    AWS_ENDPOINT_URL_KINESIS: kinesis.url,
    AWS_ENDPOINT_URL_DYNAMODB: tables.dynamodb.endpoint,
    AWS_ENDPOINT_URL_S3: s3Faults.url,
    AWS_ENDPOINT_URL_EVENTBRIDGE: `http://127.0.0.1:${busPort}`,
  } satisfies ArchiverEnv & Record<string, string>;
  return {
    kinesis,
    client,
    s3,
    s3Faults,
    eventBridge,
    log,
    start(changes = {}) {
      const child = startChild(
        'functions/archiver/main.ts',
        [],
        { ...environment, ...changes } as Record<string, string>,
        (_, json) => {
          if (json?.['event'] !== undefined) log.push(json);
        },
      );
      children.push(child);
      return child;
    },
    stored: (rtmsStreamId) => readStored(s3, rtmsStreamId),
    rtms: (...args) =>
      new Promise((resolve) =>
        execFile(
          process.execPath,
          [RTMS, ...args, '--archive', `s3://${s3.bucket}/all`, '--config', description],
          { cwd: folder, env: { ...bareEnvironment(), HOME: folder } },
          (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
        ),
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function readStored({ store }: TestS3, rtmsStreamId: string): Promise<StoredSession> {
  const folder = sessionFolder('all/', rtmsStreamId);
  const names: string[] = [];
  const frames: string[] = [];
  const events: string[] = [];
  for await (const { key } of store.list(folder)) {
    const name = key.slice(folder.length);
    names.push(name);
    const body = (await store.get(key))?.body ?? Buffer.alloc(0);
    const { kind } = parseName(name);
    if (kind === 'media')
      for (const { mediaType, userId, epoch, sequence } of framesOfObject(body))
        frames.push(`${mediaType} ${userId} ${epoch}/${sequence}`);
    if (kind === 'events') events.push(...eventsOfObject(body).map(({ id }) => id));
  }
  if (new Set(frames).size !== frames.length)
    throw new Error(`a frame of ${rtmsStreamId} is there twice`);
  if (new Set(events).size !== events.length)
    throw new Error(`an event of ${rtmsStreamId} is there twice`);
  return { names: names.sort(), frames: frames.sort(), events: events.sort() };
}

/** A session as a runner would write it: people who speak, and events, with a ledger at the end. */
export class WrittenSession {
  readonly rtmsStreamId: string;
  readonly #client: KinesisClient;
  readonly #startMs: number;
  readonly #spoken = new Map<number, number>();
  readonly #written = new Map<string, { mediaType: number; userId: number; count: number }>();
  #lines = 0;

  /** @param startMs when it begins, by the clock of its runner */
  constructor(client: KinesisClient, rtmsStreamId: string, startMs = START_MS) {
    this.#client = client;
    this.rtmsStreamId = rtmsStreamId;
    this.#startMs = startMs;
  }

  /** What an archive has to hold of it, as `StoredSession`. */
  get wanted(): Pick<StoredSession, 'frames' | 'events'> {
    const frames = [...this.#spoken].flatMap(([userId, count]) =>
      Array.from({ length: count }, (_, index) => `audio ${userId} 1/${index + 1}`),
    );
    const events = Array.from(
      { length: this.#lines },
      (_, index) => `${this.rtmsStreamId}/1/${index + 1}`,
    );
    return { frames: frames.sort(), events: events.sort() };
  }

  /** @param continues the stream of the same meeting that this one goes on with */
  async begin(continues?: string): Promise<void> {
    await this.#event('session_started', {
      product: 'meeting',
      entityId: 'a/b==',
      media: continues === undefined ? {} : { audio: {} as never },
      requestedAtMs: this.#startMs,
      claimedAtMs: this.#startMs,
      streamingAtMs: this.#startMs,
      ...(continues !== undefined && {
        continues: { rtmsStreamId: continues },
      }),
    });
  }

  /** Writes the next frames of people, `everyMs` after each other. */
  async speak(userIds: readonly number[], count: number, everyMs = 20): Promise<void> {
    for (const userId of userIds) {
      const from = this.#spoken.get(userId) ?? 0;
      const records = Array.from({ length: count }, (_, index): MediaRecord => {
        const sequence = from + index + 1;
        const atMs = this.#startMs + sequence * everyMs;
        const { rtmsStreamId } = this;
        const times = { capturedAtMs: atMs, receivedAtMs: atMs + 20 };
        return mediaRecord({
          rtmsStreamId,
          sequence,
          userId,
          ...times,
          payload: Buffer.alloc(160, sequence),
        });
      });
      this.#spoken.set(userId, from + count);
      const { data } = packed(records, this.rtmsStreamId);
      await this.#put(WORLD_STREAMS.media, data);
    }
  }

  /** Writes frames of any kind, in their order. */
  async write(records: readonly MediaRecord[]): Promise<void> {
    for (const { mediaType, userId = 0 } of records) {
      const name = `${mediaType} ${userId}`;
      const { count = 0 } = this.#written.get(name) ?? {};
      this.#written.set(name, { mediaType, userId, count: count + 1 });
    }
    const { data } = packed(records, this.rtmsStreamId);
    await this.#put(WORLD_STREAMS.media, data);
  }

  async say(text: string): Promise<void> {
    const timestampMs = this.#startMs + this.#lines * 1_000;
    await this.#event('transcript', { text, userId: 1, timestampMs }, timestampMs);
  }

  async revoke(): Promise<void> {
    await this.#event('session_revoked', { timestampMs: this.#startMs });
  }

  async end(): Promise<void> {
    const counts = [...this.#spoken].map(
      ([userId, count]) =>
        ({ mediaType: 'audio', userId, received: count, written: count, lost: 0 }) as const,
    );
    const written = [...this.#written.values()].map(({ mediaType, userId, count }) => ({
      mediaType: mediaType === MEDIA_TYPE_BIT.audio ? ('audio' as const) : ('video' as const),
      ...{ userId, received: count, written: count, lost: 0 },
    }));
    const others = this.#lines - this.#transcripts;
    const rows = [
      ...counts,
      ...written,
      { mediaType: 'events', received: others, written: others, lost: 0 },
      { mediaType: 'transcript', received: this.#transcripts, written: this.#transcripts, lost: 0 },
    ] as const;
    await this.#event('session_ended', { stopReason: 6, restartable: false, ledger: [...rows] });
  }

  #transcripts = 0;

  async #event(...[name, data, timeMs = this.#startMs]: EventArguments): Promise<void> {
    this.#lines += 1;
    if (name === 'transcript') this.#transcripts += 1;
    const { rtmsStreamId } = this;
    const bytes = eventBytes(name, data as never, this.#lines, { rtmsStreamId, timeMs });
    await this.#put(WORLD_STREAMS.events, bytes);
  }

  async #put(StreamName: string, Data: Uint8Array): Promise<void> {
    const Records = [{ Data, PartitionKey: this.rtmsStreamId }];
    for (;;) {
      const { FailedRecordCount } = await this.#client.send(
        new PutRecordsCommand({ StreamName, Records }),
      );
      if (!FailedRecordCount) return;
    }
  }
}

type EventArguments = [
  name: Parameters<typeof eventBytes>[0],
  data: Parameters<typeof eventBytes>[1],
  timeMs?: number,
];
