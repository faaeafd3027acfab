import { readFileSync } from 'node:fs';
import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import {
  CONFIGS,
  onlyOf,
  type Properties,
  resourcesOf,
  synthesize,
  TIMEOUT_MS,
} from '../../test/support/infra-templates.ts';
import { fromRoot } from '../bundling/bundle-options.ts';
import { readConfig } from '../config/schema.ts';
import { alarmCount } from '../planning/cost-model.ts';
import { widgetsOf } from '../study/pictures/dashboard-picture.ts';
import { COMPOSITE_HEADING } from './alarms.ts';

const ALARM_TYPES = ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm'];
const THIS_ACCOUNT = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };

function alarmsOf(template: Template): [string, Properties][] {
  return ALARM_TYPES.flatMap((type) => resourcesOf(template, type));
}

/** Services that a policy allows the action; expects that each may publish for this account only. */
function allowed(policy: Properties, action: string): string[] {
  const statements: Properties[] = policy['Statement'];
  return statements
    .filter(({ Effect, Action }) => Effect === 'Allow' && [Action].flat().includes(action))
    .filter(({ Principal }) => Principal.Service !== undefined)
    .flatMap(({ Principal, Condition }) => {
      if (action === 'sns:Publish') expect(Condition).toEqual(THIS_ACCOUNT);
      return [Principal.Service].flat().map(String);
    });
}

describe('the pager', { timeout: TIMEOUT_MS }, () => {
  test.each(['dev', 'prod', 'regulated', 'on-demand'])(
    'every alarm of %s reaches a topic that CloudWatch may publish to',
    (name) => {
      const { template } = synthesize(name);
      const topics = Object.fromEntries(resourcesOf(template, 'AWS::SNS::Topic'));
      const rules = template.findResources('AWS::ApplicationAutoScaling::ScalingPolicy');
      const policies = resourcesOf(template, 'AWS::SNS::TopicPolicy');
      const keys = Object.fromEntries(resourcesOf(template, 'AWS::KMS::Key'));
      const reached = new Set<string>();
      for (const [id, { AlarmActions }] of alarmsOf(template)) {
        expect(AlarmActions, id).not.toHaveLength(0);
        for (const { Ref } of AlarmActions as { Ref: string }[]) {
          if (Ref in rules) continue;
          expect(topics, id).toHaveProperty(Ref);
          reached.add(Ref);
        }
      }
      expect(reached.size).toBe(2);
      for (const topic of reached) {
        const [policy, ...others] = policies.filter(([, { Topics }]) => Topics[0].Ref === topic);
        expect(others).toEqual([]);
        const document = policy?.[1]['PolicyDocument'];
        const hasBudget =
          topic.includes('Tickets') && resourcesOf(template, 'AWS::Budgets::Budget').length > 0;
        const publishers = [
          ...(hasBudget ? ['budgets.amazonaws.com'] : []),
          'cloudwatch.amazonaws.com',
        ];
        expect(allowed(document, 'sns:Publish').sort()).toEqual(publishers);
        const key = topics[topic]?.['KmsMasterKeyId'];
        if (key === undefined) continue;
        const { KeyPolicy } = keys[key['Fn::GetAtt'][0]] as { KeyPolicy: Properties };
        for (const action of ['kms:Decrypt', 'kms:GenerateDataKey'])
          expect(allowed(KeyPolicy, action)).toEqual(expect.arrayContaining(publishers));
      }
    },
  );

  test('only the composite alarm pages, when it switches on and when it switches off', () => {
    const pages = alarmsOf(synthesize('prod').template).filter(([, { AlarmActions }]) =>
      JSON.stringify(AlarmActions).includes('Pages'),
    );
    expect(pages).toHaveLength(1);
    expect(pages[0]?.[1]).toMatchObject({ OKActions: pages[0]?.[1]['AlarmActions'] });
    expect(pages[0]?.[0]).toContain('ServiceDegraded');
  });

  test('the topics have the subscribers that the configuration names', () => {
    const { template } = synthesize('on-demand');
    const told = resourcesOf(template, 'AWS::SNS::Subscription').map(
      ([, { Protocol, Endpoint, TopicArn }]) => [
        /Pages|Tickets/.exec(TopicArn.Ref)?.[0],
        Protocol,
        Endpoint,
      ],
    );
    expect(told.sort()).toEqual([
      ['Pages', 'email', 'pager@example.com'],
      ['Pages', 'https', 'https://events.example.com/rtms'],
      ['Tickets', 'email', 'team@example.com'],
    ]);
  });

  test('a deployment that nobody is on call for has about half of the alarms', () => {
    const count = (name: string) => alarmsOf(synthesize(name).template).length;
    expect(count('dev')).toBeLessThan(count('prod') / 2 + 1);
  });

  test.each(['dev', 'private'])('the cost estimate counts the alarms that %s has', (name) => {
    const { template } = synthesize(name);
    const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm');
    expect(alarms).toHaveLength(alarmCount(readConfig(CONFIGS[name] ?? {})));
  });
});

describe('alarms', { timeout: TIMEOUT_MS }, () => {
  test('no alarm looks at one minute only, because it would never see late metrics', () => {
    const { template } = synthesize('prod');
    const short = resourcesOf(template, 'AWS::CloudWatch::Alarm')
      .filter(([id]) => id.includes('Monitoring'))
      .filter(([, { EvaluationPeriods, Period = 60 }]) => EvaluationPeriods * Period < 120);
    expect(short.map(([id]) => id)).toEqual([]);
  });

  test('no alarm fills minutes without data, because a filled minute looks like a good one', () => {
    for (const [id, alarm] of resourcesOf(synthesize('prod').template, 'AWS::CloudWatch::Alarm')) {
      expect(JSON.stringify(alarm), id).not.toContain('FILL(');
    }
  });

  test.each([
    ['SessionsFailed', { deployment: 'RtmsKinesis-prod', service: 'runner' }],
    ['FramesLost', { deployment: 'RtmsKinesis-prod', service: 'runner' }],
    ['Takeovers', { deployment: 'RtmsKinesis-prod', service: 'runner', cause: 'owner_lost' }],
  ])(
    'the alarm on %s judges the total of this deployment, or the one cause that is a fault',
    (name, dimensions) => {
      const [[, alarm] = [], ...others] = resourcesOf(
        synthesize('prod').template,
        'AWS::CloudWatch::Alarm',
      ).filter(([, { MetricName }]) => MetricName === name);
      expect(others).toEqual([]);
      const carried: { Name: string; Value: string }[] = alarm?.['Dimensions'] ?? [];
      const found = carried.map(({ Name, Value }) => [Name, Value]);
      expect(Object.fromEntries(found)).toEqual(dimensions);
    },
  );

  test('alarms see unreadable rows in the runner and in the webhook', () => {
    const services = resourcesOf(synthesize('prod').template, 'AWS::CloudWatch::Alarm')
      .filter(([, { MetricName }]) => MetricName === 'UnreadableRows')
      .map(([, { Dimensions }]) => Dimensions.find(({ Name }: Properties) => Name === 'service'));
    expect(services.map((service) => service.Value).sort()).toEqual(['runner', 'webhook']);
  });

  test.each([
    ['StreamsQuarantined', true],
    ['RowsGivenUp', false],
    ['SessionDefects', false],
    ['HandBacks', false],
    ['SessionsOverloading', false],
    ['VideoMissing', false],
    ['SpoolUnavailable', false],
  ])('one %s in five minutes raises an alarm; it pages: %s', (name, pages) => {
    const { template } = synthesize('prod');
    const [[id, alarm] = [], ...others] = resourcesOf(template, 'AWS::CloudWatch::Alarm').filter(
      ([, { MetricName }]) => MetricName === name,
    );
    expect(others).toEqual([]);
    expect(alarm).toMatchObject({
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
      DatapointsToAlarm: 1,
      EvaluationPeriods: 5,
    });
    const rule = onlyOf(template, 'AWS::CloudWatch::CompositeAlarm')['AlarmRule'];
    expect(JSON.stringify(rule).includes(String(id))).toBe(pages);
  });

  test('the share of meetings recorded whole is judged over six hours, of those that have ended', () => {
    const alarms = resourcesOf(synthesize('prod').template, 'AWS::CloudWatch::Alarm');
    const [, alarm] = alarms.find(([id]) => id.includes('Toofewmeetingswhole')) ?? [];
    expect(alarm).toMatchObject({
      Threshold: 99,
      ComparisonOperator: 'LessThanThreshold',
      // Without meetings there is nothing to judge.
      TreatMissingData: 'notBreaching',
    });
    const [share, ...parts] = alarm?.['Metrics'] ?? [];
    expect(share.Expression).toBe('100 * whole / (whole + part + missed)');
    const emitted = parts.map(({ Id, MetricStat: { Metric, Period, Stat } }: Properties) => [
      Id,
      Metric.MetricName,
      Period,
      Stat,
    ]);
    expect(emitted).toEqual([
      ['whole', 'MeetingsWhole', 21_600, 'Sum'],
      ['part', 'MeetingsInPart', 21_600, 'Sum'],
      ['missed', 'MeetingsMissed', 21_600, 'Sum'],
    ]);
  });

  test('a flood and many refusals raise alarms', () => {
    const { template } = synthesize('prod');
    const alarm = (id: string) =>
      resourcesOf(template, 'AWS::CloudWatch::Alarm').find(([name]) => name.includes(id))?.[1];
    expect(alarm('Webhookflooded')).toMatchObject({
      MetricName: 'Count',
      // Half of 2,000 requests a second, in a minute.
      Threshold: 60_000,
    });
    expect(JSON.stringify(alarm('Webhookrefusing'))).toContain('"4xx"');
  });

  test('every alarm links to its heading in the runbook, and every heading has an alarm', () => {
    const headings = headingsOfRunbook();
    const descriptions = alarmsOf(synthesize('on-demand').template)
      .filter(([id]) => id.includes('Monitoring'))
      .map(([, { AlarmDescription }]) => String(AlarmDescription));
    const anchors = descriptions.map(
      (text) => /Runbook: https:\/\/example\.com\/docs\/runbook\.md#(.+)$/.exec(text)?.[1],
    );
    expect(headings).toContain(COMPOSITE_HEADING);
    expect(anchors.sort()).toEqual(
      headings.map((heading) => heading.toLowerCase().replaceAll(' ', '-')).sort(),
    );
  });

  test('without an address for the runbook alarms link to the dashboard, which shows it', () => {
    const { template } = synthesize('prod');
    for (const [id, { AlarmDescription }] of alarmsOf(template)) {
      if (!id.includes('Monitoring')) continue;
      const text = JSON.stringify(AlarmDescription);
      expect(text, id).toMatch(/Runbook, \\".+\\", below the graphs of https:/);
      expect(text, id).toContain('#dashboards/dashboard/RtmsKinesis-prod');
    }
    const body = JSON.stringify(onlyOf(template, 'AWS::CloudWatch::Dashboard')['DashboardBody']);
    for (const heading of headingsOfRunbook()) expect(body).toContain(`## ${heading}`);
    expect(body).not.toContain('](dashboard.svg)');
  });

  test('each name in italics in the runbook is a heading, a saved query or the beginning of a graph title', () => {
    const { stack, template } = synthesize('on-demand');
    const known = [
      ...headingsOfRunbook(),
      ...widgetsOf(stack).map(({ properties }) => properties.title ?? ''),
      ...resourcesOf(template, 'AWS::Logs::QueryDefinition').map(
        ([, { Name }]) => String(Name).split('/')[1] ?? '',
      ),
    ];
    const names = [...readRunbook().matchAll(/(?<![\w`])_([A-Z][^_`]+)_(?!\w)/g)].map(
      ([, name = '']) => name.replace(/\s+/g, ' '),
    );
    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name) => !known.some((title) => title.startsWith(name)))).toEqual([]);
  });
});

function readRunbook(): string {
  return readFileSync(fromRoot('docs/runbook.md'), 'utf8');
}

function headingsOfRunbook(): string[] {
  const runbook = readRunbook();
  return [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);
}
