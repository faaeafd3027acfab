import middy from '@middy/core';
import httpHeaderNormalizer from '@middy/http-header-normalizer';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda';
import { answerErrors } from './answer-errors.ts';
import { createWebhookAws } from './aws-clients.ts';
import { checkRequest } from './check-request.ts';
import { readWebhookConfig } from './config.ts';
import type { Delivery } from './delivery.ts';
import { createJobQueue } from './job-queue.ts';
import { outOfTime, receiveEvent } from './receive-event.ts';
import { createRegisterStore } from './register-store.ts';
import { createLogger, createMetrics } from './telemetry.ts';
import { verifySignature } from './verify-signature.ts';
import { createWebhookTokens } from './webhook-tokens.ts';

const config = readWebhookConfig(process.env);
const aws = createWebhookAws(process.env);
const logger = createLogger(config.logLevel);
const metrics = createMetrics(config.deployment);
const tokens = createWebhookTokens(aws.secretsManager, config.secret, logger);
// Ahead of the first request; a failure is left to that request.
await tokens.get().catch(() => undefined);

/** Time kept back from Lambda's limit for answering; a function that is cut off answers nothing. */
const ANSWER_MS = 150;

const chain = middy<Delivery, APIGatewayProxyStructuredResultV2>({
  timeoutEarlyInMillis: ANSWER_MS,
  timeoutEarlyResponse: outOfTime,
})
  .use(answerErrors(logger, metrics))
  .use(httpHeaderNormalizer())
  .use(checkRequest())
  .use(verifySignature({ tokens, maxSkewSeconds: config.maxSkewSeconds }))
  .handler(
    receiveEvent({
      store: createRegisterStore(aws.dynamodb, config.sessionTable),
      ring: createJobQueue(aws.sqs, config.jobQueueUrl),
      allowedHosts: config.allowedHosts,
      logger,
      metrics,
    }),
  );

/**
 * Receives Zoom's webhooks behind an API Gateway HTTP API (payload format 2.0). The chain itself adds
 * what makes a plain event a `Delivery`, which middy's types cannot say.
 */
export const handler = chain as unknown as (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;
