import { Fn, Stack, Token } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  HttpVersion,
  OriginRequestPolicy,
  PriceClass,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { ServiceError } from '../../shared/errors.ts';
import type { Config } from '../config/schema.ts';

export interface FrontDoorProps {
  readonly api: HttpApi;
  readonly cloudFront: NonNullable<Config['webhook']['cloudFront']>;
  readonly domain: Config['webhook']['domain'];
}

/**
 * CloudFront and AWS WAF before the API. An address that sends too much is refused there, before it uses up the throttle
 * that Zoom shares with everybody. The API's own address still answers, but nobody is told it.
 */
export class FrontDoor extends Construct {
  readonly distribution: Distribution;

  constructor(scope: Construct, id: string, { api, cloudFront, domain }: FrontDoorProps) {
    super(scope, id);
    const webAclId = cloudFront.webAclArn ?? this.#webAcl(cloudFront.requestsPerFiveMinutes);
    this.distribution = new Distribution(this, 'Distribution', {
      comment: 'Zoom RTMS webhooks',
      webAclId,
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100,
      defaultBehavior: {
        origin: new HttpOrigin(Fn.select(2, Fn.split('/', api.apiEndpoint))),
        allowedMethods: AllowedMethods.ALLOW_ALL,
        viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
        cachePolicy: CachePolicy.CACHING_DISABLED,
        // Zoom's signature headers must reach the function, and the Host header must be the API's own.
        originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      },
      ...(domain && {
        minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
        domainNames: [domain.name],
        certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
      }),
    });
  }

  #webAcl(limit: number): string {
    const { region } = Stack.of(this);
    if (!Token.isUnresolved(region) && region !== 'us-east-1') {
      throw new ServiceError(
        'config/invalid',
        `webhook.cloudFront.webAclArn: missing; allowed is the ARN of a web ACL, because a stack in ${region} cannot create one: CloudFront takes those of us-east-1 only`,
      );
    }
    const visibility = (metricName: string) => ({
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: false,
      metricName,
    });
    return new CfnWebACL(this, 'WebAcl', {
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      description: 'Refuses addresses that send too many requests',
      visibilityConfig: visibility('webhook'),
      rules: [
        {
          name: 'RatePerAddress',
          priority: 0,
          action: { block: {} },
          statement: {
            rateBasedStatement: { aggregateKeyType: 'IP', limit, evaluationWindowSec: 300 },
          },
          visibilityConfig: visibility('rate-per-address'),
        },
      ],
    }).attrArn;
  }
}
