import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { DEFAULT_APP } from '../../shared/zoom/credentials.ts';

/** One webhook delivery on its way through the chain; each middleware adds what it found out. */
export interface Delivery extends APIGatewayProxyEventV2 {
  /** The body's bytes as Zoom sent them; set by `checkRequest`. */
  rawBody: Buffer;
  /** Name of the Zoom app that the path names; set by `checkRequest`. */
  app: string;
  /** The token that the signature fits; set by `verifySignature`. */
  secretToken: string;
}

/** The path a Function URL or a `$default` route leaves to us; API Gateway's own routes name the app. */
const PATH = /^\/webhook(?:\/([^/]+))?\/?$/;

/**
 * @returns the app that `/webhook` (default) or `/webhook/{app}` names, or undefined for another path.
 *   Whether the secret holds such an app is `verifySignature`'s to find out.
 */
export function appOf(event: APIGatewayProxyEventV2): string | undefined {
  const named = event.pathParameters?.['app'];
  if (named !== undefined) return named;
  if (event.routeKey !== undefined && event.routeKey !== '$default') return DEFAULT_APP;
  const [matched, app] = PATH.exec(event.rawPath ?? '') ?? [];
  return matched === undefined ? undefined : (app ?? DEFAULT_APP);
}
