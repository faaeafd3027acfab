import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { isAllowedAddress, parseAllowedHosts } from '../shared/zoom/allowed-hosts.ts';
import {
  onlyOf,
  type Properties,
  resourcesOf,
  synthesize,
  TIMEOUT_MS,
} from '../test/support/infra-templates.ts';
import { readConfig } from './config/schema.ts';
import { anchorOf } from './monitoring/alarms.ts';
import { costPerHour } from './planning/cost-model.ts';
import { syntheticHost } from './synthetic-meeting.ts';

const HOST = 'synthetic.rtmskinesis-prod.rtms.internal';

function idsOf(properties: Properties | undefined): string[] {
  return JSON.stringify(properties ?? {}).match(/Rtms\w+/g) ?? [];
}

function environmentOf(type: string, part: string): Record<string, unknown> {
  const [, found] =
    resourcesOf(synthesize('prod').template, type).find(([id]) => id.includes(part)) ?? [];
  const list: { Name: string; Value: unknown }[] =
    found?.['ContainerDefinitions']?.[0].Environment ?? [];
  return (
    found?.['Environment']?.Variables ??
    Object.fromEntries(list.map(({ Name, Value }) => [Name, Value]))
  );
}

describe('the synthetic meeting', { timeout: TIMEOUT_MS }, () => {
  test('there is no synthetic meeting unless a stage asks for it', () => {
    for (const name of ['dev', 'private', 'existing']) {
      const { template } = synthesize(name);
      template.resourceCountIs('AWS::ServiceDiscovery::Service', 0);
      const services = Object.keys(template.findResources('AWS::ECS::Service'));
      expect(services.filter((id) => /synthetic/i.test(id))).toEqual([]);
      expect(JSON.stringify(template.toJSON())).not.toContain('ws://');
    }
  });

  test('the synthetic meeting is one task with a name in private DNS that runners and webhook allow', () => {
    const { template } = synthesize('prod');
    template.hasResourceProperties('AWS::ServiceDiscovery::PrivateDnsNamespace', {
      Name: 'rtmskinesis-prod.rtms.internal',
    });
    template.hasResourceProperties('AWS::ServiceDiscovery::Service', { Name: 'synthetic' });
    const services = Object.keys(template.findResources('AWS::ECS::Service'));
    expect(services.filter((id) => /synthetic/i.test(id))).toHaveLength(1);
    template.hasResourceProperties('AWS::ECS::Service', {
      DesiredCount: 1,
      DeploymentConfiguration: Match.objectLike({ MinimumHealthyPercent: 0, MaximumPercent: 100 }),
      ServiceRegistries: [Match.objectLike({ RegistryArn: Match.anyValue() })],
    });
    for (const [type, part] of [
      ['AWS::ECS::TaskDefinition', 'Runners'],
      ['AWS::Lambda::Function', 'Webhook'],
    ] as const) {
      const hosts = parseAllowedHosts(String(environmentOf(type, part)['ALLOWED_HOSTS']));
      expect(isAllowedAddress(`ws://${HOST}:8081`, hosts)).toBe(true);
      expect(isAllowedAddress(`ws://other.${HOST}:8081`, hosts)).toBe(false);
      expect(isAllowedAddress('wss://x.zoom.us', hosts)).toBe(true);
    }
    expect(environmentOf('AWS::ECS::TaskDefinition', 'Synthetic')['HOST']).toBe(HOST);
  });

  test.each(['a', 'Both-A', `${'x'.repeat(62)}-y`, 'ends-'])(
    'a deployment named %s has a host name that DNS takes',
    (deployment) => {
      const host = syntheticHost(deployment);
      expect(parseAllowedHosts(`ws://${host}`)).toEqual([`ws://${host}`]);
      for (const label of host.split('.'))
        expect(label).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    },
  );

  test('Secrets Manager draws the secret of the synthetic meeting; webhook and runners read it after their own', () => {
    const { template } = synthesize('prod');
    const [[secretId] = [''], ...others] = resourcesOf(
      template,
      'AWS::SecretsManager::Secret',
    ).filter(([, { GenerateSecretString }]) => GenerateSecretString !== undefined);
    expect(others).toEqual([]);
    template.hasResourceProperties('AWS::SecretsManager::Secret', {
      GenerateSecretString: Match.objectLike({
        SecretStringTemplate: '{}',
        GenerateStringKey: 'synthetic',
      }),
    });
    const joined = (own: RegExp) => ({
      'Fn::Join': [',', [{ Ref: expect.stringMatching(own) }, { Ref: secretId }]],
    });
    expect(environmentOf('AWS::ECS::TaskDefinition', 'Runners')['ZOOM_SECRET_ID']).toEqual(
      joined(/^RtmsZoomSecret[0-9A-F]{8}$/),
    );
    expect(environmentOf('AWS::Lambda::Function', 'Webhook')['ZOOM_WEBHOOK_SECRET_ID']).toEqual(
      joined(/WebhookTokens/),
    );
    expect(environmentOf('AWS::ECS::TaskDefinition', 'Synthetic')['SYNTHETIC_SECRET_ID']).toEqual({
      Ref: secretId,
    });
    const readers = resourcesOf(template, 'AWS::IAM::Policy')
      .filter(([, { PolicyDocument }]) => idsOf(PolicyDocument).includes(secretId))
      .map(([id]) => /Webhook|RunnersTask|SyntheticMeetingTask/.exec(id)?.[0]);
    expect(readers.sort()).toEqual(['RunnersTask', 'SyntheticMeetingTask', 'Webhook']);
  });

  test('only runners may connect to the two ports of the synthetic meeting', () => {
    const rules = resourcesOf(synthesize('prod').template, 'AWS::EC2::SecurityGroupIngress').filter(
      ([, { GroupId }]) => idsOf(GroupId).some((id) => id.includes('Synthetic')),
    );
    expect(rules.map(([, { FromPort, ToPort }]) => [FromPort, ToPort]).sort()).toEqual([
      [8081, 8081],
      [8082, 8082],
    ]);
    for (const [, { SourceSecurityGroupId }] of rules) {
      expect(idsOf(SourceSecurityGroupId)).toEqual([expect.stringMatching(/RunnerSecurityGroup/)]);
    }
  });

  test('the synthetic meeting starts anew with each image, after the runners have changed', () => {
    const { template } = synthesize('prod');
    const images = resourcesOf(template, 'AWS::ECS::TaskDefinition').map(
      ([, { ContainerDefinitions }]) => ContainerDefinitions[0].Image,
    );
    expect(images).toHaveLength(2);
    expect(images[0]).toEqual(images[1]);
    const services = template.findResources('AWS::ECS::Service');
    const ids = Object.keys(services);
    const [synthetic = ''] = ids.filter((id) => id.includes('Synthetic'));
    expect(services[synthetic]?.['DependsOn']).toEqual(
      expect.arrayContaining(ids.filter((id) => id !== synthetic)),
    );
  });

  test('a synthetic meeting that failed within two hours pages, and so does none at all', () => {
    const { template } = synthesize('prod');
    const [[id, alarm] = []] = resourcesOf(template, 'AWS::CloudWatch::Alarm').filter(
      ([, { MetricName }]) => MetricName === 'SyntheticSuccess',
    );
    expect(alarm).toMatchObject({
      Statistic: 'Minimum',
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 100,
      Period: 7200,
      TreatMissingData: 'breaching',
      Dimensions: [
        { Name: 'deployment', Value: 'RtmsKinesis-prod' },
        { Name: 'service', Value: 'synthetic' },
      ],
    });
    const { AlarmRule } = onlyOf(template, 'AWS::CloudWatch::CompositeAlarm') as Properties;
    expect(JSON.stringify(AlarmRule)).toContain(id);
    expect(anchorOf('Synthetic meeting failing')).toBe('synthetic-meeting-failing');
  });

  test('the cost estimate has about $12 a month for the synthetic meeting with a public address', () => {
    const line = (syntheticMeeting: boolean) =>
      costPerHour(readConfig({ monitoring: { syntheticMeeting } }), 0).find(
        ({ item }) => item === 'Synthetic meeting',
      );
    expect(line(false)).toBeUndefined();
    const month = (line(true)?.dollarsPerHour ?? 0) * 730;
    expect(month).toBeGreaterThan(11);
    expect(month).toBeLessThan(14);
  });
});
