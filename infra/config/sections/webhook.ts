import * as v from 'valibot';
import { count, TOKEN, textLike } from './field-kinds.ts';

/** The `webhook` section: the endpoint that Zoom's event notifications reach. */
export const WEBHOOK = v.pipe(
  v.strictObject({
    /**
     * Requests a second that the endpoint lets in, from Zoom and everybody else together. Zoom does not repeat what
     * was refused with 429, so a stranger who uses up the throttle makes meetings go unrecorded. A forged request that
     * is let in costs some 5 ms of one function. Keep this far above anything that Zoom sends.
     */
    requestsPerSecond: v.optional(count, 2_000),
    burst: v.optional(count, 4_000),
    /**
     * Lambda executions that are kept for the webhook function; it gets no more than these. Unset: it shares what the
     * account has. A new account has 10 in all, and Lambda lets none of them be reserved.
     */
    reservedConcurrency: v.optional(count),
    /** A domain of your own; the API's own address is then switched off. */
    domain: v.optional(
      v.strictObject({
        name: textLike(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i, 'a host name'),
        /** ACM certificate in the stack's Region; behind CloudFront, in us-east-1. */
        certificateArn: textLike(/^arn:[a-z-]+:acm:/, 'the ARN of an ACM certificate'),
      }),
    ),
    /**
     * CloudFront with AWS WAF in front of the API: an address that sends too much is refused there, before it uses up
     * the throttle that Zoom shares.
     */
    cloudFront: v.optional(
      v.strictObject({
        /** Requests of one address in five minutes. Zoom's own deliveries come from few addresses. */
        requestsPerFiveMinutes: v.optional(
          v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(2_000_000_000)),
          6_000,
        ),
        /**
         * A web ACL of yours, of scope CLOUDFRONT. Unset: the stack creates one, and must be in us-east-1 for that.
         */
        webAclArn: v.optional(textLike(/^arn:[a-z-]+:wafv2:/, 'the ARN of a web ACL')),
      }),
    ),
    /**
     * A Lambda authorizer before the function: requests without Zoom's headers end at API Gateway. The signature also
     * covers the body, which no authorizer sees, so the function verifies it in any case.
     */
    authorizer: v.optional(v.boolean(), false),
    /** Posts a signed URL validation every five minutes and raises an alarm when it is not answered. */
    canary: v.optional(v.boolean(), false),
  }),
  v.forward(
    v.partialCheck(
      [['cloudFront'], ['domain']],
      ({ cloudFront, domain }) =>
        cloudFront === undefined ||
        domain === undefined ||
        TOKEN.test(domain.certificateArn) ||
        domain.certificateArn.split(':')[3] === 'us-east-1',
      'allowed behind CloudFront is a certificate in us-east-1',
    ),
    ['domain', 'certificateArn'],
  ),
);
