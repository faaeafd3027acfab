import { Duration, Stack } from 'aws-cdk-lib';
import {
  CfnAuthorizer,
  HttpAuthorizer,
  HttpIntegrationType,
  HttpRouteIntegration,
  type HttpRouteIntegrationBindOptions,
  type HttpRouteIntegrationConfig,
  type IHttpRouteAuthorizer,
  IntegrationCredentials,
  PayloadFormatVersion,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { Grant, type IRole, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { WebhookAuthorizerEnv } from '../../shared/env.ts';
import { createNodeFunction } from '../bundling/node-function.ts';
import type { Network } from '../runner/network.ts';

/** API Gateway itself refuses a request without these headers, and calls no function. */
const ZOOM_HEADERS = ['x-zm-signature', 'x-zm-request-timestamp'] as const;

export interface WebhookAuthorizerProps {
  readonly apiId: string;
  readonly maxClockSkewSeconds: number;
  readonly log: ILogGroup;
  readonly network: Network | undefined;
}

/** A function that checks each request's headers before API Gateway calls the webhook function. */
export class WebhookAuthorizer extends Construct {
  readonly authorizer: IHttpRouteAuthorizer;

  constructor(scope: Construct, id: string, props: WebhookAuthorizerProps) {
    super(scope, id);
    const handler = createNodeFunction(this, 'Handler', {
      entry: 'functions/webhook-authorizer/handler.ts',
      description: 'Refuses webhooks whose headers cannot be from Zoom',
      logGroup: props.log,
      timeout: Duration.seconds(3),
      network: props.network,
      environment: {
        MAX_CLOCK_SKEW_SECONDS: String(props.maxClockSkewSeconds),
      } satisfies WebhookAuthorizerEnv,
    });
    const { partition, region } = Stack.of(this);
    const { ref } = new CfnAuthorizer(this, 'Authorizer', {
      apiId: props.apiId,
      name: 'ZoomHeaders',
      authorizerType: 'REQUEST',
      authorizerUri: `arn:${partition}:apigateway:${region}:lambda:path/2015-03-31/functions/${handler.functionArn}/invocations`,
      authorizerCredentialsArn: invokeRole(this, 'InvokeRole', handler).roleArn,
      authorizerPayloadFormatVersion: '2.0',
      enableSimpleResponses: true,
      // Each request has another signature, so a cached answer would never be used.
      authorizerResultTtlInSeconds: 0,
      identitySource: ZOOM_HEADERS.map((name) => `$request.header.${name}`),
    });
    this.authorizer = HttpAuthorizer.fromHttpAuthorizerAttributes(this, 'Attached', {
      authorizerId: ref,
      authorizerType: 'CUSTOM',
    });
  }
}

/**
 * Lets API Gateway call a function through a role that may call nothing else. CDK's own integration adds a statement to
 * the function's policy instead, whose source ARN is only known at deployment. Rules that read templates, such as
 * Control Tower's CT.LAMBDA.PR.2, take that for a function open to everybody.
 */
export class RoleIntegration extends HttpRouteIntegration {
  readonly #handler: IFunction;

  constructor(id: string, handler: IFunction) {
    super(id);
    this.#handler = handler;
  }

  bind({ scope }: HttpRouteIntegrationBindOptions): HttpRouteIntegrationConfig {
    return {
      type: HttpIntegrationType.AWS_PROXY,
      uri: this.#handler.functionArn,
      payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
      credentials: IntegrationCredentials.fromRole(invokeRole(scope, 'InvokeRole', this.#handler)),
    };
  }
}

function invokeRole(scope: Construct, id: string, handler: IFunction): IRole {
  const role = new Role(scope, id, { assumedBy: new ServicePrincipal('apigateway.amazonaws.com') });
  Grant.addToPrincipal({
    grantee: role,
    actions: ['lambda:InvokeFunction'],
    resourceArns: [handler.functionArn],
  });
  return role as IRole;
}
