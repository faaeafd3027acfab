import { Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type ITopic, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, UrlSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Subscriber } from '../config/sections/monitoring.ts';

export interface AlarmTopicProps {
  readonly displayName: string;
  readonly subscribers: readonly Subscriber[];
  /** A topic of the deployer's; who may publish to it is then the deployer's affair. */
  readonly existing?: ITopic | undefined;
  readonly encryptionKey?: IKey | undefined;
  /** Does AWS Budgets tell it something? Not every partition has that service. */
  readonly hasBudget?: boolean;
}

const CLOUDWATCH = 'cloudwatch.amazonaws.com';
const BUDGETS = 'budgets.amazonaws.com';

/**
 * A topic that CloudWatch can reach. Any statement in a topic's policy, the Deny of `enforceSSL` too,
 * replaces the default that lets the account publish: without an Allow of its own the alarm turns red and
 * nobody hears of it. Under a customer-managed key CloudWatch needs that key as well; `alias/aws/sns`
 * cannot be used by it at all.
 */
export class AlarmTopic extends Construct {
  readonly topic: ITopic;

  constructor(scope: Construct, id: string, props: AlarmTopicProps) {
    super(scope, id);
    this.topic = props.existing ?? this.#create(props);
    subscribe(this.topic, props.subscribers);
  }

  #create({ displayName, encryptionKey, hasBudget }: AlarmTopicProps): ITopic {
    const topic = new Topic(this, 'Topic', {
      displayName,
      enforceSSL: true,
      ...(encryptionKey && { masterKey: encryptionKey }),
    });
    // Each service that tells this topic something needs a right of its own.
    for (const service of [CLOUDWATCH, ...(hasBudget ? [BUDGETS] : [])]) {
      topic.addToResourcePolicy(statement(this, service, ['sns:Publish'], topic.topicArn));
      encryptionKey?.addToResourcePolicy(
        statement(this, service, ['kms:Decrypt', 'kms:GenerateDataKey'], '*'),
      );
    }
    return topic as ITopic;
  }
}

/** Adds who is told; an address confirms once. */
function subscribe(topic: ITopic, subscribers: readonly Subscriber[]): void {
  for (const subscriber of subscribers) {
    const { email, https } = typeof subscriber === 'string' ? kindOf(subscriber) : subscriber;
    if (email !== undefined) topic.addSubscription(new EmailSubscription(email));
    if (https !== undefined)
      topic.addSubscription(new UrlSubscription(https, { protocol: SubscriptionProtocol.HTTPS }));
  }
}

function kindOf(address: string): { email?: string | undefined; https?: string | undefined } {
  return address.startsWith('https://') ? { https: address } : { email: address };
}

function statement(
  scope: Construct,
  service: string,
  actions: string[],
  resource: string,
): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.ALLOW,
    principals: [new ServicePrincipal(service)],
    actions,
    resources: [resource],
    conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
  });
}
