import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { LocalEventBridge } from '../../local/aws/event-bridge.ts';
import { createAwsRouter } from '../../local/aws/router.ts';
import { parseDeletion, sweepSession } from '../../sdk/consumer/archive/deletion.ts';
import { archivedLine } from '../../sdk/consumer/archive/event-lines.ts';
import {
  deletionKey,
  eventsName,
  minuteOf,
  sessionFolder,
} from '../../sdk/consumer/archive/layout.ts';
import { ObjectStore } from '../../sdk/consumer/archive/object-store.ts';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { NO_METRICS } from '../../shared/metrics.ts';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { createGroupTable, startGroupTables } from '../../test/support/group-table.ts';
import { startTestS3 } from '../../test/support/local-s3.ts';
import { startLocalStreams } from '../../test/support/local-streams.ts';
import { event, START_MS } from '../../test/support/test-records.ts';
import { waitFor } from '../../test/support/wait.ts';
import type { ArchiverConfig } from './config.ts';
import { Keeper } from './keeper.ts';
import { ArchiveRows } from './session-rows.ts';

/** One worker's keeper in this process, against S3, DynamoDB, Kinesis and EventBridge on this machine. */

const ID = 'meeting-1';
const SHARD = 'shardId-000000000000';

test('a worker that writes a manifest behind the last sweep of a revoked session deletes it again', async () => {
  await using stack = new AsyncDisposableStack();
  const s3 = stack.use(await startTestS3());
  const tables = stack.use(await startGroupTables());
  const streams = stack.use(await startLocalStreams());
  const [mediaStream, eventsStream] = [await streams.create(), await streams.create()];
  const dynamodb = new DynamoDBClient(tables.dynamodb);
  await createGroupTable(dynamodb, 'sessions');
  dynamodb.destroy();
  const rows = await ArchiveRows.open('sessions', tables.dynamodb);
  stack.defer(() => rows.close());
  const bus = createAwsRouter(new LocalEventBridge().operations());
  stack.defer(() => closeServer(bus));
  const endpoint = `http://127.0.0.1:${await listen(bus, 0)}`;
  const eventBridge = new EventBridgeClient({ ...tables.dynamodb, endpoint });
  stack.defer(() => eventBridge.destroy());

  const started = event('participant_joined', { participants: [], timestampMs: START_MS }, 1, {
    rtmsStreamId: ID,
  });
  const folder = sessionFolder('', ID);
  const lines = { contentType: 'application/x-ndjson', ifIs: 'none' } as const;
  await s3.store.put(
    folder + eventsName(minuteOf(START_MS)),
    Buffer.from(archivedLine(started)),
    lines,
  );
  await rows.ended(ID);
  const throughMs = Date.now() + 1e6;
  await rows.saveProgress([
    ['media', SHARD, throughMs],
    ['events', SHARD, throughMs],
  ]);

  const sweep = { prefix: '', rtmsStreamId: ID, deletes: true, bypassGovernance: false } as const;
  let isSwept = false;
  // Between the reading and the writing of the manifest another worker deletes everything, three times, and then the row.
  const frozen = async (command: unknown, options: unknown) => {
    if (command instanceof PutObjectCommand && command.input.Key === `${folder}manifest.json`) {
      await rows.revoked(ID, 'event-1');
      await sweepSession(s3.store, { ...sweep, nowMs: Date.now() });
      const [row] = await rows.all();
      isSwept = row !== undefined && (await rows.remove(row));
    }
    return s3.client.send(command as never, options as never);
  };
  const config: ArchiverConfig = {
    deployment: 'test',
    mediaStream,
    eventsStream,
    tables: { media: '', events: '', sessions: 'sessions' },
    bucket: s3.bucket,
    prefix: '',
    bufferBytes: 1,
    maxAgeMs: 1,
    idleMs: 1e6,
    meetingFile: 'none',
    deletesRevoked: true,
    bypassGovernance: false,
    logLevel: 'INFO',
  };
  const store = await ObjectStore.open({ send: frozen }, s3.bucket);
  const told = { logger: SILENT_LOGGER, metrics: NO_METRICS };
  const about = { config, store, rows, eventBridge, kinesis: streams.client };
  const keeper = new Keeper({ ...about, ...told, onOver: () => undefined });
  await keeper.look(new AbortController().signal);
  await waitFor(() => expect(isSwept).toBe(true));
  await keeper.idle();
  expect(await Array.fromAsync(s3.store.list(folder))).toEqual([]);
  const key = deletionKey('', ID);
  const record = parseDeletion((await s3.store.get(key))?.body ?? Buffer.from('{}'), key);
  expect(record).toMatchObject({ left: 0, sweeps: 2 });
  expect(record.deleted.map((version) => version.key)).toContain(`${folder}manifest.json`);
});
