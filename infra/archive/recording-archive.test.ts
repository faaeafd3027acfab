import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import {
  createUnvalidatedApp,
  grantsOf,
  resourcesOf,
  synthesize,
  TIMEOUT_MS,
} from '../../test/support/infra-templates.ts';
import { readConfig } from '../config/schema.ts';
import type { ArchiveInput } from '../config/sections/archive.ts';
import { RecordingArchive, RtmsKinesis } from '../rtms-kinesis.ts';

const faultsOf = (archive: ArchiveInput): string[] => {
  try {
    readConfig({ records: { archive } });
    return [];
  } catch (error) {
    return (error as { detail: { faults: string[] } }).detail.faults;
  }
};

describe('the configuration of the archive', () => {
  test.each<[ArchiveInput, RegExp]>([
    [
      { objectLock: { mode: 'compliance', days: 1 } },
      /records.archive.onRevocation: missing; allowed with compliance/,
    ],
    [
      { objectLock: { mode: 'compliance', days: 1 }, onRevocation: 'delete' },
      /records.archive.onRevocation: "delete"; allowed with compliance is record alone/,
    ],
    [{ cpu: 256, memoryMiB: 8192 }, /records.archive.memoryMiB: 8192; allowed is 512, 1024, 2048/],
    [{ prefix: '/a' }, /records.archive.prefix: "\/a"; /],
    [{ objectLock: { mode: 'governance', days: 0 } }, /records.archive.objectLock.days: 0/],
    [{ transition: { afterDays: 2, to: 'GLACIER' } }, /allowed with GLACIER and DEEP_ARCHIVE is/],
    [{ transition: { afterDays: 2, to: 'DEEP_ARCHIVE' } }, /records.archive.transition: .*and 48/],
    [{ transition: { afterDays: 29, to: 'STANDARD_IA' } }, /transition.afterDays: 29; .* 30 and/],
    [
      { transition: { afterDays: 30, to: 'GLACIER_IR' }, expireDays: 30 },
      /expireDays: 30; allowed/,
    ],
  ])('%j is refused', (archive, fault) => {
    expect(faultsOf(archive).join('\n')).toMatch(fault);
  });

  test('a transition to a class that is not read waits for the longest retention', () => {
    const transition = { afterDays: 365, to: 'GLACIER' } as const;
    const input = { records: { retentionHours: 8_760, archive: { transition } } };
    expect(() => readConfig(input)).toThrow(/records.archive.transition: /);
    expect(() => readConfig({ records: { archive: { transition } } })).not.toThrow();
  });

  test.each<ArchiveInput>([
    {},
    { objectLock: { mode: 'compliance', days: 365 }, onRevocation: 'record' },
    { objectLock: { mode: 'governance', days: 365 } },
    { transition: { afterDays: 3, to: 'GLACIER' }, expireDays: 4 },
    { transition: { afterDays: 1, to: 'GLACIER_IR' } },
    { transition: { afterDays: 30, to: 'STANDARD_IA' } },
  ])('%j is taken', (archive) => {
    expect(faultsOf(archive)).toEqual([]);
  });
});

/** An archive beside the service, in a stack of its own class. */
function beside(archive: ArchiveInput, hasKey = false): Template {
  const stack = new Stack(createUnvalidatedApp(), 'Beside');
  const rtms = new RtmsKinesis(stack, 'Rtms', hasKey ? { encryption: 'customer-managed' } : {});
  new RecordingArchive(stack, 'Archive', { rtms, archive });
  return Template.fromStack(stack);
}

describe('the archive', { timeout: TIMEOUT_MS }, () => {
  test('may do what the archiver calls and nothing else', () => {
    const grants = grantsOf(synthesize('on-demand').template);
    expect(grants['ArchiveTaskTaskRole']).toEqual([
      ...['dynamodb:BatchWriteItem', 'dynamodb:DeleteItem', 'dynamodb:GetItem'],
      ...['dynamodb:Query', 'dynamodb:UpdateItem'],
      'events:PutEvents',
      ...['kinesis:DescribeStreamSummary', 'kinesis:GetRecords', 'kinesis:GetShardIterator'],
      'kinesis:ListShards',
      ...['s3:BypassGovernanceRetention', 's3:DeleteObject', 's3:DeleteObjectVersion'],
      ...['s3:GetObject', 's3:ListBucket', 's3:ListBucketVersions', 's3:PutObject'],
    ]);
  });

  test('may neither delete nor pass over Object Lock where a revocation is only recorded', () => {
    const template = beside({
      onRevocation: 'record',
      objectLock: { mode: 'compliance', days: 7 },
    });
    const actions = grantsOf(template)['ArchiveTaskTaskRole'] ?? [];
    expect(actions.filter((action) => /Delete(Object|d)|Bypass/.test(action))).toEqual([]);
    expect(actions).toContain('s3:PutObject');
    template.hasResourceProperties('AWS::S3::Bucket', {
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 7 } },
      },
    });
  });

  test('has buckets that are closed, encrypted with the key of the stack, and take TLS alone', () => {
    const template = beside({}, true);
    for (const [id, bucket] of resourcesOf(template, 'AWS::S3::Bucket')) {
      expect(bucket['PublicAccessBlockConfiguration'], id).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      const [rule] = bucket['BucketEncryption'].ServerSideEncryptionConfiguration;
      const { SSEAlgorithm } = rule.ServerSideEncryptionByDefault;
      expect(SSEAlgorithm, id).toBe(id.includes('AccessLogs') ? 'AES256' : 'aws:kms');
      expect(bucket['VersioningConfiguration'], id).toEqual({ Status: 'Enabled' });
    }
    for (const [id, { PolicyDocument }] of resourcesOf(template, 'AWS::S3::BucketPolicy'))
      expect(JSON.stringify(PolicyDocument), id).toContain('"aws:SecureTransport":"false"');
    expect(grantsOf(template)['ArchiveTaskTaskRole']).toContain('kms:GenerateDataKey');
  });

  test('keeps, moves and expires recordings as the configuration says', () => {
    const { template } = synthesize('on-demand');
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: Match.arrayWith([
          Match.objectLike({
            Prefix: 'recordings/zoom/sessions/',
            ExpirationInDays: 365,
            Transitions: [{ StorageClass: 'GLACIER_IR', TransitionInDays: 30 }],
          }),
          Match.objectLike({ Prefix: 'recordings/zoom/damaged/', ExpirationInDays: 30 }),
        ]),
      },
    });
  });

  test('is in rtms.json, which the rtms command reads', () => {
    const { template } = synthesize('on-demand');
    expect(JSON.stringify(template.findOutputs('RtmsJson'))).toContain('recordings/zoom');
    expect(template.findOutputs('ArchiveUrl')).not.toEqual({});
  });

  test('runs beside a service that has none, with read-only disks and as nobody in particular', () => {
    const template = beside({ tasks: 3 });
    const services = resourcesOf(template, 'AWS::ECS::Service').filter(([id]) =>
      id.startsWith('Archive'),
    );
    expect(services.map(([, { DesiredCount }]) => DesiredCount)).toEqual([3]);
    const [[, task] = []] = resourcesOf(template, 'AWS::ECS::TaskDefinition').filter(([id]) =>
      id.startsWith('Archive'),
    );
    expect(task?.['ContainerDefinitions'][0]).toMatchObject({
      ReadonlyRootFilesystem: true,
      User: '1000:1000',
      EntryPoint: ['node', '/app/archiver.mjs'],
    });
  });
});
