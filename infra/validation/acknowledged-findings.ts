import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { RtmsKinesis } from '../rtms-kinesis.ts';

/** Findings of cdk-nag that are as they should be, each with its reason. Anything else fails the synth. */
export function acknowledgeFindings({
  config,
  webhook,
  secret,
  streams,
  runners,
  syntheticMeeting,
}: RtmsKinesis): void {
  if (!config.webhook.authorizer)
    acknowledge(webhook.api, {
      'AwsSolutions-APIG4':
        'Zoom cannot use an authorizer: it signs the body, and the function verifies that first.',
    });
  for (const one of [secret.credentials, secret.tokens]) {
    acknowledge(one, {
      'AwsSolutions-SMG4':
        'Zoom issues these credentials and offers no API to rotate them; the webhook accepts two tokens while a person does.',
    });
  }
  if (webhook.frontDoor !== undefined) {
    acknowledge(webhook.frontDoor, {
      'AwsSolutions-CFR1': 'Zoom sends from where its data centres are, and moves without notice.',
      'AwsSolutions-CFR3':
        'Every request reaches the API, whose access log has it; what WAF refuses is counted there.',
      'AwsSolutions-CFR4':
        'Without a domain of its own a distribution has the certificate of CloudFront, and with it no choice.',
    });
  }
  if (config.encryption === 'customer-managed') {
    acknowledge(streams, {
      'AwsSolutions-KDS3':
        'A key of our own was asked for: readers in other accounts cannot use aws/kinesis.',
    });
  }
  if (secret.synthetic !== undefined) {
    acknowledge(secret.synthetic, {
      'AwsSolutions-SMG4':
        'Known to this stack alone and good for its own test meetings only; webhook, runners and task would have to change at once.',
    });
  }
  const services = [runners.service, ...(syntheticMeeting ? [syntheticMeeting.service] : [])];
  for (const service of services) {
    acknowledge(service.taskDefinition, {
      'AwsSolutions-ECS2':
        'The variables are names, addresses and numbers; credentials are read from Secrets Manager.',
    });
    acknowledge(service.taskDefinition.obtainExecutionRole(), {
      'AwsSolutions-IAM5[Resource::*]':
        'ecr:GetAuthorizationToken is about the account and takes no resource; pulls are limited to one repository.',
    });
  }
  const { taskDefinition } = runners.service;
  if (!config.monitoring.containerInsights) {
    acknowledge(runners, {
      'AwsSolutions-ECS4':
        'A deployment to try things out: our own metrics tell what dashboard and alarms need.',
    });
  }
  const named: unknown = Stack.of(runners).resolve(runners.cluster.clusterName);
  const cluster = typeof named === 'string' ? named : `<${(named as { Ref?: string }).Ref}>`;
  const inCluster = (kind: string) =>
    `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:${kind}/${cluster}/*]`;
  acknowledge(taskDefinition.taskRole, {
    [inCluster('task')]:
      'A task protects itself and learns its id when it runs; the cluster holds runners only.',
    [inCluster('service')]:
      'The role must exist before the service, so it cannot name it; the cluster holds one service.',
  });
}

function acknowledge(construct: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) {
    Validations.of(construct).acknowledge({ id, reason });
  }
}
