import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand } from '@aws-sdk/client-kinesis';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { meetingLoad } from '../infra/planning/meeting-load.ts';
import { AwsError, type AwsOperation, createAwsRouter } from '../local/aws/router.ts';
import { type KinesisServer, startKinesisServer } from '../local/kinesis/server.ts';
import { DEFAULT_MEDIA_REQUEST } from '../rtms/protocol/params.ts';
import { closeServer, listen } from '../simulator/sockets/listen.ts';
import { connect } from '../test/support/kinesis-client.ts';
import { MEETING_MBPS } from './preflight/throughput-check.ts';
import { createProgram } from './program.ts';

/** The commands use the real AWS clients: against fauxqs (SNS, SQS), the local Kinesis, and a table of quotas. */
let emulator: ReturnType<typeof buildApp>;
let emulatorUrl: string;
let kinesis: KinesisServer;
let quotaServer: Server;
let quotaUrl: string;
const quotas = new Map<string, number>();

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

beforeAll(async () => {
  emulator = buildApp({ logger: false, defaultRegion: 'us-east-1' });
  emulatorUrl = await emulator.listen({ port: 0, host: '127.0.0.1' });
  kinesis = await startKinesisServer();
  const operation: AwsOperation = (call) => {
    const value = quotas.get(String(call['QuotaCode']));
    if (value === undefined) throw new AwsError('NoSuchResourceException', 'no such quota');
    return { Quota: { Value: value } };
  };
  quotaServer = createAwsRouter(new Map([['ServiceQuotasV20190624.GetServiceQuota', operation]]));
  quotaUrl = `http://127.0.0.1:${await listen(quotaServer, 0)}`;
});
afterAll(async () => {
  await closeServer(quotaServer);
  await kinesis.close();
  await emulator.close();
});
beforeEach(() => {
  process.exitCode = 0;
  vi.stubEnv('AWS_REGION', 'us-east-1');
});

/** Runs a command in this process. @returns what it printed, parsed, and its exit code */
async function rtms(...args: string[]) {
  const lines: string[] = [];
  const errors: string[] = [];
  // A command ends when its output was written, which the stream reports by calling back.
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text, encoding, left) => {
    lines.push(String(text));
    (typeof encoding === 'function' ? encoding : left)?.();
    return true;
  });
  const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    errors.push(String(text));
    return true;
  });
  try {
    await createProgram().parseAsync([
      'node',
      'rtms',
      ...args,
      '--json',
      '--config',
      description(),
    ]);
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
  const exitCode = process.exitCode;
  process.exitCode = 0;
  const printed = lines.join('').split('\n').filter(Boolean);
  return { exitCode, json: printed.map((line) => JSON.parse(line)), errors: errors.join('') };
}

const folder = mkdtempSync(join(tmpdir(), 'rtms-operations-'));
afterAll(() => rmSync(folder, { recursive: true }));
let topics: { pagesTopicArn?: string; ticketsTopicArn?: string } = {};

function description(): string {
  const path = join(folder, 'rtms.json');
  const endpoints = { sns: emulatorUrl, kinesis: kinesis.url, serviceQuotas: quotaUrl };
  const streams = { media: 'media', events: 'events' };
  writeFileSync(path, JSON.stringify({ region: 'us-east-1', endpoints, streams, ...topics }));
  return path;
}

async function createTopic(name: string): Promise<string> {
  const sns = new SNSClient({ region: 'us-east-1', credentials, endpoint: emulatorUrl });
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: name }));
  sns.destroy();
  return TopicArn;
}

test('page-test reaches subscribers, and fails for a topic without any', async () => {
  const sqs = new SQSClient({ region: 'us-east-1', credentials, endpoint: emulatorUrl });
  const sns = new SNSClient({ region: 'us-east-1', credentials, endpoint: emulatorUrl });
  topics = {
    pagesTopicArn: await createTopic('pages'),
    ticketsTopicArn: await createTopic('tickets'),
  };
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'pager' }));
  await sns.send(
    new SubscribeCommand({
      TopicArn: topics.pagesTopicArn,
      Protocol: 'sqs',
      Endpoint: 'arn:aws:sqs:us-east-1:000000000000:pager',
    }),
  );
  const { exitCode, json } = await rtms('page-test', '--text', 'is anybody there?');
  expect(json).toEqual([
    expect.objectContaining({ topic: 'pages', confirmed: 1 }),
    expect.objectContaining({ topic: 'tickets', confirmed: 0 }),
  ]);
  expect(exitCode).toBe(1);
  const onEndpoint = new URL(new URL(QueueUrl).pathname, emulatorUrl).href;
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: onEndpoint }));
  expect(Messages[0]?.Body).toContain('is anybody there?');
  sns.destroy();
  sqs.destroy();
});

test('page-test without a topic says how to name one', async () => {
  topics = {};
  const { exitCode, errors } = await rtms('page-test');
  expect(exitCode).toBe(2);
  expect(errors).toContain('--pages-topic');
});

test('reshard goes up and down in the steps that Kinesis allows', async () => {
  const client = connect(kinesis.url);
  await client.send(new CreateStreamCommand({ StreamName: 'media', ShardCount: 2 }));
  const up = await rtms('reshard', 'media', '--shards', '7');
  expect(up.json).toEqual([
    expect.objectContaining({ current: 2, target: 7, steps: [4, 7] }),
    { streamName: 'media', shards: 4 },
    { streamName: 'media', shards: 7 },
  ]);
  const down = await rtms('reshard', 'media', '--shards', '3', '--dry-run');
  expect(down.json).toEqual([expect.objectContaining({ current: 7, steps: [4, 3] })]);
  client.destroy();
});

test('reshard makes an on-demand stream provisioned only with --provisioned', async () => {
  const client = connect(kinesis.url);
  const StreamModeDetails = { StreamMode: 'ON_DEMAND' } as const;
  await client.send(new CreateStreamCommand({ StreamName: 'events', StreamModeDetails }));
  const refused = await rtms('reshard', 'events', '--shards', '1');
  expect(refused).toMatchObject({ exitCode: 1, errors: expect.stringContaining('--provisioned') });
  const { exitCode, json } = await rtms('reshard', 'events', '--shards', '1', '--provisioned');
  expect(exitCode).toBe(0);
  expect(json.at(-1)).toEqual({ streamName: 'events', shards: 1 });
  client.destroy();
});

test.each([
  ['participants', '4', 'media or events'],
  ['media', 'many', '--shards'],
  ['media', '0', '--shards'],
])('reshard %s --shards %s is wrong use', async (stream, shards, named) => {
  const { exitCode, errors } = await rtms('reshard', stream, '--shards', shards);
  expect(exitCode).toBe(2);
  expect(errors).toContain(named);
});

const SIZES = [
  '--max-tasks',
  '20',
  '--shards',
  '60',
  '--meetings',
  '500',
  '--zoom-concurrency',
  '400',
];

test('preflight --quotas compares the plan with what the account and Zoom allow', async () => {
  quotas.set('L-3032A538', 6).set('L-B99A9384', 1_000);
  const small = await rtms('preflight', '--quotas', ...SIZES);
  expect(small.exitCode).toBe(1);
  expect(Object.fromEntries(small.json.map(({ name, status }) => [name, status]))).toEqual({
    'quota: vCPU': 'failed',
    'quota: Lambda': 'ok',
    'quota: shards': 'ok',
    'quota: Zoom': 'failed',
  });
  quotas.set('L-3032A538', 40);
  const enough = await rtms('preflight', '--quotas', ...SIZES, '--zoom-concurrency', '500');
  expect(enough.exitCode).toBe(0);
});

test('preflight --quotas fails for the Lambda quota of a new account, and hints at sizes that were not given', async () => {
  quotas.set('L-3032A538', 6).set('L-B99A9384', 10);
  const { json, exitCode } = await rtms('preflight', '--quotas');
  expect(exitCode).toBe(1);
  expect(json.map(({ name, status }) => [name, status])).toEqual([
    ['quota: vCPU', 'hint'],
    ['quota: Lambda', 'failed'],
    ['quota: shards', 'hint'],
    ['quota: Zoom', 'hint'],
  ]);
});

test('preflight --quotas says how many meetings an on-demand stream takes at once', async () => {
  quotas.set('L-3032A538', 100).set('L-B99A9384', 1_000);
  const planned = await rtms(
    'preflight',
    '--quotas',
    '--media-stream',
    'not-there',
    '--meetings',
    '40',
  );
  expect(planned.json.find(({ name }) => name === 'on-demand')).toMatchObject({
    status: 'warning',
    found: 'a new stream takes 4 MB/s at once, about 15 meetings with all media; 40 wanted',
    fix: expect.stringContaining('docs/deploy.md'),
  });
  const client = connect(kinesis.url);
  const StreamModeDetails = { StreamMode: 'ON_DEMAND' } as const;
  await client.send(new CreateStreamCommand({ StreamName: 'fresh', StreamModeDetails }));
  const fresh = ['preflight', '--quotas', '--media-stream', 'fresh'];
  for (const [meetings, status] of [
    [[], 'hint'],
    [['--meetings', '10'], 'ok'],
    [['--meetings', '16'], 'warning'],
  ] as const) {
    const { json } = await rtms(...fresh, ...meetings);
    expect(json.find(({ name }) => name === 'on-demand')).toMatchObject({ status });
  }
  const provisioned = await rtms('preflight', '--quotas', '--media-stream', 'media');
  expect(provisioned.json.map(({ name }) => name)).not.toContain('on-demand');
  client.destroy();
});

test('the on-demand check and the shard plan of infra reckon with the same load of a meeting', () => {
  const { media } = meetingLoad(DEFAULT_MEDIA_REQUEST);
  expect(MEETING_MBPS).toBeCloseTo(media.bytesPerSecond / 1e6, 2);
});
