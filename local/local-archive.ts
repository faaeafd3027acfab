import { rm } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { ArchiverEnv } from '../shared/env.ts';
import { closeServer, LOOPBACK, listen } from '../simulator/sockets/listen.ts';
import { LocalEventBridge, type PutEvent } from './aws/event-bridge.ts';
import type { LocalAws } from './aws/local-aws.ts';
import { createAwsRouter } from './aws/router.ts';
import { startS3 } from './aws/s3.ts';
import { startChild, stopChild } from './child.ts';

/** The archive of the local stack: S3 and EventBridge over HTTP, and the archiver as a process. */
export interface LocalArchive {
  readonly s3: string;
  /** `s3://bucket`, for `rtms … --archive`. */
  readonly url: string;
  /** Starts the archiver. What was written before is read all the same. */
  start(aws: LocalAws): Promise<void>;
  /** Resolves with the event of a recording that is ready, whenever it comes; undefined when the signal comes first. */
  ready(rtmsStreamId: string, signal: AbortSignal): Promise<PutEvent | undefined>;
  close(): Promise<void>;
}

export interface LocalArchiveOptions {
  /** Where the objects go, each a file. What is there is removed. */
  readonly directory: string;
  readonly onLine: (line: string, json: Record<string, unknown> | undefined) => void;
  readonly onReady: (event: PutEvent) => void;
}

const BUCKET = 'rtms-recordings';
const TABLES = {
  MEDIA_GROUP_TABLE: 'rtms-archive-media',
  EVENTS_GROUP_TABLE: 'rtms-archive-events',
  ARCHIVE_TABLE: 'rtms-archive-sessions',
} as const;
/** A person waits for the recording, so what is gathered is written soon; a minute is then joined from several writes. */
const MAX_AGE_SECONDS = '5';
const IDLE_SECONDS = '600';
const BUFFER_MIB = '256';
const STOP_GRACE_MS = 8_000;

/** Starts S3 and EventBridge. The archiver waits for `start`, because it needs the other servers of the stack. */
export async function startLocalArchive(options: LocalArchiveOptions): Promise<LocalArchive> {
  await rm(options.directory, { recursive: true, force: true });
  const s3Server = await startS3(options.directory);
  const s3 = `http://${LOOPBACK}:${s3Server.port}`;
  const eventBridge = new LocalEventBridge();
  const waiting = new Set<() => void>();
  eventBridge.onEvent = (event) => {
    options.onReady(event);
    for (const wake of waiting) wake();
  };
  const bus = createAwsRouter(eventBridge.operations());
  const busUrl = `http://${LOOPBACK}:${await listen(bus, 0)}`;
  const closers = [() => s3Server.close(), () => closeServer(bus)];
  const found = (rtmsStreamId: string) =>
    eventBridge.events.find(({ detail }) => detail['rtmsStreamId'] === rtmsStreamId);
  return {
    s3,
    url: `s3://${BUCKET}`,
    async start(aws) {
      await createArchive(aws, s3);
      const environment = archiverEnvironment(aws);
      const urls = { AWS_ENDPOINT_URL_S3: s3, AWS_ENDPOINT_URL_EVENTBRIDGE: busUrl };
      const child = startChild(
        'functions/archiver/main.ts',
        [],
        { ...environment, ...urls },
        options.onLine,
      );
      // On a machine with few cores the meeting comes first: the recording may be ready a little later.
      setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
      closers.push(async () => void (await stopChild(child, STOP_GRACE_MS)));
    },
    async ready(rtmsStreamId, signal) {
      while (found(rtmsStreamId) === undefined && !signal.aborted) {
        const woken = Promise.withResolvers<void>();
        waiting.add(woken.resolve);
        signal.addEventListener('abort', () => woken.resolve(), { once: true });
        await woken.promise;
        waiting.delete(woken.resolve);
      }
      return found(rtmsStreamId);
    },
    async close() {
      for (const stop of closers.splice(0).reverse()) await stop();
    },
  };
}

function archiverEnvironment(aws: LocalAws) {
  const { MEDIA_STREAM, EVENTS_STREAM, DEPLOYMENT, ...others } = aws.env();
  return {
    ...others,
    DEPLOYMENT,
    MEDIA_STREAM,
    EVENTS_STREAM,
    ...TABLES,
    ARCHIVE_BUCKET: BUCKET,
    ARCHIVE_PREFIX: '',
    ARCHIVE_BUFFER_MIB: BUFFER_MIB,
    ARCHIVE_MAX_AGE_SECONDS: MAX_AGE_SECONDS,
    ARCHIVE_IDLE_SECONDS: IDLE_SECONDS,
    ARCHIVE_MEETING_FILE: 'none',
    ARCHIVE_ON_REVOCATION: 'delete',
    ARCHIVE_BYPASS_GOVERNANCE: 'no',
    LOG_LEVEL: 'INFO',
  } satisfies ArchiverEnv & Record<string, string>;
}

/** Makes what the archiver expects to be there. */
async function createArchive(aws: LocalAws, s3: string): Promise<void> {
  const { region, credentials, endpoints } = aws;
  const buckets = new S3Client({ region, credentials, endpoint: s3, forcePathStyle: true });
  const tables = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  try {
    await Promise.all([
      buckets.send(new CreateBucketCommand({ Bucket: BUCKET })),
      ...Object.values(TABLES).map((TableName) =>
        tables.send(
          new CreateTableCommand({
            TableName,
            BillingMode: 'PAY_PER_REQUEST',
            AttributeDefinitions: [
              { AttributeName: 'pk', AttributeType: 'S' },
              { AttributeName: 'sk', AttributeType: 'S' },
            ],
            KeySchema: [
              { AttributeName: 'pk', KeyType: 'HASH' },
              { AttributeName: 'sk', KeyType: 'RANGE' },
            ],
          }),
        ),
      ),
    ]);
  } finally {
    buckets.destroy();
    tables.destroy();
  }
}
