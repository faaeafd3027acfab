import { Duration } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  DomainName,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { MathExpression, type Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { WebhookEnv } from '../../shared/env.ts';
import { createNodeFunction } from '../bundling/node-function.ts';
import type { Config } from '../config/schema.ts';
import type { Network } from '../runner/network.ts';
import type { SessionTable } from '../storage/session-table.ts';
import { RoleIntegration, WebhookAuthorizer } from './authorizer.ts';
import { FrontDoor } from './front-door.ts';
import { catcherQueueEnv, type JobQueue } from './job-queue.ts';
import type { ZoomSecret } from './zoom-secret.ts';

export interface WebhookProps {
  readonly deployment: string;
  readonly webhook: Config['webhook'];
  readonly zoom: Config['zoom'];
  /** `zoom.allowedHosts`, and the synthetic meeting's host. */
  readonly allowedHosts: readonly string[];
  readonly table: SessionTable;
  readonly jobs: JobQueue;
  readonly catcherQueue: JobQueue | undefined;
  readonly secret: ZoomSecret;
  readonly functionLog: ILogGroup;
  readonly accessLog: ILogGroup;
  /** The network that functions run in. Unset: outside of any VPC. */
  readonly functionNetwork: Network | undefined;
}

const MINUTE = Duration.minutes(1);

/** With fewer requests a minute a few scanners, which probe every address, would already be a large share. */
const SHARE_OF_REQUESTS = 60;

/** Logs who asked and what the answer was. Headers and bodies hold signatures and server addresses: never log them. */
const ACCESS_LOG_FIELDS = {
  requestId: '$context.requestId',
  ip: '$context.identity.sourceIp',
  requestTime: '$context.requestTime',
  routeKey: '$context.routeKey',
  status: '$context.status',
  responseLatencyMs: '$context.responseLatency',
  integrationStatus: '$context.integration.status',
  integrationError: '$context.integration.error',
} as const;

/** The endpoint that Zoom calls: `POST /webhook` for the default app, `POST /webhook/{app}` for the others. */
export class Webhook extends Construct {
  /** What to enter in the Zoom app as its event notification endpoint URL. */
  readonly url: string;
  readonly handler: LambdaFunction;
  readonly api: HttpApi;
  readonly stage: HttpStage;
  /** Requests a second that the endpoint lets in, from Zoom and everybody else together. */
  readonly requestsPerSecond: number;
  /** CloudFront and WAF, where the configuration asks for them. */
  readonly frontDoor: FrontDoor | undefined;
  /** Where the DNS record of the custom domain must point to, where there is one. */
  readonly domainTarget: string | undefined;

  constructor(scope: Construct, id: string, props: WebhookProps) {
    super(scope, id);
    const { webhook, zoom } = props;
    this.requestsPerSecond = webhook.requestsPerSecond;
    this.handler = createNodeFunction(this, 'Handler', {
      entry: 'functions/zoom-webhook/handler.ts',
      description:
        'Verifies Zoom webhooks, writes what Zoom wants of a stream, notifies the runners',
      logGroup: props.functionLog,
      // Longer than the three seconds that Zoom waits: what is stored after them still counts.
      timeout: Duration.seconds(5),
      network: props.functionNetwork,
      reservedConcurrentExecutions: webhook.reservedConcurrency,
      environment: {
        DEPLOYMENT: props.deployment,
        SESSION_TABLE: props.table.table.tableName,
        JOB_QUEUE_URL: props.jobs.queue.queueUrl,
        ZOOM_WEBHOOK_SECRET_ID: props.secret.tokensId,
        ALLOWED_HOSTS: props.allowedHosts.join(','),
        MAX_CLOCK_SKEW_SECONDS: String(zoom.maxClockSkewSeconds),
        SECRET_REFRESH_SECONDS: String(zoom.secretRefreshSeconds),
        LOG_LEVEL: 'info',
        ...catcherQueueEnv(props.catcherQueue),
      } satisfies WebhookEnv,
    });
    props.table.grantRequest(this.handler);
    props.jobs.grantSend(this.handler);
    props.catcherQueue?.grantSend(this.handler);
    props.secret.grantReadTokens(this.handler);
    props.secret.grantReadSynthetic(this.handler);

    this.api = new HttpApi(this, 'Api', {
      // The name tells two deployments in one account apart in the console.
      apiName: props.deployment,
      description: 'Zoom RTMS webhooks',
      createDefaultStage: false,
      disableExecuteApiEndpoint: webhook.domain !== undefined && webhook.cloudFront === undefined,
    });
    const authorizer = webhook.authorizer
      ? new WebhookAuthorizer(this, 'Authorizer', {
          apiId: this.api.apiId,
          maxClockSkewSeconds: zoom.maxClockSkewSeconds,
          log: props.functionLog,
          network: props.functionNetwork,
        }).authorizer
      : // No authorizer sees the body, which Zoom's signature covers; the function verifies it before anything else.
        new HttpNoneAuthorizer();
    const integration = webhook.authorizer
      ? new RoleIntegration('Handler', this.handler)
      : new HttpLambdaIntegration('Handler', this.handler);
    for (const path of ['/webhook', '/webhook/{app}']) {
      this.api.addRoutes({
        path,
        methods: [HttpMethod.POST],
        integration,
        authorizer,
      });
    }
    const domain = webhook.cloudFront === undefined ? this.#domain(webhook.domain) : undefined;
    this.stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      detailedMetricsEnabled: true,
      throttle: { rateLimit: webhook.requestsPerSecond, burstLimit: webhook.burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(props.accessLog),
        format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG_FIELDS)),
      },
      ...(domain && { domainMapping: { domainName: domain } }),
    });
    this.frontDoor =
      webhook.cloudFront &&
      new FrontDoor(this, 'FrontDoor', {
        api: this.api,
        cloudFront: webhook.cloudFront,
        domain: webhook.domain,
      });
    const edgeName = this.frontDoor?.distribution.distributionDomainName;
    this.domainTarget = webhook.domain && (domain?.regionalDomainName ?? edgeName);
    const host = webhook.domain?.name ?? edgeName;
    this.url = host === undefined ? `${this.api.apiEndpoint}/webhook` : `https://${host}/webhook`;
  }

  metricRequests(): Metric {
    return this.stage.metricCount({ period: MINUTE, statistic: 'Sum' });
  }

  /** Percentage of requests answered 4xx; 0 while there are too few requests for a share to mean anything. */
  metricRefusedPercent(): MathExpression {
    return new MathExpression({
      expression: `IF(requests > ${SHARE_OF_REQUESTS}, 100 * refused / requests, 0)`,
      usingMetrics: {
        requests: this.metricRequests(),
        refused: this.stage.metricClientError({ period: MINUTE, statistic: 'Sum' }),
      },
      label: 'refused, %',
      period: MINUTE,
    });
  }

  metricServerErrors(): Metric {
    return this.stage.metricServerError({ period: MINUTE, statistic: 'Sum' });
  }

  metricLatency(statistic: string): Metric {
    return this.stage.metricLatency({ period: MINUTE, statistic });
  }

  #domain(domain: Config['webhook']['domain']): DomainName | undefined {
    if (domain === undefined) return undefined;
    return new DomainName(this, 'Domain', {
      domainName: domain.name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
    });
  }
}
