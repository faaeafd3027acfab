import middy from '@middy/core';
import httpHeaderNormalizer from '@middy/http-header-normalizer';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda';
import { answerErrors } from './answer-errors.ts';
import { createWebhookAws } from './aws.ts';
import { readWebhookConfig } from './config.ts';
import { checkRequest, type ZoomDelivery } from './delivery.ts';
import { createJobQueue } from './job-queue.ts';
import { outOfTime, receiveEvent } from './receive-event.ts';
import { createNoticeStore, createRegisterStore } from './register-store.ts';
import { createFunctionLogger, createFunctionMetrics } from './telemetry.ts';
import { createWebhookTokens, verifySignature } from './verify-signature.ts';

const config = readWebhookConfig(process.env);
const aws = createWebhookAws(process.env);
const logger = createFunctionLogger(config.logLevel);
const metrics = createFunctionMetrics(config.deployment);
const tokens = createWebhookTokens(aws.secretsManager, config.secret, logger);
// Read ahead of the first request, which then need not wait. A failure is left to that request, which reads again.
await tokens.get().catch(() => undefined);

/** Kept back from Lambda's time limit for the answer: a function that is cut off answers nothing. */
const ANSWER_MS = 150;

const chain = middy<ZoomDelivery, APIGatewayProxyStructuredResultV2>({
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
      storeNotice: createNoticeStore(aws.dynamodb, config.sessionTable),
      notifyRunners: createJobQueue(aws.sqs, config.jobQueueUrl, config.catcherQueueUrl),
      allowedHosts: config.allowedHosts,
      logger,
      metrics,
    }),
  );

/**
 * Receives Zoom's webhooks behind an API Gateway HTTP API (payload format 2.0). The cast is needed because middy's types
 * cannot say that the chain itself makes a plain event a `ZoomDelivery`.
 */
export const handler = chain as unknown as (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;
