import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { LocalEnv } from '../../shared/env.ts';

/** One try of one call. Zoom waits 3 s in all, so a server that hangs must leave time for another try. */
const REQUEST_TIMEOUT_MS = 800;
const CONNECT_TIMEOUT_MS = 500;
const MAX_ATTEMPTS = 3;

type Endpoints = Readonly<Partial<Record<keyof LocalEnv, string | undefined>>>;

/**
 * The three clients, with time limits that fit Zoom's 3 s. Locally the endpoint goes into the constructor:
 * the SDK lets a queue URL's host win over an endpoint it read from the environment by itself.
 */
export function createAwsClients(environment: Endpoints) {
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
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    }),
  };
}
