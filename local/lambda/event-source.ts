import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type LocalFunction, Throttled } from './local-function.ts';

/** Lambda begins with this many long polls. */
const POLLERS = 5;
const LONG_POLL_SECONDS = 5;
const ERROR_WAIT_MS = 500;
/** Lambda tries a throttled batch again before it lets its messages come back by themselves. */
const THROTTLED_SECONDS = 2;

export interface EventSourceOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly batchSize: number;
  readonly target: Pick<LocalFunction, 'invoke'>;
  readonly onThrottled: () => void;
  /** Told of an invocation that failed; its messages come back when they are visible again. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * What Lambda's event source mapping does with a queue: it takes what is there, invokes the function with it, and deletes
 * what the function does not name as failed. A poll waits for its invocation.
 */
export class LocalEventSource {
  readonly #options: EventSourceOptions;
  readonly #stopping = new AbortController();
  readonly #pollers: Promise<void>[];

  constructor(options: EventSourceOptions) {
    this.#options = options;
    this.#pollers = Array.from({ length: POLLERS }, () => this.#poll());
  }

  /** Ends the polls, and waits for the invocations that run. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#pollers);
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const batch = await this.#receive();
      if (batch.length === 0) continue;
      await this.#invoke(batch).catch(() => undefined);
    }
  }

  async #receive(): Promise<Message[]> {
    const { client, queueUrl, batchSize } = this.#options;
    const { signal } = this.#stopping;
    const input = {
      QueueUrl: queueUrl,
      WaitTimeSeconds: LONG_POLL_SECONDS,
      MaxNumberOfMessages: batchSize,
    };
    try {
      const command = new ReceiveMessageCommand(input);
      return (await client.send(command, { abortSignal: signal })).Messages ?? [];
    } catch {
      if (!signal.aborted) await sleep(ERROR_WAIT_MS);
      return [];
    }
  }

  async #invoke(batch: readonly Message[]): Promise<void> {
    const { client, queueUrl, target, onThrottled, onFailed } = this.#options;
    let answer: SQSBatchResponse;
    try {
      answer = (await target.invoke(toEvent(batch))) as SQSBatchResponse;
    } catch (error) {
      if (!(error instanceof Throttled)) {
        onFailed(error);
        return;
      }
      onThrottled();
      for (const { ReceiptHandle } of batch) {
        const input = { QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout: THROTTLED_SECONDS };
        await client.send(new ChangeMessageVisibilityCommand(input));
      }
      return;
    }
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const { MessageId = '', ReceiptHandle } of batch) {
      if (failed.has(MessageId)) continue;
      await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    }
  }
}

function toEvent(batch: readonly Message[]): SQSEvent {
  return {
    Records: batch.map(({ MessageId = '', ReceiptHandle = '', Body = '' }) => ({
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      body: Body,
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: '0',
        SenderId: 'local',
        ApproximateFirstReceiveTimestamp: '0',
      },
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:rtms-catcher',
      awsRegion: 'us-east-1',
    })),
  };
}
