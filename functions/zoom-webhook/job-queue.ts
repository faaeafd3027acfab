import { createHash } from 'node:crypto';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { encodeSessionJob, LOOK_AFTER_SECONDS } from '../../shared/session-job.ts';
import type { StartRegister } from '../../shared/session-table/session-row.ts';
import { awsFailure } from './aws.ts';

/** Asks the runners to look at a stream's row, with one job. */
export type NotifyRunners = (
  rtmsStreamId: string,
  start: Pick<StartRegister, 'accountId' | 'entityId'>,
  signal: AbortSignal,
) => Promise<void>;

/**
 * @param catcherQueueUrl gets the same job, invisible until tasks have had time to claim it; undefined: no catcher
 * @returns a function that throws ServiceError `webhook/store-failed` when SQS does not take a job, `webhook/defect` when
 *   the call itself is wrong
 */
export function createJobQueue(
  client: SQSClient,
  queueUrl: string,
  catcherQueueUrl?: string,
): NotifyRunners {
  return async (rtmsStreamId, start, abortSignal) => {
    const job = {
      MessageBody: encodeSessionJob(rtmsStreamId),
      MessageGroupId: fairQueueGroup(start.accountId ?? start.entityId),
    };
    const commands = [new SendMessageCommand({ QueueUrl: queueUrl, ...job })];
    if (catcherQueueUrl !== undefined) {
      const later = { QueueUrl: catcherQueueUrl, DelaySeconds: LOOK_AFTER_SECONDS };
      commands.push(new SendMessageCommand({ ...later, ...job }));
    }
    try {
      await Promise.all(commands.map((command) => client.send(command, { abortSignal })));
    } catch (cause) {
      throw awsFailure(cause, 'the job could not be queued');
    }
  };
}

/**
 * A fair queue keeps one Zoom account's burst from delaying the others. A group id is 1 to 128 printable
 * ASCII characters without spaces; any other id is hashed.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function fairQueueGroup(id: string): string {
  if (/^[\x21-\x7e]{1,128}$/.test(id)) return id;
  return createHash('sha256').update(id).digest('hex');
}
