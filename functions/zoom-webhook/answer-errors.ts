import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { Delivery } from './delivery.ts';

/**
 * Turns whatever went wrong into an answer: the error's own status, or 500. A rejection is logged with
 * its code and the request id, never with body, signature or token; the caller learns the code and the
 * field, and nothing at all when it is not Zoom (401).
 */
export function answerErrors(
  logger: Logger,
  metrics: Metrics,
): MiddlewareObj<Delivery, APIGatewayProxyStructuredResultV2> {
  return {
    onError: (request) => {
      const error = asServiceError(request.error);
      const { code, detail, statusCode } = error;
      const requestId = request.event.requestContext?.requestId;
      const cause = error.cause instanceof Error ? error.cause.name : undefined;
      const fields = { code, statusCode, requestId, ...detail, ...(cause ? { cause } : {}) };
      if (statusCode >= 500) {
        metrics.count('WebhookStoreFailure');
        logger.error('delivery not stored', fields);
      } else {
        metrics.count('WebhookRejected', 1, code);
        if (statusCode === 401) metrics.count('WebhookSignatureFailure');
        logger.warn('delivery rejected', fields);
      }
      request.response = {
        statusCode,
        headers: {
          ...(statusCode === 401 ? {} : { 'content-type': 'application/json' }),
          ...(statusCode === 405 ? { allow: 'POST' } : {}),
        },
        body: statusCode === 401 ? '' : JSON.stringify({ error: code, field: detail['field'] }),
      };
    },
  };
}

function asServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  return new ServiceError('webhook/store-failed', 'unexpected failure', { cause: error });
}
