import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { RecordingArchive } from '../archive/recording-archive.ts';
import type { RtmsKinesis } from '../rtms-kinesis.ts';

/** Acknowledges findings of cdk-nag that are meant to be so, each with its reason. Any other finding fails the synth. */
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
        'Zoom signs the body, which no authorizer sees; the function verifies the signature first.',
    });
  for (const one of [secret.credentials, secret.tokens]) {
    acknowledge(one, {
      'AwsSolutions-SMG4':
        'Zoom issues these credentials and has no API to rotate them; while a person does, the webhook accepts two tokens.',
    });
  }
  if (webhook.frontDoor !== undefined) {
    acknowledge(webhook.frontDoor, {
      'AwsSolutions-CFR1':
        'Zoom sends from its data centres, in countries that change without notice.',
      'AwsSolutions-CFR3':
        'The access log of the API has every request that passes; WAF counts those that it refuses.',
      'AwsSolutions-CFR4':
        'Without a domain of its own a distribution uses the certificate of CloudFront, which fixes the TLS version.',
    });
  }
  if (config.encryption === 'customer-managed') {
    acknowledge(streams, {
      'AwsSolutions-KDS3':
        'The configuration asks for a key of its own: readers in other accounts cannot use aws/kinesis.',
    });
  }
  if (secret.synthetic !== undefined) {
    acknowledge(secret.synthetic, {
      'AwsSolutions-SMG4':
        'Only this stack knows it, and only for its own test meetings; rotating it would have to change webhook, runners and task at once.',
    });
  }
  const services = [runners.service, ...(syntheticMeeting ? [syntheticMeeting.service] : [])];
  for (const service of services) {
    acknowledge(service.taskDefinition, {
      'AwsSolutions-ECS2':
        'The variables are names, addresses and numbers; the task reads credentials from Secrets Manager.',
    });
    acknowledge(service.taskDefinition.obtainExecutionRole(), {
      'AwsSolutions-IAM5[Resource::*]':
        'ecr:GetAuthorizationToken is for the whole account and takes no resource; pulls are limited to one repository.',
    });
  }
  const { taskDefinition } = runners.service;
  if (!config.monitoring.containerInsights) {
    acknowledge(runners, {
      'AwsSolutions-ECS4':
        'The configuration switches them off; dashboard and alarms use our own metrics.',
    });
  }
  const named: unknown = Stack.of(runners).resolve(runners.cluster.clusterName);
  const cluster = typeof named === 'string' ? named : `<${(named as { Ref?: string }).Ref}>`;
  const inCluster = (kind: string) =>
    `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:${kind}/${cluster}/*]`;
  acknowledge(taskDefinition.taskRole, {
    [inCluster('task')]: 'A task protects itself and learns its id only when it runs.',
    [inCluster('service')]:
      'The role must exist before the service, so it cannot name the service.',
  });
}

/** The same for the archive, which may stand beside the service. */
export function acknowledgeArchive({ service, recordings }: RecordingArchive): void {
  const { taskDefinition } = service;
  acknowledge(taskDefinition, {
    'AwsSolutions-ECS2':
      'The variables are names and numbers; the task has no credentials but those of its role.',
  });
  acknowledge(taskDefinition.obtainExecutionRole(), {
    'AwsSolutions-IAM5[Resource::*]':
      'ecr:GetAuthorizationToken is for the whole account and takes no resource; pulls are limited to one repository.',
  });
  const arn: unknown = Stack.of(service).resolve(recordings.bucket.bucketArn);
  const [bucket] = (arn as { 'Fn::GetAtt'?: string[] })['Fn::GetAtt'] ?? [];
  acknowledge(taskDefinition.taskRole, {
    [`AwsSolutions-IAM5[Resource::<${bucket}.Arn>/${recordings.prefix}*]`]:
      'Keys are named for sessions, which nobody knows before; the bucket holds nothing but recordings.',
  });
}

function acknowledge(construct: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) {
    Validations.of(construct).acknowledge({ id, reason });
  }
}
