import { type CfnElement, Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { RtmsKinesis } from './rtms-kinesis.ts';

/** Findings of cdk-nag that are as they should be, each with its reason. Anything else fails the synth. */
export function acknowledgeFindings({
  config,
  webhook,
  secret,
  streams,
  runners,
}: RtmsKinesis): void {
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
  if (config.encryption === 'customer-managed') {
    acknowledge(streams, {
      'AwsSolutions-KDS3':
        'A key of our own was asked for: readers in other accounts cannot use aws/kinesis.',
    });
  }
  const { taskDefinition } = runners.service;
  acknowledge(taskDefinition, {
    'AwsSolutions-ECS2':
      'The variables are names, addresses and numbers; credentials are read from Secrets Manager.',
  });
  const stack = Stack.of(runners);
  const cluster = stack.getLogicalId(runners.cluster.node.defaultChild as CfnElement);
  const inCluster = (kind: string) =>
    `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:${kind}/<${cluster}>/*]`;
  acknowledge(taskDefinition.taskRole, {
    [inCluster('task')]:
      'A task protects itself and learns its id when it runs; the cluster holds runners only.',
    [inCluster('service')]:
      'The role must exist before the service, so it cannot name it; the cluster holds one service.',
  });
  acknowledge(taskDefinition.obtainExecutionRole(), {
    'AwsSolutions-IAM5[Resource::*]':
      'ecr:GetAuthorizationToken is about the account and takes no resource; pulls are limited to one repository.',
  });
}

function acknowledge(construct: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) {
    Validations.of(construct).acknowledge({ id, reason });
  }
}
