import type { Server } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateStreamCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { LocalEnv, RunnerEnv, WebhookEnv } from '../../shared/env.ts';
import { closeServer, LOOPBACK, listen } from '../../simulator/sockets/listen.ts';
import { type KinesisServer, startKinesisServer } from '../kinesis/server.ts';
import { createSessionTable, startDynamoDb } from './dynamodb.ts';
import { LocalEcs } from './ecs.ts';
import { FaultProxy } from './fault-proxy.ts';
import { otherServers, resourceNames } from './other-servers.ts';
import { createAwsRouter } from './router.ts';
import { LocalSecrets, OtherSecrets, type SecretAdmin } from './secrets-manager.ts';
import { createQueues, startSqs } from './sqs.ts';

/** The name of the local stack in its metrics. */
const DEPLOYMENT = 'local';
const REGION = 'us-east-1';
const TABLE = 'rtms-sessions';
const SECRET_ID = 'rtms-zoom';
const STREAMS = { media: 'rtms-media', events: 'rtms-events' } as const;
const MEDIA_SHARDS = 4;
const EVENTS_SHARDS = 1;
/** The local servers accept any credentials, but the SDK sends nothing without some. */
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export interface LocalAwsOptions {
  /** Contents of the Zoom secret, shaped as `shared/zoom/credentials.ts` says. */
  readonly zoomSecret: string;
  /** Shards of the media stream; each takes 1 MiB/s. @default 4 */
  readonly mediaShards?: number | undefined;
}

/** Variables by which a process finds the local AWS. */
export type LocalAwsEnv = Omit<LocalEnv, 'TASK_ID'> &
  Pick<
    RunnerEnv,
    | 'DEPLOYMENT'
    | 'SESSION_TABLE'
    | 'JOB_QUEUE_URL'
    | 'ZOOM_SECRET_ID'
    | 'MEDIA_STREAM'
    | 'EVENTS_STREAM'
  > &
  Pick<WebhookEnv, 'ZOOM_WEBHOOK_SECRET_ID'> & {
    AWS_REGION: string;
    AWS_ACCESS_KEY_ID: string;
    AWS_SECRET_ACCESS_KEY: string;
  };

/** The local servers, what was created on them, and how to reach it. */
export interface LocalAws {
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly endpoints: {
    readonly sqs: string;
    readonly dynamodb: string;
    readonly kinesis: string;
    readonly secretsManager: string;
    readonly ecs: string;
  };
  readonly queueUrl: string;
  readonly catcherQueueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly table: string;
  readonly streams: Readonly<Record<keyof typeof STREAMS, string>>;
  /** Secret with the credentials of the Zoom apps. */
  readonly secretId: string;
  /** Take a service away and bring it back with its state kept. Kinesis has its own fault script. */
  readonly faults: {
    readonly sqs: FaultProxy;
    readonly dynamodb: FaultProxy;
    readonly secretsManager: FaultProxy;
  };
  readonly kinesis: KinesisServer;
  readonly secrets: SecretAdmin;
  readonly ecs: LocalEcs;
  /** The variables for child processes. */
  env(): LocalAwsEnv;
  close(): Promise<void>;
}

/**
 * Starts the AWS services that this project uses, as real HTTP servers on free ports of loopback, with the queue, table,
 * streams and secret that infra would create. Their state is in memory.
 */
export async function startLocalAws(options: LocalAwsOptions): Promise<LocalAws> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const stop of closers.splice(0).reverse()) await stop();
  };
  try {
    return await start(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: LocalAwsOptions,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<LocalAws> {
  const proxy = async (backendPort: number) => {
    const started = await FaultProxy.start(0, backendPort);
    closers.push(() => started.close());
    return started;
  };
  const http = async (server: Server) => {
    const port = await listen(server, 0);
    closers.push(() => closeServer(server));
    return port;
  };

  const others = otherServers();
  const nameOf = resourceNames(others);
  const table = nameOf(TABLE);
  const secretId = nameOf(SECRET_ID);
  const streams = { media: nameOf(STREAMS.media), events: nameOf(STREAMS.events) };
  const ecs = new LocalEcs();
  const sqsServer = await startSqs();
  closers.push(() => sqsServer.close());
  const kinesis = await startKinesisServer({ forwardTo: others.kinesis });
  closers.push(() => kinesis.close());
  const sqs = await proxy(sqsServer.port);
  const dynamoDbServer = await startDynamoDb();
  closers.push(() => dynamoDbServer.close());
  const dynamodb = await proxy(dynamoDbServer.port);
  const ownSecrets = new LocalSecrets();
  const secretsManager = await proxy(
    others.secretsManager ?? (await http(createAwsRouter(ownSecrets.operations()))),
  );
  const secrets =
    others.secretsManager === undefined
      ? ownSecrets
      : new OtherSecrets({
          region: REGION,
          credentials: CREDENTIALS,
          endpoint: secretsManager.url,
        });
  await secrets.put(secretId, options.zoomSecret);
  const ecsPort = await http(createAwsRouter(ecs.operations()));

  const endpoints = {
    sqs: sqs.url,
    dynamodb: dynamodb.url,
    kinesis: kinesis.url,
    secretsManager: secretsManager.url,
    ecs: `http://${LOOPBACK}:${ecsPort}`,
  };
  const { mediaShards = MEDIA_SHARDS } = options;
  const shards = { media: mediaShards, events: EVENTS_SHARDS };
  const queues = await createResources(endpoints, { table, streams, shards, nameOf });

  return {
    region: REGION,
    credentials: CREDENTIALS,
    endpoints,
    ...queues,
    table,
    streams,
    secretId,
    faults: { sqs, dynamodb, secretsManager },
    kinesis,
    secrets,
    ecs,
    env: () => ({
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL_SQS: endpoints.sqs,
      AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
      AWS_ENDPOINT_URL_KINESIS: endpoints.kinesis,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager,
      AWS_ENDPOINT_URL_ECS: endpoints.ecs,
      SESSION_TABLE: table,
      JOB_QUEUE_URL: queues.queueUrl,
      DEPLOYMENT,
      ZOOM_SECRET_ID: secretId,
      // In the cloud these are two secrets, because the internet reaches the webhook. Here one is enough.
      ZOOM_WEBHOOK_SECRET_ID: secretId,
      MEDIA_STREAM: streams.media,
      EVENTS_STREAM: streams.events,
    }),
    close,
  };
}

interface ResourceNames extends Pick<LocalAws, 'table' | 'streams'> {
  readonly shards: Readonly<Record<keyof LocalAws['streams'], number>>;
  readonly nameOf: (name: string) => string;
}

async function createResources(
  endpoints: LocalAws['endpoints'],
  { table, streams, shards, nameOf }: ResourceNames,
) {
  const client = { region: REGION, credentials: CREDENTIALS };
  const sqs = new SQSClient({ ...client, endpoint: endpoints.sqs, useQueueUrlAsEndpoint: false });
  const dynamodb = new DynamoDBClient({ ...client, endpoint: endpoints.dynamodb });
  const kinesis = new KinesisClient({
    ...client,
    endpoint: endpoints.kinesis,
    requestHandler: new NodeHttpHandler(),
  });
  try {
    const [queues] = await Promise.all([
      createQueues(sqs, endpoints.sqs, nameOf),
      createSessionTable(dynamodb, table),
      ...(['media', 'events'] as const).map((name) =>
        kinesis.send(
          new CreateStreamCommand({ StreamName: streams[name], ShardCount: shards[name] }),
        ),
      ),
    ]);
    return queues;
  } finally {
    for (const used of [sqs, dynamodb, kinesis]) used.destroy();
  }
}
