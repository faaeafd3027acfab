import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { ServiceError } from '../../shared/errors.ts';
import { DEFAULT_APP } from '../../shared/zoom/credentials.ts';

/** One webhook delivery on its way through the chain. Each middleware adds what it has found out. */
export interface ZoomDelivery extends APIGatewayProxyEventV2 {
  /** The body's bytes as Zoom sent them; set by `checkRequest`. */
  rawBody: Buffer;
  /** Name of the Zoom app that the path names; set by `checkRequest`. */
  app: string;
  /** The token that the signature fits; set by `verifySignature`. */
  secretToken: string;
}

/** Zoom's largest events have a few hundred bytes. API Gateway itself would let 10 MB through. */
const MAX_BODY_BYTES = 256 * 1024;

/** Refuses what cannot be a delivery, before any work is spent on it, and keeps the raw bytes of the body. */
export function checkRequest(): MiddlewareObj<ZoomDelivery> {
  return {
    before: ({ event }) => {
      event.rawBody = readBody(event.body, event.isBase64Encoded);
      const app = appOf(event);
      if (app === undefined) throw new ServiceError('webhook/not-found', 'no such path');
      event.app = app;
      if (event.requestContext?.http?.method !== 'POST') {
        throw new ServiceError('webhook/method-not-allowed', 'only POST is answered');
      }
      const [mediaType = ''] = (event.headers?.['content-type'] ?? '').split(';');
      if (mediaType.trim().toLowerCase() !== 'application/json') {
        throw new ServiceError('webhook/unsupported-media-type', 'only application/json is read');
      }
    },
  };
}

function readBody(body: string | undefined, isBase64Encoded: boolean): Buffer {
  const encoding = isBase64Encoded ? 'base64' : 'utf8';
  const text = body ?? '';
  const sizeBytes = Buffer.byteLength(text, encoding);
  if (sizeBytes > MAX_BODY_BYTES) {
    throw new ServiceError('webhook/too-large', 'the body is too large', { detail: { sizeBytes } });
  }
  return Buffer.from(text, encoding);
}

/** With a Function URL or a `$default` route the app is read from the path; API Gateway's own routes name it. */
const PATH = /^\/webhook(?:\/([^/]+))?\/?$/;

/**
 * @returns the app that `/webhook` (default) or `/webhook/{app}` names, whether or not the secret holds such an app;
 *   undefined for another path
 */
function appOf(event: APIGatewayProxyEventV2): string | undefined {
  const named = event.pathParameters?.['app'];
  if (named !== undefined) return named;
  if (event.routeKey !== undefined && event.routeKey !== '$default') return DEFAULT_APP;
  const [matched, app] = PATH.exec(event.rawPath ?? '') ?? [];
  return matched === undefined ? undefined : (app ?? DEFAULT_APP);
}
