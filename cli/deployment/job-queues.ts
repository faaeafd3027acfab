import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { ServiceError } from '../../shared/errors.ts';
import { encodeSessionJob } from '../../shared/session-job.ts';
import { ask } from './aws.ts';

/** How long messages are held: long enough to read a few hundred rows. Messages that stay are put back at the end. */
const HOLD_SECONDS = 120;
const MAX_PER_RECEIVE = 10;

/** How many messages the job queue holds, and what it does with those that fail. */
export interface QueueState {
  readonly waiting: number;
  readonly inFlight: number;
  /** Absent when no dead-letter queue is attached. */
  readonly deadLetterQueueUrl?: string;
  readonly maxReceiveCount?: number;
}

/** The job queue and its dead-letter queue. Calls throw ServiceError `cli/unreachable`. */
export class JobQueues {
  readonly #client: SQSClient;
  readonly #queueUrl: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#queueUrl = queueUrl;
  }

  /** @param queueUrl the job queue when left out */
  async state(queueUrl = this.#queueUrl): Promise<QueueState> {
    const command = new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'RedrivePolicy',
      ],
    });
    const { Attributes = {} } = await ask(`queue ${queueUrl}`, () => this.#client.send(command));
    const redrive = JSON.parse(Attributes['RedrivePolicy'] ?? 'null') as {
      deadLetterTargetArn: string;
      maxReceiveCount: number;
    } | null;
    return {
      waiting: Number(Attributes['ApproximateNumberOfMessages'] ?? 0),
      inFlight: Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
      ...(redrive && {
        deadLetterQueueUrl: siblingUrl(queueUrl, redrive.deadLetterTargetArn),
        maxReceiveCount: Number(redrive.maxReceiveCount),
      }),
    };
  }

  /** @throws ServiceError `cli/not-found` when the job queue has no dead-letter queue */
  async deadLetterQueueUrl(): Promise<string> {
    const { deadLetterQueueUrl } = await this.state();
    if (deadLetterQueueUrl !== undefined) return deadLetterQueueUrl;
    throw new ServiceError('cli/not-found', 'the job queue has no dead-letter queue');
  }

  /** Receives messages until the queue has no more. Nobody else sees them for two minutes. */
  async receiveAll(queueUrl: string, most: number): Promise<Message[]> {
    const received = new Map<string, Message>();
    while (received.size < most) {
      const command = new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(MAX_PER_RECEIVE, most - received.size),
        VisibilityTimeout: HOLD_SECONDS,
        WaitTimeSeconds: 1,
        MessageSystemAttributeNames: ['SentTimestamp'],
      });
      const { Messages = [] } = await ask(`queue ${queueUrl}`, () => this.#client.send(command));
      if (Messages.length === 0) break;
      for (const message of Messages) received.set(message.MessageId ?? '', message);
    }
    return [...received.values()];
  }

  /** Sends a new job before it deletes the message: a second job does no harm, a lost one does. */
  async sendAgain(queueUrl: string, message: Message, rtmsStreamId: string): Promise<void> {
    const MessageBody = encodeSessionJob(rtmsStreamId);
    await ask(`queue ${this.#queueUrl}`, () =>
      this.#client.send(new SendMessageCommand({ QueueUrl: this.#queueUrl, MessageBody })),
    );
    await this.delete(queueUrl, message);
  }

  async delete(queueUrl: string, { ReceiptHandle }: Message): Promise<void> {
    await ask(`queue ${queueUrl}`, () =>
      this.#client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle })),
    );
  }

  /** Lets others see the message again at once. */
  async putBack(queueUrl: string, { ReceiptHandle }: Message): Promise<void> {
    const input = { QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout: 0 };
    await ask(`queue ${queueUrl}`, () =>
      this.#client.send(new ChangeMessageVisibilityCommand(input)),
    );
  }
}

/** The dead-letter queue is in the account and Region of its queue, so only the last part of the URL differs. */
function siblingUrl(queueUrl: string, arn: string): string {
  const name = arn.split(':').at(-1) ?? '';
  return queueUrl.replace(/[^/]+$/, name);
}
