import type {
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerResult,
} from 'aws-lambda';

/** The form of Zoom's signature. Whether it is genuine can only be told with the body. */
const SIGNATURE = /^v0=[0-9a-f]{64}$/;

/**
 * Refuses requests that cannot come from Zoom, because they have no signature or were not signed just now. API Gateway
 * itself refuses requests without one of the two headers and does not call this function for them. The webhook function
 * verifies signature, time and body of what is let through.
 */
export async function handler(
  event: Pick<APIGatewayRequestAuthorizerEventV2, 'headers'>,
): Promise<APIGatewaySimpleAuthorizerResult> {
  const skewSeconds = Number(process.env['MAX_CLOCK_SKEW_SECONDS']);
  const signature = event.headers?.['x-zm-signature'] ?? '';
  const timestamp = event.headers?.['x-zm-request-timestamp'] ?? '';
  const ageSeconds = Math.abs(Date.now() / 1000 - Number(timestamp));
  return {
    isAuthorized: SIGNATURE.test(signature) && /^\d+$/.test(timestamp) && ageSeconds <= skewSeconds,
  };
}
