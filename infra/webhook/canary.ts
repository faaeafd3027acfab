import { Duration } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { CanaryEnv } from '../../shared/env.ts';
import { createNodeFunction } from '../bundling/node-function.ts';
import type { Network } from '../runner/network.ts';
import type { ZoomSecret } from './zoom-secret.ts';

export interface CanaryProps {
  readonly webhookUrl: string;
  readonly secret: ZoomSecret;
  readonly log: ILogGroup;
  readonly network: Network | undefined;
}

/** Probes the webhook every five minutes as Zoom would; a wrong answer makes the invocation fail. */
export class Canary extends Construct {
  readonly handler: LambdaFunction;

  constructor(scope: Construct, id: string, { webhookUrl, secret, log, network }: CanaryProps) {
    super(scope, id);
    this.handler = createNodeFunction(this, 'Handler', {
      entry: 'functions/webhook-canary/handler.ts',
      description: 'Posts a signed URL validation to the webhook and checks the answer',
      logGroup: log,
      timeout: Duration.seconds(10),
      network,
      environment: {
        WEBHOOK_URL: webhookUrl,
        ZOOM_WEBHOOK_SECRET_ID: secret.tokens.secretArn,
      } satisfies CanaryEnv,
    });
    secret.grantReadTokens(this.handler);
    new Rule(this, 'Schedule', {
      description: 'Runs the webhook canary',
      schedule: Schedule.rate(Duration.minutes(5)),
      targets: [new LambdaTarget(this.handler, { retryAttempts: 0 })],
    });
  }

  metricFailures(): Metric {
    return this.handler.metricErrors({ period: Duration.minutes(5), statistic: 'Sum' });
  }
}
