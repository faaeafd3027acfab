import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import { LOOPBACK } from '../../simulator/sockets/listen.ts';
import { otherServers } from './other-servers.ts';

const JOB_QUEUE = 'rtms-jobs';
const CATCHER_QUEUE = 'rtms-catcher';
const DEAD_LETTER_QUEUE = 'rtms-jobs-dead';
/** The same as in infra/webhook/job-queue.ts: after this many receives a message goes to the dead-letter queue. */
const MAX_RECEIVE_COUNT = 5;
const VISIBILITY_TIMEOUT_SECONDS = 30;
/** Lambda refuses a queue that shows a message again while the function may still run. */
const CATCHER_VISIBILITY_SECONDS = 960;

/** The SQS that the local stack uses. `close` ends it, if it is ours. */
export interface LocalSqs {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts fauxqs in this process, on loopback, unless another emulator serves SQS. Its own starter would listen on every
 * interface.
 */
export async function startSqs(): Promise<LocalSqs> {
  const { sqs } = otherServers();
  if (sqs !== undefined) return { port: sqs, close: () => Promise.resolve() };
  const app = buildApp({ logger: false, defaultRegion: 'us-east-1' });
  const address = await app.listen({ port: 0, host: LOOPBACK });
  return { port: Number(new URL(address).port), close: async () => void (await app.close()) };
}

/**
 * Creates the job queue, the catcher's queue, and their dead-letter queue.
 *
 * @param nameOf what each of them is called
 * @returns queue URLs at `endpoint`: fauxqs finds a queue by the path of its URL, and its own `*.localhost` host names
 *   resolve on few machines
 */
export async function createQueues(
  client: SQSClient,
  endpoint: string,
  nameOf: (name: string) => string,
): Promise<{ queueUrl: string; catcherQueueUrl: string; deadLetterQueueUrl: string }> {
  const dead = await client.send(new CreateQueueCommand({ QueueName: nameOf(DEAD_LETTER_QUEUE) }));
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: dead.QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const RedrivePolicy = JSON.stringify({
    deadLetterTargetArn: Attributes?.['QueueArn'],
    maxReceiveCount: MAX_RECEIVE_COUNT,
  });
  const create = (name: string, visibilitySeconds: number) => {
    const QueueName = nameOf(name);
    const attributes = { VisibilityTimeout: String(visibilitySeconds), RedrivePolicy };
    return client.send(new CreateQueueCommand({ QueueName, Attributes: attributes }));
  };
  const [jobs, catcher] = await Promise.all([
    create(JOB_QUEUE, VISIBILITY_TIMEOUT_SECONDS),
    create(CATCHER_QUEUE, CATCHER_VISIBILITY_SECONDS),
  ]);
  const onEndpoint = (url = '') => new URL(new URL(url).pathname, endpoint).href;
  return {
    queueUrl: onEndpoint(jobs.QueueUrl),
    catcherQueueUrl: onEndpoint(catcher.QueueUrl),
    deadLetterQueueUrl: onEndpoint(dead.QueueUrl),
  };
}
