import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { describe, expect, test } from 'vitest';
import { parseMediaRequest } from '../rtms/protocol/params.ts';
import { METRICS } from '../shared/metrics.ts';
import { parsePacking } from '../shared/packing.ts';
import {
  CONFIGS,
  createUnvalidatedApp,
  grantsOf,
  onlyOf,
  resourcesOf,
  type Statement,
  synthesize,
  TIMEOUT_MS,
} from '../test/support/infra-templates.ts';
import { fromRoot } from './bundling/bundle-options.ts';
import type { ConfigInput } from './config/schema.ts';
import { DEV, PROD } from './config/stages.ts';
import { CONTAINER_USER } from './runner/runner-image.ts';
import { RtmsKinesisStack } from './stack.ts';
import { costTables, sendRateTable } from './study/cost-table.ts';
import { drawDashboard, widgetsOf } from './study/pictures/dashboard-picture.ts';
import { findingsTable } from './validation/excused-findings.ts';

const LOG = ['logs:CreateLogStream', 'logs:PutLogEvents'];
const TABLE_KEY = ['kms:DescribeKey', 'kms:Encrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'];
const WRITE_KEY = ['kms:Decrypt', 'kms:GenerateDataKey'];
const GRANTS: Readonly<Record<string, readonly string[]>> = {
  WebhookHandlerRole: [
    ...['dynamodb:GetItem', 'dynamodb:UpdateItem'],
    ...LOG,
    'secretsmanager:GetSecretValue',
    'sqs:SendMessage',
  ],
  RunnersTaskTaskRole: [
    ...['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
    ...['ecs:DescribeServices', 'ecs:DescribeTasks', 'ecs:UpdateTaskProtection'],
    ...['kinesis:DescribeStreamSummary', 'kinesis:PutRecords'],
    'secretsmanager:GetSecretValue',
    ...[
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
    ],
  ],
  RunnersTaskExecutionRole: [
    ...['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetAuthorizationToken'],
    'ecr:GetDownloadUrlForLayer',
    ...LOG,
  ],
  CatcherHandlerRole: [
    ...['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
    ...['ecs:DescribeServices', 'ecs:UpdateService'],
    ...['kinesis:DescribeStreamSummary', 'kinesis:PutRecords'],
    ...LOG,
    'secretsmanager:GetSecretValue',
    ...['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
    ...['sqs:ReceiveMessage', 'sqs:SendMessage'],
  ],
  NetworkVpcRefusedIAMRole: [...LOG, 'logs:DescribeLogStreams'],
};

describe('grants', { timeout: TIMEOUT_MS }, () => {
  test('each role may do what its code calls and nothing else', () => {
    const expected = Object.entries(GRANTS).map(([role, actions]) => [role, [...actions].sort()]);
    expect(grantsOf(synthesize('dev').template)).toEqual(Object.fromEntries(expected));
  });

  test('a key of our own adds the actions of its use to the same roles, and no wildcard', () => {
    const grants = grantsOf(synthesize('prod').template);
    const keyUse = [...TABLE_KEY, ...WRITE_KEY].sort();
    expect(grants['SyntheticMeetingTaskTaskRole']).toEqual([
      ...['kinesis:DescribeStreamSummary', 'kinesis:GetRecords', 'kinesis:GetShardIterator'],
      ...['kinesis:ListShards', 'kms:Decrypt', 'secretsmanager:GetSecretValue'],
    ]);
    for (const role of ['WebhookHandlerRole', 'RunnersTaskTaskRole', 'CatcherHandlerRole']) {
      expect(grants[role]).toEqual([...(GRANTS[role] ?? []), ...keyUse].sort());
    }
    expect(grants['CanaryHandlerRole']).toEqual(
      ['kms:Decrypt', ...LOG, 'secretsmanager:GetSecretValue'].sort(),
    );
  });

  test('a runner may read the whole table only where it compares that with what is live at Zoom', () => {
    const { template } = synthesize('private');
    const runner = [...(GRANTS['RunnersTaskTaskRole'] ?? []), 'dynamodb:Scan'];
    expect(grantsOf(template)['RunnersTaskTaskRole']).toEqual(runner.sort());
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: Match.arrayWith([
        Match.objectLike({
          Environment: Match.arrayWith([{ Name: 'ZOOM_RECONCILE', Value: 'start' }]),
        }),
      ]),
    });
  });

  test.each(Object.keys(CONFIGS))(
    '%s allows no wildcard action, and its roles have no managed or inline policy',
    (name) => {
      const { template } = synthesize(name);
      for (const actions of Object.values(grantsOf(template))) {
        expect(actions.filter((action) => action.includes('*'))).toEqual([]);
      }
      for (const [, role] of resourcesOf(template, 'AWS::IAM::Role')) {
        expect(role).not.toHaveProperty('ManagedPolicyArns');
        expect(role).not.toHaveProperty('Policies');
      }
    },
  );

  test('only the login to ECR is allowed on every resource', () => {
    const everything: string[] = [];
    for (const [, policy] of resourcesOf(synthesize('prod').template, 'AWS::IAM::Policy')) {
      const { Statement } = policy['PolicyDocument'] as { Statement: Statement[] };
      for (const { Action, Resource } of Statement) {
        if ([Resource].flat().includes('*')) everything.push(...[Action].flat());
      }
    }
    expect(new Set(everything)).toEqual(new Set(['ecr:GetAuthorizationToken']));
  });

  test('a task may protect tasks and describe services of its own cluster only', () => {
    const inCluster = (kind: string) => ({
      'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp(`:${kind}/`), '/*'])],
    });
    const { template } = synthesize('dev');
    for (const [action, kind] of [
      [['ecs:DescribeTasks', 'ecs:UpdateTaskProtection'], 'task'],
      ['ecs:DescribeServices', 'service'],
    ] as const) {
      template.hasResourceProperties('AWS::IAM::Policy', {
        PolicyDocument: {
          Statement: Match.arrayWith([
            { Effect: 'Allow', Action: action, Resource: inCluster(kind) },
          ]),
        },
      });
    }
  });

  test('a consumer gets read rights on the stream it asks for', () => {
    const app = createUnvalidatedApp();
    const stack = new RtmsKinesisStack(app, 'Consumer', { config: DEV });
    const reader = (id: string) =>
      new Role(stack, id, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    stack.rtms.grantReadEvents(reader('EventsReader'));
    stack.rtms.grantRead(reader('Reader'));
    const template = Template.fromStack(stack);
    const grants = grantsOf(template);
    for (const role of ['EventsReader', 'Reader']) {
      expect(grants[role]).toContain('kinesis:GetRecords');
      expect(grants[role]).not.toContain('kinesis:PutRecords');
    }
    const policies = Object.values(
      template.findResources('AWS::IAM::Policy', {
        Properties: { Roles: [{ Ref: Match.stringLikeRegexp('^EventsReader') }] },
      }),
    );
    expect(JSON.stringify(policies)).not.toContain('RecordStreamsMedia');
  });

  test('a consumer group gets a table and a registered consumer, once, and rights on them alone', () => {
    const app = createUnvalidatedApp();
    const stack = new RtmsKinesisStack(app, 'Group', { config: DEV });
    const worker = (id: string) =>
      new Role(stack, id, { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
    const group = stack.rtms.grantConsume(worker('One'), { group: 'archive' });
    expect(stack.rtms.grantConsume(worker('Two'), { group: 'archive' })).toBe(group);
    const polling = { group: 'notes', stream: 'events', push: false } as const;
    expect(stack.rtms.grantConsume(worker('Three'), polling).consumerArn).toBeUndefined();
    const template = Template.fromStack(stack);
    template.hasResource('AWS::DynamoDB::Table', {
      Properties: {
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
      Metadata: { checkov: { skip: Match.anyValue() } },
    });
    template.resourceCountIs('AWS::Kinesis::StreamConsumer', 1);
    template.hasResourceProperties('AWS::Kinesis::StreamConsumer', { ConsumerName: 'archive' });
    const grants = grantsOf(template);
    const reads = ['DescribeStreamSummary', 'ListShards', 'GetShardIterator', 'GetRecords'];
    const writes = ['GetItem', 'UpdateItem', 'DeleteItem', 'Query'];
    const common = [
      ...writes.map((name) => `dynamodb:${name}`),
      ...reads.map((name) => `kinesis:${name}`),
    ].sort();
    for (const role of ['One', 'Two'])
      expect(
        [...(grants[role] ?? [])].filter((action) => !action.startsWith('kms:')).sort(),
      ).toEqual([...common, 'kinesis:SubscribeToShard'].sort());
    expect(
      [...(grants['Three'] ?? [])].filter((action) => !action.startsWith('kms:')).sort(),
    ).toEqual(common);
  });
});

describe('webhook', { timeout: TIMEOUT_MS }, () => {
  test('the webhook answers POST on two paths, throttled and logged', () => {
    const { template } = synthesize('dev');
    const routes = resourcesOf(template, 'AWS::ApiGatewayV2::Route').map(
      ([, route]) => route['RouteKey'],
    );
    expect(routes.sort()).toEqual(['POST /webhook', 'POST /webhook/{app}']);
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      DefaultRouteSettings: { ThrottlingRateLimit: 2000, ThrottlingBurstLimit: 4000 },
      AccessLogSettings: { DestinationArn: Match.anyValue(), Format: Match.anyValue() },
    });
  });

  test('the access log has neither headers nor bodies of requests', () => {
    const { Format } = onlyOf(synthesize('dev').template, 'AWS::ApiGatewayV2::Stage')[
      'AccessLogSettings'
    ];
    expect(
      Object.values(JSON.parse(Format)).filter((field) => /header|body/i.test(String(field))),
    ).toEqual([]);
  });

  test('functions run Node 24 on arm64; only a stage that says so reserves concurrency', () => {
    const webhook = { Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler' };
    synthesize('prod').template.hasResourceProperties('AWS::Lambda::Function', {
      ...webhook,
      ReservedConcurrentExecutions: 200,
    });
    // A new account has ten executions in all, and Lambda lets none of them be reserved.
    synthesize('dev').template.allResourcesProperties('AWS::Lambda::Function', {
      ...webhook,
      ReservedConcurrentExecutions: Match.absent(),
    });
  });

  test('a domain of its own switches the API address off', () => {
    const { template } = synthesize('private');
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', { DisableExecuteApiEndpoint: true });
    template.hasOutput('WebhookUrl', { Value: 'https://rtms.example.com/webhook' });
    template.hasOutput('WebhookDomainTarget', {});
  });
});

describe('storage', { timeout: TIMEOUT_MS }, () => {
  test('the table has the owner index, a time to live, backups and protection against deletion', () => {
    synthesize('prod').template.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: {
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
        GlobalSecondaryIndexes: [
          {
            IndexName: 'owner-index',
            KeySchema: [
              { AttributeName: 'owner', KeyType: 'HASH' },
              { AttributeName: 'pk', KeyType: 'RANGE' },
            ],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
      },
    });
  });

  test('all queues are encrypted and refuse plain HTTP; messages go to the dead letters after five receives', () => {
    const { template } = synthesize('dev');
    template.resourceCountIs('AWS::SQS::Queue', 3);
    template.allResourcesProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
    template.resourcePropertiesCountIs(
      'AWS::SQS::Queue',
      { RedrivePolicy: { maxReceiveCount: 5 } },
      2,
    );
    template.resourcePropertiesCountIs(
      'AWS::SQS::QueuePolicy',
      {
        PolicyDocument: {
          Statement: [
            Match.objectLike({
              Effect: 'Deny',
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            }),
          ],
        },
      },
      3,
    );
  });

  test('on-demand streams go by our partition keys', () => {
    const { template } = synthesize('on-demand');
    template.resourceCountIs('AWS::Kinesis::Stream', 2);
    template.allResourcesProperties('AWS::Kinesis::Stream', {
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      RecordDistributionStrategy: 'USER_PARTITION_KEY',
      StreamEncryption: { EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' },
    });
  });

  test('provisioned streams have the calculated shards, and no property of on-demand ones', () => {
    const streams = resourcesOf(synthesize('prod').template, 'AWS::Kinesis::Stream');
    expect(streams.map(([, { ShardCount }]) => ShardCount)).toEqual([65, 1]);
    for (const [, stream] of streams)
      expect(stream).not.toHaveProperty('RecordDistributionStrategy');
  });

  test("the secret's placeholder never changes: CloudFormation would write it over real credentials", () => {
    const secrets = resourcesOf(synthesize('dev').template, 'AWS::SecretsManager::Secret');
    const placeholder = (before: string) => ({
      'Fn::Join': [
        '',
        [
          `{"apps":{"default":{${before}"webhookSecretTokens":["replace-me-`,
          { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] },
          '"]}}}',
        ],
      ],
    });
    expect(secrets.map(([, { SecretString }]) => SecretString)).toEqual([
      placeholder('"clientId":"replace-me","clientSecret":"replace-me",'),
      placeholder(''),
    ]);
  });
});

describe('runner service', { timeout: TIMEOUT_MS }, () => {
  test('a container may take 120 s to stop, cannot write its image and runs as an ordinary user', () => {
    synthesize('dev').template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      Cpu: '256',
      Memory: '512',
      EphemeralStorage: { SizeInGiB: 21 },
      RuntimePlatform: { CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' },
      Volumes: [{ Name: 'spool' }],
      ContainerDefinitions: [
        Match.objectLike({
          StopTimeout: 120,
          // What the runner measures itself by; without a limit of its own it sees the machine's memory.
          Memory: 512,
          Environment: Match.arrayWith([
            { Name: 'MEMORY_MIB', Value: '512' },
            { Name: 'NODE_OPTIONS', Value: '--enable-source-maps --max-old-space-size=256' },
          ]),
          ReadonlyRootFilesystem: true,
          User: CONTAINER_USER,
          LinuxParameters: Match.objectLike({ InitProcessEnabled: true }),
          MountPoints: [
            { ContainerPath: '/var/spool/rtms', ReadOnly: false, SourceVolume: 'spool' },
          ],
          HealthCheck: Match.objectLike({
            Command: ['CMD', 'node', '-e', Match.stringLikeRegexp('127\\.0\\.0\\.1:8081/healthz')],
          }),
          LogConfiguration: {
            LogDriver: 'awslogs',
            Options: Match.objectLike({
              mode: 'non-blocking',
              'max-buffer-size': `${25 * 1024 ** 2}b`,
            }),
          },
        }),
      ],
    });
  });

  test('a deployment keeps all old tasks until new ones are healthy and does not wait for protected ones', () => {
    synthesize('dev').template.hasResourceProperties('AWS::ECS::Service', {
      AvailabilityZoneRebalancing: 'DISABLED',
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
        EarlySuccessCriteria: {
          Enable: true,
          HealthyPercent: 100,
          SourceServiceRevisionCleanup: 'DEFERRED',
        },
      },
      DesiredCount: Match.absent(),
    });
  });

  test.each([
    ['dev', 'ENABLED'],
    ['private', 'DISABLED'],
    ['existing', 'DISABLED'],
  ])(
    'runners of %s have public addresses %s, and no rule lets anything in',
    (name, AssignPublicIp) => {
      const { template } = synthesize(name);
      template.hasResourceProperties('AWS::ECS::Service', {
        NetworkConfiguration: { AwsvpcConfiguration: Match.objectLike({ AssignPublicIp }) },
      });
      const groups = resourcesOf(template, 'AWS::EC2::SecurityGroup').filter(([id]) =>
        id.includes('Runner'),
      );
      expect(groups).toHaveLength(1);
      expect(groups[0]?.[1]).not.toHaveProperty('SecurityGroupIngress');
    },
  );

  test('a network of our own reaches S3 and DynamoDB past NAT, and logs refused connections', () => {
    for (const name of ['dev', 'private']) {
      const { template } = synthesize(name);
      template.resourcePropertiesCountIs(
        'AWS::EC2::VPCEndpoint',
        { VpcEndpointType: 'Gateway' },
        2,
      );
      template.resourceCountIs('AWS::EC2::FlowLog', 1);
    }
    synthesize('dev').template.resourceCountIs('AWS::EC2::NatGateway', 0);
    synthesize('existing').template.resourceCountIs('AWS::EC2::VPC', 0);
  });

  test('the service scales from two tasks on slots, queue age and schedule', () => {
    const { template } = synthesize('prod');
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      MinCapacity: 2,
      MaxCapacity: 50,
      ScheduledActions: [
        Match.objectLike({
          ScheduledActionName: 'BusinessHours',
          ScalableTargetAction: { MinCapacity: 4 },
        }),
        Match.objectLike({
          ScheduledActionName: 'Evening',
          ScalableTargetAction: { MinCapacity: 2 },
        }),
      ],
    });
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 60,
        ScaleInCooldown: 900,
        CustomizedMetricSpecification: Match.objectLike({ MetricName: 'SlotUtilization' }),
      },
    });
    template.resourcePropertiesCountIs(
      'AWS::ApplicationAutoScaling::ScalingPolicy',
      { PolicyType: 'StepScaling' },
      1,
    );
    // A fleet that may not grow has a floor and no rules.
    const fixed = new RtmsKinesisStack(createUnvalidatedApp(), 'Fixed', {
      config: { runner: { minTasks: 1, maxTasks: 1, headroomSlots: 0 } },
    });
    const template1 = Template.fromStack(fixed);
    template1.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      MinCapacity: 1,
    });
    template1.resourceCountIs('AWS::ApplicationAutoScaling::ScalingPolicy', 0);
  });

  test('a service without tasks gets its first one from a waiting job, and stops its last one when idle', () => {
    const { template } = synthesize('dev');
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      MinCapacity: 0,
      MaxCapacity: 1,
    });
    for (const adjustment of [1, -1]) {
      template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
        StepScalingPolicyConfiguration: {
          AdjustmentType: 'ChangeInCapacity',
          StepAdjustments: [Match.objectLike({ ScalingAdjustment: adjustment })],
        },
      });
    }
  });

  test('the catcher has 15 minutes, a queue that stays silent for longer, and batches that wait for nothing', () => {
    const { template } = synthesize('dev');
    template.hasResourceProperties('AWS::Lambda::Function', {
      Architectures: ['arm64'],
      MemorySize: 2_048,
      Timeout: 900,
      // Twice the bound of what waits for Kinesis on the disk.
      EphemeralStorage: { Size: 512 },
      Environment: { Variables: Match.objectLike({ SPOOL_MAX_BYTES: String(256 * 1024 ** 2) }) },
    });
    template.hasResourceProperties('AWS::SQS::Queue', { VisibilityTimeout: 960 });
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 10,
      MaximumBatchingWindowInSeconds: Match.absent(),
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    // Without a catcher the webhook sends one job, and nobody polls.
    const { template: without } = synthesize('private');
    without.resourceCountIs('AWS::Lambda::EventSourceMapping', 0);
    expect(environmentsOf(without)['WebhookEnv']).not.toHaveProperty('CATCHER_QUEUE_URL');
  });

  test.each<[string, ConfigInput['runner'], unknown]>([
    ['is off by default', {}, undefined],
    [
      'keeps the tasks that scaling keeps',
      {
        minTasks: 1,
        headroomSlots: 65,
        packing: { from: '22:00', to: '05:30', timeZone: 'Europe/Berlin' },
      },
      {
        from: '22:00',
        to: '05:30',
        timeZone: 'Europe/Berlin',
        belowPercent: 30,
        sessions: 'audio',
        keepTasks: 3,
      },
    ],
  ])('packing %s', (_, runner, packing) => {
    const stack = new RtmsKinesisStack(createUnvalidatedApp(), 'Packing', {
      config: runner === undefined ? {} : { runner },
    });
    const { PACKING } = environmentsOf(Template.fromStack(stack))['RunnerEnv'] ?? {};
    expect(parsePacking(String(PACKING))).toEqual(packing);
  });

  test('the runner accepts the media request of every configuration', () => {
    for (const name of Object.keys(CONFIGS)) {
      const { RTMS_MEDIA } = environmentsOf(synthesize(name).template)['RunnerEnv'] ?? {};
      expect(() => parseMediaRequest(String(RTMS_MEDIA))).not.toThrow();
    }
  });
});

/** Environment of each process, by the name of its interface in `shared/env.ts`. */
function environmentsOf(template: Template): Record<string, Record<string, unknown>> {
  const environments: Record<string, Record<string, unknown>> = {};
  for (const [id, properties] of resourcesOf(template, 'AWS::Lambda::Function')) {
    const { Variables } = properties['Environment'] as { Variables: Record<string, unknown> };
    if (id.includes('Catcher')) environments['CatcherEnv'] = Variables;
    else environments[id.includes('Canary') ? 'CanaryEnv' : 'WebhookEnv'] = Variables;
  }
  for (const [id, task] of resourcesOf(template, 'AWS::ECS::TaskDefinition')) {
    const variables: { Name: string; Value: unknown }[] =
      task['ContainerDefinitions'][0].Environment;
    const name = /Synthetic|Archive/.exec(id)?.[0] ?? 'Runner';
    const known = { Synthetic: 'SyntheticMeetingEnv', Archive: 'ArchiverEnv' };
    environments[known[name as 'Synthetic'] ?? 'RunnerEnv'] = Object.fromEntries(
      variables.map(({ Name, Value }) => [Name, Value]),
    );
  }
  return environments;
}

describe('environment', { timeout: TIMEOUT_MS }, () => {
  test.each([
    ['WebhookEnv', 'prod'],
    ['RunnerEnv', 'prod'],
    ['CanaryEnv', 'prod'],
    ['SyntheticMeetingEnv', 'prod'],
    ['ArchiverEnv', 'private'],
  ])('%s declares exactly the variables that infra sets', (name, config) => {
    const source = readFileSync(fromRoot('shared/env.ts'), 'utf8');
    const [, body = ''] = new RegExp(`interface ${name} {(.*?)\\n}`, 's').exec(source) ?? [];
    const declared = [...body.matchAll(/^ {2}([A-Z_]+)\??:/gm)].map(([, variable]) => variable);
    const { NODE_OPTIONS: _, ...set } = environmentsOf(synthesize(config).template)[name] ?? {};
    expect(Object.keys(set).sort()).toEqual(declared.sort());
  });
});

/** What a runner is told and the catcher is not, and why not. */
const NOT_FOR_THE_CATCHER = {
  HEALTH_PORT: 'Lambda asks no function for its health',
  MEMORY_MIB: 'Lambda tells every function its memory (AWS_LAMBDA_FUNCTION_MEMORY_SIZE)',
  PACKING: 'every session goes to a task as soon as one has room',
  PRICES: 'the cost of a meeting-hour is estimated for tasks; Lambda reports what it bills',
  ZOOM_RECONCILE: 'one task compares every five minutes, with the right to read the whole table',
};
/** What both are told, and not the same. */
const OTHER_FOR_THE_CATCHER = {
  ALLOWED_HOSTS: "without the synthetic meeting's host, a name in the tasks' network alone",
  ZOOM_SECRET_ID: "without the synthetic meeting's secret",
  CAPACITY: 'an execution has slots of its own',
  SPOOL_DIR: 'a function may write to /tmp alone',
  SPOOL_MAX_BYTES: '/tmp is smaller than the disk of a task',
};
/** What the catcher alone is told. */
const FOR_THE_CATCHER_ALONE = ['MAX_TASKS', 'RUNNER_CLUSTER', 'RUNNER_SERVICE', 'TASK_CAPACITY'];

test(
  'the catcher is told the same of a session as a runner, but for what has a reason',
  () => {
    const { template } = synthesize('prod');
    const { RunnerEnv: all = {}, CatcherEnv: catcher = {} } = environmentsOf(template);
    const { NODE_OPTIONS: _, ...runner } = all;
    const missing = Object.keys(runner).filter((key) => !(key in catcher));
    expect(missing.sort()).toEqual(Object.keys(NOT_FOR_THE_CATCHER).sort());
    const other = Object.keys(runner).filter(
      (key) => key in catcher && !isDeepStrictEqual(runner[key], catcher[key]),
    );
    expect(other.sort()).toEqual(Object.keys(OTHER_FOR_THE_CATCHER).sort());
    const alone = Object.keys(catcher).filter((key) => !(key in runner));
    expect(alone.sort()).toEqual(FOR_THE_CATCHER_ALONE);
  },
  TIMEOUT_MS,
);

describe('monitoring', { timeout: TIMEOUT_MS }, () => {
  test('the dashboard shows every metric that exists, and no other', () => {
    const shown = new Set<string>();
    for (const { properties } of widgetsOf(synthesize('prod').stack)) {
      for (const line of properties.metrics ?? []) {
        if (line[0] === 'RtmsKinesis') shown.add(String(line[1]));
        const { expression } = (line[0] ?? {}) as { expression?: string };
        for (const [, name = ''] of expression?.matchAll(/MetricName="(\w+)"/g) ?? [])
          shown.add(name);
      }
    }
    expect([...shown].sort()).toEqual(Object.keys(METRICS).sort());
  });

  test('every metric is emitted by some function or the runner', () => {
    const sources = globSync('{functions,runner,shared}/**/*.ts', { cwd: fromRoot('') })
      .filter((path) => !path.endsWith('.test.ts'))
      .map((path) => readFileSync(fromRoot(path), 'utf8'))
      .join('\n');
    const silent = Object.keys(METRICS).filter((name) => !sources.includes(`'${name}'`));
    expect(silent).toEqual([]);
  });

  test('three queries are saved', () => {
    synthesize('dev').template.resourceCountIs('AWS::Logs::QueryDefinition', 3);
  });

  test("the dashboard's picture in docs/ is current", () => {
    const widgets = widgetsOf(synthesize('prod').stack);
    expect(readFileSync(fromRoot('docs/dashboard.svg'), 'utf8')).toBe(drawDashboard(widgets));
  });
});

describe('documents', () => {
  test('the cost tables of docs/deploy.md are current', () => {
    const document = readFileSync(fromRoot('docs/deploy.md'), 'utf8');
    expect(document).toContain(costTables());
    expect(document).toContain(sendRateTable());
  });

  test('docs/deploy.md names every finding that is excused, and why', () => {
    expect(readFileSync(fromRoot('docs/deploy.md'), 'utf8')).toContain(findingsTable());
  });
});

const BUNDLED = { '@aws-cdk/core:enablePartitionLiterals': true };

describe('bundles', { timeout: TIMEOUT_MS }, () => {
  test('each bundle is one file that Node runs without node_modules', async () => {
    const app = createUnvalidatedApp(BUNDLED);
    new RtmsKinesisStack(app, 'Bundled', { config: PROD });
    const bundles = join(app.outdir, 'bundles');
    const runner = promisify(execFile)(
      process.execPath,
      [join(bundles, 'runner-main', 'index.mjs')],
      { env: {} },
    );
    await expect(runner).rejects.toMatchObject({
      stderr: expect.stringContaining('SESSION_TABLE is missing'),
    });
    const synthetic = promisify(execFile)(
      process.execPath,
      [join(bundles, 'runner-main', 'synthetic-meeting.mjs')],
      { env: {} },
    );
    await expect(synthetic).rejects.toMatchObject({
      stderr: expect.stringContaining('SYNTHETIC_SECRET_ID is missing'),
    });
    const archiver = promisify(execFile)(
      process.execPath,
      [join(bundles, 'runner-main', 'archiver.mjs')],
      { env: {} },
    );
    await expect(archiver).rejects.toMatchObject({
      stderr: expect.stringContaining('ARCHIVE_BUCKET is missing'),
    });
    const dockerfile = readFileSync(join(bundles, 'runner-main', 'Dockerfile'), 'utf8');
    expect(dockerfile).toMatch(new RegExp(`^USER ${CONTAINER_USER}$`, 'm'));
    for (const file of /^COPY (index.*) \/app\/$/m.exec(dockerfile)?.[1]?.split(' ') ?? ['none']) {
      expect(existsSync(join(bundles, 'runner-main', file)), file).toBe(true);
    }
    const canary = await import(join(bundles, 'functions-webhook-canary-handler', 'index.mjs'));
    expect(canary.handler).toBeTypeOf('function');
    const webhook = statSync(join(bundles, 'functions-zoom-webhook-handler', 'index.mjs'));
    expect(webhook.size).toBeLessThan(400_000);
  });
});
