import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { httpHandlerOptions } from '../shared/aws-calls.ts';
import type { PutMode } from '../shared/env.ts';
import type { Logger } from '../shared/logger.ts';
import { ROW_TRANSLATION } from '../shared/session-table/parse-row.ts';
import type { PutRecordsClient } from './kinesis/put-client.ts';
import { createKinesisClient, createPutClient } from './kinesis/transport.ts';

/** The AWS clients of a runner. Each has its own timeouts. */
export interface RunnerAws {
  /** Sessions and heartbeats: fails well before the heartbeat is late. */
  readonly table: DynamoDBDocumentClient;
  /** Receives jobs. For long polls alone, because each occupies a connection. */
  readonly jobs: SQSClient;
  /** Sends jobs. */
  readonly notify: SQSClient;
  readonly secrets: SecretsManagerClient;
  readonly ecs: ECSClient;
  /** Everything about the streams but PutRecords. */
  readonly media: KinesisClient;
  readonly events: KinesisClient;
  /** PutRecords, one for each producer. */
  readonly mediaPuts: PutRecordsClient;
  readonly eventPuts: PutRecordsClient;
}

export interface RunnerAwsOptions {
  /** @default DEFAULT_PUT_MODE */
  readonly putMode?: PutMode;
  readonly logger?: Logger;
}

const QUICK = httpHandlerOptions({ connectMs: 1_000, answerMs: 2_000 });
/** Longer than the longest long poll. */
const LONG_POLL = httpHandlerOptions({ connectMs: 2_000, answerMs: 30_000 });

/** The SDK finds endpoints and credentials by itself; locally, `AWS_ENDPOINT_URL_*` names the endpoints. */
export function createRunnerAws(region: string, options: RunnerAwsOptions = {}): RunnerAws {
  const quick = () => ({ region, maxAttempts: 2, requestHandler: new NodeHttpHandler(QUICK) });
  const { putMode: mode, ...rest } = options;
  const put = { ...rest, ...(mode === undefined ? {} : { mode }) };
  const [media, events] = [createKinesisClient({ region }), createKinesisClient({ region })];
  return {
    table: DynamoDBDocumentClient.from(new DynamoDBClient(quick()), ROW_TRANSLATION),
    jobs: new SQSClient({ region, maxAttempts: 1, requestHandler: new NodeHttpHandler(LONG_POLL) }),
    notify: new SQSClient(quick()),
    secrets: new SecretsManagerClient(quick()),
    ecs: new ECSClient(quick()),
    media,
    events,
    mediaPuts: createPutClient({ ...put, sdk: media }),
    eventPuts: createPutClient({ ...put, sdk: events }),
  };
}
