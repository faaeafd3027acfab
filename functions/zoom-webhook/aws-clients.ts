import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { httpHandlerOptions } from '../../shared/aws-timeouts.ts';
import type { LocalEnv } from '../../shared/env.ts';

/** Zoom waits 3 s in all, so a server that hangs must leave time for another try. */
const TIMEOUTS = { connectMs: 500, answerMs: 800 };
const MAX_ATTEMPTS = 3;

type Endpoints = Readonly<Partial<Record<keyof LocalEnv, string | undefined>>>;

/**
 * The AWS clients of the webhook function. Locally, the endpoint is given to the constructor, because the SDK prefers the
 * host of a queue URL to an endpoint that it has read from the environment by itself.
 */
export function createWebhookAws(environment: Endpoints) {
  return {
    dynamodb: new DynamoDBClient(options(environment.AWS_ENDPOINT_URL_DYNAMODB)),
    sqs: new SQSClient({
      ...options(environment.AWS_ENDPOINT_URL_SQS),
      useQueueUrlAsEndpoint: false,
    }),
    secretsManager: new SecretsManagerClient(options(environment.AWS_ENDPOINT_URL_SECRETS_MANAGER)),
  };
}

function options(endpoint: string | undefined) {
  return {
    ...(endpoint ? { endpoint } : {}),
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: new NodeHttpHandler(httpHandlerOptions(TIMEOUTS)),
  };
}
