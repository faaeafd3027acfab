import { Stack } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type ITopic, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, UrlSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Subscriber } from '../config/sections/monitoring.ts';

export interface AlarmTopicProps {
  readonly displayName: string;
  readonly subscribers: readonly Subscriber[];
  /** A topic of the deployer's. Its policy is left alone, so the deployer lets CloudWatch publish to it. */
  readonly existing?: ITopic | undefined;
  readonly encryptionKey?: IKey | undefined;
  /** AWS Budgets publishes to it too. Not every partition has that service. */
  readonly hasBudget?: boolean;
}

const CLOUDWATCH = 'cloudwatch.amazonaws.com';
const BUDGETS = 'budgets.amazonaws.com';

/**
 * A topic that CloudWatch may publish to. Any statement in a topic's policy, even the Deny of `enforceSSL`, replaces the
 * default policy that lets the account publish: without the Allow below an alarm goes off and nobody is told. Under a
 * customer-managed key CloudWatch needs that key as well. The key of AWS, `alias/aws/sns`, it cannot use at all.
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
    // Each service that publishes needs a statement of its own.
    for (const service of [CLOUDWATCH, ...(hasBudget ? [BUDGETS] : [])]) {
      topic.addToResourcePolicy(statement(this, service, ['sns:Publish'], topic.topicArn));
      encryptionKey?.addToResourcePolicy(
        statement(this, service, ['kms:Decrypt', 'kms:GenerateDataKey'], '*'),
      );
    }
    return topic as ITopic;
  }
}

/** Subscribes addresses. AWS sends each a message to confirm once. */
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

export interface BudgetProps {
  readonly monthlyDollars: number;
  /** Name and value of the tag that everything of the deployment carries. */
  readonly tag: { readonly name: string; readonly value: string };
  readonly topic: ITopic;
}

/**
 * Tells a topic when the deployment's tagged cost passes 80 % of a budget, and when the forecast passes all of it. It
 * counts nothing until somebody activates the tag as a cost allocation tag, once per account.
 */
export class Budget extends Construct {
  constructor(scope: Construct, id: string, { monthlyDollars, tag, topic }: BudgetProps) {
    super(scope, id);
    const notify = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: {
        comparisonOperator: 'GREATER_THAN',
        notificationType,
        threshold,
        thresholdType: 'PERCENTAGE',
      },
      subscribers: [{ subscriptionType: 'SNS', address: topic.topicArn }],
    });
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetName: tag.value,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: monthlyDollars, unit: 'USD' },
        costFilters: { TagKeyValue: [`user:${tag.name}$${tag.value}`] },
      },
      notificationsWithSubscribers: [notify('ACTUAL', 80), notify('FORECASTED', 100)],
    });
  }
}
