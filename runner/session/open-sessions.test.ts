import type { Server } from 'node:http';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAwsRouter } from '../../local/aws/router.ts';
import { LocalSecrets } from '../../local/aws/secrets-manager.ts';
import { type LocalSqs, startSqs } from '../../local/aws/sqs.ts';
import { MemoryPool } from '../../shared/memory-pool.ts';
import { encodeSessionJob } from '../../shared/session-job.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { L16_ONLY, MEETING } from '../../test/support/rtms/simulated-client.ts';
import {
  type LocalSessionTable,
  startSessionTable,
} from '../../test/support/session/local-session-table.ts';
import { SessionParts } from '../../test/support/session/session-parts.ts';
import { waitUntil } from '../../test/support/wait.ts';
import type { Producers } from '../kinesis/open-producers.ts';
import { openOwnership } from '../ownership/open-ownership.ts';
import { Loops } from '../task/loop.ts';
import { openSessions, type Sessions } from './open-sessions.ts';

const TASK = 'this-task';
const LOCAL = { region: 'us-east-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } };

let simulator: Simulator;
let table: LocalSessionTable;
let sqs: LocalSqs;
let jobs: SQSClient;
let jobQueueUrl: string;
let secretsServer: Server;
let secrets: SecretsManagerClient;
beforeAll(async () => {
  simulator = await startSimulator({ seed: 'wiring' });
  table = await startSessionTable();
  sqs = await startSqs();
  jobs = new SQSClient({
    ...LOCAL,
    endpoint: `http://127.0.0.1:${sqs.port}`,
    useQueueUrlAsEndpoint: false,
  });
  jobQueueUrl = (await jobs.send(new CreateQueueCommand({ QueueName: 'jobs' }))).QueueUrl ?? '';
  const local = new LocalSecrets();
  const { clientId, clientSecret } = EXAMPLE_APP;
  local.put('zoom', JSON.stringify({ apps: { default: { clientId, clientSecret } } }));
  secretsServer = createAwsRouter(local.operations());
  const endpoint = `http://127.0.0.1:${await listen(secretsServer, 0)}`;
  secrets = new SecretsManagerClient({ ...LOCAL, endpoint });
});
afterAll(async () => {
  jobs.destroy();
  secrets.destroy();
  await closeServer(secretsServer);
  await sqs.close();
  await table[Symbol.asyncDispose]();
  await simulator.close();
});

/** What a task serves streams with: its own wiring, with streams in memory. */
async function opened(parts: SessionParts) {
  const { logger, metrics } = parts.told;
  const { media, events, deadline } = parts;
  const shared = { taskId: TASK, sessionSlots: 1, logger, metrics };
  const ownership = await openOwnership({
    ...shared,
    config: { sessionTable: table.name, capacity: 5, packing: undefined },
    aws: { table: table.documents, ecs: undefined as never },
    ecsTask: undefined,
    sessions: () => sessions.pool,
    revisionIntervalMs: 60_000,
  });
  const sessions: Sessions = openSessions({
    ...shared,
    config: {
      media: L16_ONLY,
      protocol: {},
      allowedHosts: ['localhost', '127.0.0.1'],
      capacity: 5,
      jobQueueUrl,
      secret: { secretId: 'zoom', refreshMs: 600_000 },
    },
    aws: { jobs, notify: jobs, secrets },
    producers: {
      media,
      events,
      maxRecordBytes: 10_000,
      maxLineBytes: 10_000,
    } as never as Producers,
    ownership,
    memory: new MemoryPool(),
    pressure: () => ({ eventLoopDelayMs: 1, memoryShare: 0.1 }),
    deadline,
  });
  return { ownership, sessions, loops: new Loops(logger) };
}

async function jobsLeft(): Promise<number> {
  const command = new GetQueueAttributesCommand({ QueueUrl: jobQueueUrl, AttributeNames: ['All'] });
  const { Attributes = {} } = await jobs.send(command);
  const { ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible } = Attributes;
  return Number(ApproximateNumberOfMessages) + Number(ApproximateNumberOfMessagesNotVisible);
}

test('a job brings a stream to this task, and a drain leaves its row and a job for the next one', async () => {
  const parts = new SessionParts();
  const { ownership, sessions, loops } = await opened(parts);
  const { pool } = sessions;
  await sessions.readSecret();
  await ownership.start();
  sessions.run(loops);

  const id = simulator.start(MEETING) ?? '';
  const entityId = simulator.streams()[0]?.entityId ?? '';
  await table.start(id, { entityId, serverUrls: [simulator.serverUrl(id)] });
  const MessageBody = encodeSessionJob(id);
  await jobs.send(new SendMessageCommand({ QueueUrl: jobQueueUrl, MessageBody }));
  const options = { interval: 5 };
  await waitUntil(() => parts.media.units.length > 0, options);
  expect(pool.sessions.map(({ state }) => state)).toEqual(['streaming']);
  expect(await table.row(id)).toMatchObject({ owner: TASK, epoch: 1 });
  await waitUntil(async () => (await jobsLeft()) === 0, options);
  sessions.observeLevels();
  expect(parts.told.counts).toEqual(expect.arrayContaining(['Sessions', 'SlotsUsed']));

  await sessions.drain();
  expect(pool).toMatchObject({ isDraining: true, room: 0, sessions: [] });
  expect(await table.row(id)).toMatchObject({ owner: 'UNOWNED', handedOverBy: TASK });
  expect(await jobsLeft()).toBe(1);
  expect(parts.eventNames.at(-1)).toBe('session_handed_over');
  ownership.stop();
  await loops.stop();
});
