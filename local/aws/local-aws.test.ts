import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  GetTaskProtectionCommand,
  UpdateTaskProtectionCommand,
} from '@aws-sdk/client-ecs';
import { DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { OWNER_INDEX } from '../../shared/session-table/session-row.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws({ zoomSecret: '{"apps":{}}' });
});
afterAll(() => aws.close());

const common = () => ({ region: aws.region, credentials: aws.credentials });

describe('SQS', () => {
  test('moves a job to the dead-letter queue after five receives', async () => {
    const sqs = new SQSClient({
      ...common(),
      endpoint: aws.endpoints.sqs,
      useQueueUrlAsEndpoint: false,
    });
    const body = { QueueUrl: aws.queueUrl, MessageBody: 'x', MessageGroupId: 'account' };
    await sqs.send(new SendMessageCommand(body));
    const receive = async (QueueUrl: string) => {
      const command = new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 });
      return (await sqs.send(command)).Messages?.length ?? 0;
    };
    for (let attempt = 1; attempt <= 5; attempt++) expect(await receive(aws.queueUrl)).toBe(1);
    expect(await receive(aws.queueUrl)).toBe(0);
    expect(await receive(aws.deadLetterQueueUrl)).toBe(1);
    sqs.destroy();
  });

  test('gives queue URLs that resolve for clients that connect to the URL itself', async () => {
    const sqs = new SQSClient({ ...common(), logger: SILENT_LOGGER });
    const { MessageId } = await sqs.send(
      new SendMessageCommand({ QueueUrl: aws.queueUrl, MessageBody: 'y' }),
    );
    expect(MessageId).toBeDefined();
    sqs.destroy();
  });
});

test('DynamoDB holds the session table with its owner index', async () => {
  const dynamodb = new DynamoDBClient({ ...common(), endpoint: aws.endpoints.dynamodb });
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: aws.table }));
  expect(Table?.TableStatus).toBe('ACTIVE');
  expect(Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName)).toEqual([OWNER_INDEX]);
  dynamodb.destroy();
});

test('Kinesis has four media shards and one events shard', async () => {
  const kinesis = new KinesisClient({
    ...common(),
    endpoint: aws.endpoints.kinesis,
    requestHandler: new NodeHttpHandler(),
  });
  const shards = async (StreamName: string) => {
    const answer = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
    return answer.StreamDescriptionSummary?.OpenShardCount;
  };
  expect([await shards(aws.streams.media), await shards(aws.streams.events)]).toEqual([4, 1]);
  kinesis.destroy();
});

test('Secrets Manager keeps the current and the previous value', async () => {
  const secrets = new SecretsManagerClient({ ...common(), endpoint: aws.endpoints.secretsManager });
  const SecretId = aws.env().ZOOM_SECRET_ID;
  const read = async (VersionStage?: string) =>
    (
      await secrets.send(
        new GetSecretValueCommand({ SecretId, ...(VersionStage && { VersionStage }) }),
      )
    ).SecretString;
  expect(await read()).toBe('{"apps":{}}');
  await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: 'new' }));
  expect(await read()).toBe('new');
  expect(await read('AWSPREVIOUS')).toBe('{"apps":{}}');
  const { VersionIdsToStages } = await secrets.send(new DescribeSecretCommand({ SecretId }));
  expect(Object.values(VersionIdsToStages ?? {})).toEqual([['AWSCURRENT'], ['AWSPREVIOUS']]);
  const missing = secrets.send(new GetSecretValueCommand({ SecretId: 'other' }));
  await expect(missing).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  secrets.destroy();
});

describe('ECS', () => {
  let ecs: ECSClient;
  beforeAll(() => {
    ecs = new ECSClient({ ...common(), endpoint: aws.endpoints.ecs });
  });
  afterAll(() => ecs.destroy());
  const tasks = { cluster: 'local', tasks: ['task-1'] };

  test('protects a task, and answers a failure with status 200', async () => {
    const protect = (protectionEnabled: boolean) =>
      ecs.send(new UpdateTaskProtectionCommand({ ...tasks, protectionEnabled }));
    const { protectedTasks } = await protect(true);
    expect(protectedTasks).toMatchObject([{ taskArn: 'task-1', protectionEnabled: true }]);
    expect(protectedTasks?.[0]?.expirationDate?.getTime()).toBeGreaterThan(Date.now());
    aws.ecs.protectionFailure = 'DEPLOYMENT_BLOCKED';
    expect(await protect(false)).toMatchObject({
      protectedTasks: [],
      failures: [{ arn: 'task-1', reason: 'DEPLOYMENT_BLOCKED' }],
    });
    aws.ecs.protectionFailure = undefined;
    expect(aws.ecs.isProtected('task-1')).toBe(true);
    await protect(false);
    const answer = await ecs.send(new GetTaskProtectionCommand(tasks));
    expect(answer.protectedTasks).toMatchObject([{ protectionEnabled: false }]);
  });

  test('tells a task of an old revision from one of the primary revision', async () => {
    const own = async () =>
      (await ecs.send(new DescribeTasksCommand(tasks))).tasks?.[0]?.taskDefinitionArn;
    const primary = async () => {
      const services = { cluster: 'local', services: ['runner'] };
      const answer = await ecs.send(new DescribeServicesCommand(services));
      return answer.services?.[0]?.deployments?.find(({ status }) => status === 'PRIMARY')
        ?.taskDefinition;
    };
    expect(await own()).toBe(await primary());
    aws.ecs.deploy();
    expect(await own()).not.toBe(await primary());
  });
});
