import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { httpHandlerOptions, isUnreachable } from '../../shared/aws-calls.ts';
import type { LocalEnv } from '../../shared/env.ts';
import { ServiceError } from '../../shared/errors.ts';

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

/** What AWS answers to a call that is wrong: a defect of ours. */
const OUR_FAULT = new Set([
  'ValidationException',
  'SerializationException',
  'InvalidParameterValue',
]);

/**
 * Names a failed AWS call: `webhook/store-failed` when AWS refused or did not answer, `webhook/defect` when the call was
 * wrong. The alarm on store failures is then about AWS alone.
 */
export function awsFailure(cause: unknown, what: string): ServiceError {
  const code = isAwsFailure(cause) ? 'webhook/store-failed' : 'webhook/defect';
  return new ServiceError(code, what, { cause });
}

function isAwsFailure(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const { name, $metadata } = cause as Error & { $metadata?: unknown };
  if (isUnreachable(cause)) return true;
  // The SDK puts `$metadata` on errors that a service answered with, and on no others.
  return typeof $metadata === 'object' && !OUR_FAULT.has(name);
}
