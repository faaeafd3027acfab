import type { MiddlewareObj } from '@middy/core';
import { ServiceError } from '../../shared/errors.ts';
import { appOf, type Delivery } from './delivery.ts';

/** Zoom's largest events are a few hundred bytes; API Gateway itself would let 10 MB through. */
const MAX_BODY_BYTES = 256 * 1024;

/** Refuses what cannot be a delivery before any work is spent on it, and takes the body's raw bytes. */
export function checkRequest(): MiddlewareObj<Delivery> {
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
