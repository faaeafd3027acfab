import type {
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerResult,
} from 'aws-lambda';

/** What Zoom's signature looks like; whether it is one, only the body tells. */
const SIGNATURE = /^v0=[0-9a-f]{64}$/;

/**
 * Turns away what cannot be Zoom's: no signature, or a time that is not now. API Gateway itself refuses
 * requests that lack one of the two headers, without calling this function. The webhook function verifies
 * signature, time and body of what is let through.
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
