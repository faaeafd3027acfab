import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { httpHandlerOptions } from '../shared/aws-calls.ts';
import { ServiceError } from '../shared/errors.ts';
import { ROW_TRANSLATION } from '../shared/session-table/parse-row.ts';
import { createKinesisClient } from './kinesis/transport.ts';

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
  readonly media: KinesisClient;
  readonly events: KinesisClient;
}

const QUICK = httpHandlerOptions({ connectMs: 1_000, answerMs: 2_000 });
/** Longer than the longest long poll. */
const LONG_POLL = httpHandlerOptions({ connectMs: 2_000, answerMs: 30_000 });

/** The SDK finds endpoints and credentials by itself; locally, `AWS_ENDPOINT_URL_*` names the endpoints. */
export function createRunnerAws(region: string): RunnerAws {
  const quick = () => ({ region, maxAttempts: 2, requestHandler: new NodeHttpHandler(QUICK) });
  return {
    table: DynamoDBDocumentClient.from(new DynamoDBClient(quick()), ROW_TRANSLATION),
    jobs: new SQSClient({ region, maxAttempts: 1, requestHandler: new NodeHttpHandler(LONG_POLL) }),
    notify: new SQSClient(quick()),
    secrets: new SecretsManagerClient(quick()),
    ecs: new ECSClient(quick()),
    media: createKinesisClient({ region }),
    events: createKinesisClient({ region }),
  };
}

/**
 * Refuses PutRecords calls while this task may not serve. A process that was frozen goes on where it stood, and without
 * this check its buffers would leave before any timer has noticed how late it is.
 *
 * Asked twice a call: at its beginning, so that nothing is encoded in vain, and after the signature, right before the
 * bytes go to the socket. A process that is frozen in between would otherwise send, when it goes on, a call that was
 * allowed before. What a socket has taken already cannot be called back; readers refuse it by its epoch.
 *
 * @param mayServe may end sessions and drop what they have buffered
 */
export function fenceWrites(client: KinesisClient, mayServe: () => boolean): void {
  const fence = async (commandName: unknown): Promise<void> => {
    // Asked in a later microtask, because `mayServe` may change the buffers of the producer that is calling.
    await null;
    if (commandName !== 'PutRecordsCommand' || mayServe()) return;
    throw new ServiceError('session/not-owner', 'this task may not write now');
  };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      await fence(context['commandName']);
      return next(args);
    },
    { step: 'initialize', name: 'fenceWrites' },
  );
  client.middlewareStack.add(
    (next, context) => async (args) => {
      await fence(context['commandName']);
      return next(args);
    },
    // The last step before the request handler: the first one on the way back, hence its name.
    { step: 'deserialize', name: 'fenceSignedWrites', priority: 'low' },
  );
}
