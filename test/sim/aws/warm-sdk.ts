import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { enter, Machine } from '../world/machine.ts';
import type { Scheduler } from '../world/scheduler.ts';

/** What every client of the SDK reads of its process: where its credentials are. */
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'simulated',
  AWS_SECRET_ACCESS_KEY: 'simulated',
};

const requestHandler = {
  async handle() {
    const headers = { 'content-type': 'application/x-amz-json-1.1' };
    return { response: { statusCode: 200, headers, body: Buffer.from('{}') } };
  },
  metadata: { handlerProtocol: 'http/1.1' },
  updateHttpClientConfig() {},
  httpHandlerConfigs: () => ({}),
  destroy() {},
};

/**
 * Makes one call with the SDK's own clients, so that they load now what they load at the first call: where credentials may come
 * from. Loaded in the middle of a run it would take iterations of the host's event loop in which another process runs, and the
 * credentials would be looked for in the environment of that one, and then on the network of this machine.
 */
export async function warmSdk(scheduler: Scheduler): Promise<void> {
  const machine = new Machine(scheduler, { name: 'warm/1', seed: 0, environment: ENVIRONMENT });
  const options = { requestHandler, maxAttempts: 1 } as object;
  enter(machine);
  await new SecretsManagerClient(options).send(new GetSecretValueCommand({ SecretId: 'none' }));
  enter(machine);
  await new DynamoDBClient(options).send(new DescribeTableCommand({ TableName: 'none' }));
  enter(undefined);
}
