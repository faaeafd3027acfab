import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type ErrorCode, ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { MetricName, Metrics } from '../../shared/metrics.ts';
import type { ZoomDelivery } from './delivery.ts';

/** Any other code of 5xx is a defect of ours. */
const FAILURES: Partial<Record<ErrorCode, MetricName>> = {
  'webhook/store-failed': 'WebhookStoreFailure',
  'webhook/secret-unavailable': 'WebhookSecretFailure',
};

/**
 * Turns an error into an answer with the error's own status, or 500. The log gets the code and the request id, never the
 * body, the signature or a token. The caller gets the code and the field, and nothing at all when it is not Zoom (401).
 * Failures of AWS, of the secret and of our own are counted apart, because different people repair them.
 */
export function answerErrors(
  logger: Logger,
  metrics: Metrics,
): MiddlewareObj<ZoomDelivery, APIGatewayProxyStructuredResultV2> {
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
