import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CfnParameter, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Cluster, type ICluster } from 'aws-cdk-lib/aws-ecs';
import { type IStream, Stream } from 'aws-cdk-lib/aws-kinesis';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, test } from 'vitest';
import { DEPLOYMENT_NAMES, findDeployment } from '../cli/deployment/deployment.ts';
import {
  createUnvalidatedApp,
  onlyOf,
  resourcesOf,
  synthesize,
  TIMEOUT_MS,
} from '../test/support/infra-templates.ts';
import { fromRoot } from './bundling/bundle-options.ts';
import type { ConfigInput } from './config/schema.ts';
import { DEV, PROD, REGULATED } from './config/stages.ts';
import { RtmsKinesis } from './rtms-kinesis.ts';
import { RtmsKinesisStack } from './stack.ts';

/** The context of somebody else's app: it has none of the flags of our cdk.json. */
const CONTEXT = { 'aws:cdk:bundling-stacks': [], '@aws-cdk/core:enablePartitionLiterals': true };

function templateOf(config: ConfigInput, region?: string): Template {
  const app = createUnvalidatedApp(CONTEXT);
  const env = region === undefined ? {} : { env: { region, account: '111122223333' } };
  return Template.fromStack(new RtmsKinesisStack(app, 'S', { config, ...env }));
}

describe('a deployment', { timeout: TIMEOUT_MS }, () => {
  test('what holds data keeps its logical id, because another id is another, empty resource', () => {
    const { template } = synthesize('prod');
    const ids = [
      'AWS::DynamoDB::Table',
      'AWS::Kinesis::Stream',
      'AWS::KMS::Key',
      'AWS::SecretsManager::Secret',
    ].flatMap((type) => resourcesOf(template, type).map(([id]) => id));
    // The synthetic meeting's secret is drawn anew with the stack: nothing is lost with it.
    expect(ids.filter((id) => !id.includes('Synthetic')).sort()).toEqual(PINNED_IDS);
  });

  test('a first deployment that fails leaves nothing behind; later on data outlives the stack', () => {
    const template = synthesize('prod').template.toJSON();
    for (const id of PINNED_IDS) {
      expect(template['Resources'][id].DeletionPolicy, id).toBe('RetainExceptOnCreate');
      expect(template['Resources'][id].UpdateReplacePolicy, id).toBe('Retain');
    }
  });

  test('the service starts only when tasks can pull, log and reach the internet', () => {
    const { template } = synthesize('regulated');
    const [service] = Object.values(template.findResources('AWS::ECS::Service'));
    const needs: string[] = service?.['DependsOn'];
    const inVpc = (type: string) => Object.keys(template.findResources(type));
    expect(needs).toEqual(expect.arrayContaining(inVpc('AWS::EC2::NatGateway')));
    expect(needs).toEqual(expect.arrayContaining(inVpc('AWS::EC2::Route')));
    expect(needs).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/ExecutionRoleDefaultPolicy/),
        expect.stringMatching(/TaskRoleDefaultPolicy/),
      ]),
    );
  });

  test('the stack of production is protected against deletion', () => {
    const app = createUnvalidatedApp(CONTEXT);
    const protectedBy = (id: string, config: ConfigInput) =>
      new RtmsKinesisStack(app, id, { config }).terminationProtection;
    expect(protectedBy('Prod', PROD)).toBe(true);
    expect(protectedBy('Dev', DEV)).toBe(false);
  });

  test('the output RtmsJson has every name that the rtms command asks for', () => {
    const { RtmsJson } = synthesize('prod').template.toJSON()['Outputs'];
    const [separator, parts]: [string, (string | object)[]] = RtmsJson.Value['Fn::Join'];
    const text = parts
      .map((part) => (typeof part === 'string' ? part : 'known-then'))
      .join(separator);
    const folder = mkdtempSync(join(tmpdir(), 'rtms-json-'));
    const path = join(folder, 'rtms.json');
    // The webhook's address is put together from what the deployment knows.
    writeFileSync(
      path,
      text.replace(/"webhookUrl":"[^"]*"/, '"webhookUrl":"https://example.com/webhook"'),
    );
    const deployment = findDeployment({ config: path }, {});
    rmSync(folder, { recursive: true });
    expect(Object.keys(deployment)).toEqual(
      expect.arrayContaining(DEPLOYMENT_NAMES.filter((name) => name !== 'profile')),
    );
  });

  test('a deployment tags everything, tasks included, and its budget filters by that tag', () => {
    const { template } = synthesize('on-demand');
    template.hasResourceProperties('AWS::ECS::Service', {
      PropagateTags: 'SERVICE',
      EnableECSManagedTags: true,
      Tags: Match.arrayWith([{ Key: 'rtms-kinesis:deployment', Value: 'RtmsKinesis-on-demand' }]),
    });
    template.hasResourceProperties('AWS::Budgets::Budget', {
      Budget: {
        BudgetLimit: { Amount: 500, Unit: 'USD' },
        CostFilters: { TagKeyValue: ['user:rtms-kinesis:deployment$RtmsKinesis-on-demand'] },
      },
    });
  });

  test('warm throughput is allowed only with On-Demand Advantage', () => {
    const capacity = { mode: 'on-demand', advantage: true, warmMiBps: 100 } as const;
    const template = templateOf({ records: { capacity } });
    expect(
      resourcesOf(template, 'AWS::Kinesis::Stream').map(
        ([, { WarmThroughputMiBps }]) => WarmThroughputMiBps,
      ),
    ).toEqual([100, undefined]);
    const { advantage: _, ...without } = capacity;
    expect(() => templateOf({ records: { capacity: without } })).toThrow(
      /records\.capacity\.warmMiBps: 100; allowed only with advantage/,
    );
  });

  test('CloudFront and a rate limit per address stand before the webhook where the configuration asks for them', () => {
    const { template } = synthesize('on-demand');
    template.hasResourceProperties('AWS::WAFv2::WebACL', {
      Scope: 'CLOUDFRONT',
      Rules: [
        Match.objectLike({
          Statement: {
            RateBasedStatement: Match.objectLike({ Limit: 6000, AggregateKeyType: 'IP' }),
          },
        }),
      ],
    });
    expect(onlyOf(template, 'AWS::CloudFront::Distribution')['DistributionConfig']).toMatchObject({
      WebACLId: { 'Fn::GetAtt': [expect.stringMatching(/WebAcl/), 'Arn'] },
    });
    expect(() => templateOf({ webhook: { cloudFront: {} } }, 'eu-west-1')).toThrow(
      /webhook\.cloudFront\.webAclArn: missing; .*eu-west-1/,
    );
  });

  test.each(['us-gov-west-1', 'cn-north-1'])(
    'a template for %s names nothing of the commercial partition',
    (region) => {
      const text = JSON.stringify(templateOf(PROD, region).toJSON());
      expect(text).not.toMatch(/arn:aws:(?!\w*\$)/);
    },
  );

  test.each(['eu-central-1', 'cn-north-1'])(
    'in %s the key of a log group lets CloudWatch Logs use it',
    (region) => {
      // amazonaws.com, or amazonaws.com.cn
      const service = { 'Fn::Join': ['', [`logs.${region}.`, { Ref: 'AWS::URLSuffix' }]] };
      for (const template of [PROD, REGULATED].map((stage) => templateOf(stage, region))) {
        const keys = template.findResources('AWS::KMS::Key');
        const groups = resourcesOf(template, 'AWS::Logs::LogGroup');
        expect(groups.length).toBeGreaterThan(4);
        for (const [id, { KmsKeyId }] of groups) {
          const policy = keys[KmsKeyId['Fn::GetAtt'][0]]?.['Properties'].KeyPolicy;
          expect(policy?.Statement, id).toContainEqual(
            expect.objectContaining({
              Effect: 'Allow',
              Principal: { Service: service },
              Action: expect.arrayContaining(['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey']),
              Condition: {
                ArnLike: {
                  'kms:EncryptionContext:aws:logs:arn': expect.stringContaining(
                    `:logs:${region}:111122223333:*`,
                  ),
                },
              },
            }),
          );
        }
      }
    },
  );

  test('two deployments in one account have no name in common', () => {
    const app = createUnvalidatedApp(CONTEXT);
    const stack = new Stack(app, 'Both');
    new RtmsKinesis(stack, 'A', DEV);
    new RtmsKinesis(stack, 'B', DEV);
    const template = Template.fromStack(stack);
    const names = [
      ...resourcesOf(template, 'AWS::CloudWatch::Dashboard').map(([, one]) => one['DashboardName']),
      ...resourcesOf(template, 'AWS::Logs::QueryDefinition').map(([, one]) => one['Name']),
      ...resourcesOf(template, 'AWS::ApiGatewayV2::Api').map(([, one]) => `API ${one['Name']}`),
    ];
    expect(names.length).toBeGreaterThan(8);
    expect(new Set(names).size).toBe(names.length);
    const deployments = resourcesOf(template, 'AWS::CloudWatch::Alarm')
      .filter(([, { Namespace }]) => Namespace === 'RtmsKinesis')
      .map(([, { Dimensions }]) => Dimensions.find(isDeployment)?.Value);
    expect([...new Set(deployments)].sort()).toEqual([
      expect.stringMatching(/^Both-A/),
      expect.stringMatching(/^Both-B/),
    ]);
  });
});

const isDeployment = ({ Name }: { readonly Name: string }) => Name === 'deployment';

const PINNED_IDS = [
  'RtmsKey8780866E',
  'RtmsRecordStreamsEvents0B69F2BB',
  'RtmsRecordStreamsMedia8014B711',
  'RtmsSessionTable76ECEA6E',
  'RtmsZoomSecretFF82CED4',
  'RtmsZoomSecretWebhookTokens3EFA6260',
];

describe('the image', { timeout: TIMEOUT_MS }, () => {
  test('the image is built without running anything in it, and without instructions that only BuildKit has', () => {
    const lines = readFileSync(fromRoot('runner/Dockerfile'), 'utf8').split('\n');
    expect(lines.filter((line) => /^RUN\b|--chmod|--mount/.test(line))).toEqual([]);
    expect(lines).toContain('USER 1000:1000');
  });

  test.each([
    ['another base', { baseImageDigest: `sha256:${'0'.repeat(64)}` }],
    ['another processor', { architecture: 'x86_64' as const }],
  ])('%s makes another image', (_, runner) => {
    const imageOf = (config: ConfigInput) =>
      JSON.stringify(
        onlyOf(templateOf(config), 'AWS::ECS::TaskDefinition')['ContainerDefinitions'][0].Image,
      );
    expect(imageOf({ runner })).not.toBe(imageOf({}));
  });

  test('runners may run on x86_64', () => {
    templateOf({ runner: { architecture: 'x86_64' } }).hasResourceProperties(
      'AWS::ECS::TaskDefinition',
      { RuntimePlatform: { CpuArchitecture: 'X86_64', OperatingSystemFamily: 'LINUX' } },
    );
  });

  test.each([
    'public.ecr.aws/example/rtms-kinesis:1.2.3',
    `111122223333.dkr.ecr.us-east-1.amazonaws.com/rtms@sha256:${'a'.repeat(64)}`,
  ])('the published image %s needs no Docker', (imageUri) => {
    const app = createUnvalidatedApp(CONTEXT);
    const stack = new RtmsKinesisStack(app, 'S', {
      config: { runner: { imageUri } },
      env: { account: '111122223333', region: 'us-east-1' },
    });
    const [, name = ''] = imageUri.split('/', 2);
    const image = onlyOf(Template.fromStack(stack), 'AWS::ECS::TaskDefinition');
    expect(JSON.stringify(image['ContainerDefinitions'][0].Image)).toContain(name.split(/[:@]/)[0]);
    const manifest = app.synth().getStackArtifact(stack.artifactId).manifest;
    expect(JSON.stringify(manifest)).not.toContain('dockerImages');
  });
});

describe('the construct', { timeout: TIMEOUT_MS }, () => {
  test('the construct uses resources that it is given, and creates none of them again', () => {
    const stack = new Stack(createUnvalidatedApp(CONTEXT), 'Own');
    const vpc = new Vpc(stack, 'Vpc');
    new RtmsKinesis(
      stack,
      'Rtms',
      {},
      {
        cluster: new Cluster(stack, 'Cluster', { vpc: vpc as never }) as ICluster,
        encryptionKey: new Key(stack, 'Key') as IKey,
        mediaStream: new Stream(stack, 'Media') as IStream,
        eventsStream: new Stream(stack, 'Events') as IStream,
        credentials: new Secret(stack, 'Credentials') as ISecret,
        webhookTokens: new Secret(stack, 'Tokens') as ISecret,
        pagesTopic: new Topic(stack, 'Pages') as ITopic,
        ticketsTopic: new Topic(stack, 'Tickets') as ITopic,
      },
    );
    const template = Template.fromStack(stack);
    expect(JSON.stringify(onlyOf(template, 'AWS::KMS::Key'))).toContain('"logs.');
    for (const [type, count] of [
      ['AWS::EC2::VPC', 1],
      ['AWS::ECS::Cluster', 1],
      ['AWS::KMS::Key', 1],
      ['AWS::Kinesis::Stream', 2],
      ['AWS::SecretsManager::Secret', 2],
      ['AWS::SNS::Topic', 2],
    ] as const) {
      template.resourceCountIs(type, count);
    }
    template.hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: {
        AwsvpcConfiguration: Match.objectLike({
          AssignPublicIp: 'DISABLED',
          Subnets: [
            { Ref: Match.stringLikeRegexp('^VpcPrivate') },
            { Ref: Match.stringLikeRegexp('^VpcPrivate') },
          ],
        }),
      },
    });
  });

  test('the configuration takes tokens for names that only a deployment knows', () => {
    const stack = new Stack(createUnvalidatedApp(CONTEXT), 'Tokens');
    const parameter = (id: string) => new CfnParameter(stack, id).valueAsString;
    new RtmsKinesis(stack, 'Rtms', {
      webhook: { domain: { name: parameter('Host'), certificateArn: parameter('Certificate') } },
      network: {
        kind: 'existing',
        vpcId: parameter('VpcId'),
        availabilityZones: ['us-east-1a', 'us-east-1b'],
        subnetIds: [parameter('SubnetA'), parameter('SubnetB')],
      },
      monitoring: { pages: [{ email: parameter('Pager') }, { https: parameter('Hook') }] },
    });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainName: { Ref: 'Host' },
    });
    template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'https',
      Endpoint: { Ref: 'Hook' },
    });
    template.hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: {
        AwsvpcConfiguration: Match.objectLike({
          Subnets: [{ Ref: 'SubnetA' }, { Ref: 'SubnetB' }],
        }),
      },
    });
  });
});
