import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type ErrorCode, ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { MetricName, Metrics } from '../../shared/metrics.ts';
import type { Delivery } from './delivery.ts';

/** What is not listed is a bug of ours. */
const FAILURES: Partial<Record<ErrorCode, MetricName>> = {
  'webhook/store-failed': 'WebhookStoreFailure',
  'webhook/secret-unavailable': 'WebhookSecretFailure',
};

/**
 * Turns whatever went wrong into an answer: the error's own status, or 500. A rejection is logged with
 * its code and the request id, never with body, signature or token; the caller learns the code and the
 * field, and nothing at all when it is not Zoom (401). AWS, the secret and our own bugs are counted apart:
 * each is somebody else's to mend.
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
      const fields = { statusCode, requestId, error };
      if (statusCode >= 500) {
        metrics.count(FAILURES[code] ?? 'WebhookDefect');
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
  return new ServiceError('webhook/defect', 'unexpected failure', { cause: error });
}
