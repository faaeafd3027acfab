import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

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
