import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Logger } from '../../shared/logger.ts';
import { decodeSessionJob } from '../../shared/session-job.ts';
import { sleep } from '../task/loop.ts';
import type { OfferOutcome } from './pool-options.ts';

const LONG_POLL_SECONDS = 20;
/** A receive without an answer by then is aborted: its connection may be dead, and nothing else would notice. */
const WATCHDOG_MS = 25_000;
/** A runner may take this long to connect; then the message becomes visible again, and finds the row owned. */
const VISIBILITY_SECONDS = 30;
/**
 * The long poll of an execution that was killed may take a message with it. One that tells of its death is not visible
 * sooner than 7 s after it (`CATCHER_LOOK_SECONDS` after the last renewal): by then no poll of this length is left. A
 * stream's message comes back after the same time.
 */
export const CATCHER_POLL: Pick<JobPollerOptions, 'visibilitySeconds' | 'waitSeconds'> = {
  visibilitySeconds: 5,
  waitSeconds: 5,
};
/** Few at a time, so that a burst of starts spreads over the runners. */
const MAX_MESSAGES = 3;
/** How often a full runner looks for room. */
const FULL_WAIT_MS = 250;
const ERROR_WAIT_MS = 1_000;
/** Retry this seldom so that a message does not reach maxReceiveCount and land in the dead-letter queue. */
const LATER_SECONDS = 5;

export interface JobPollerOptions {
  /** Used by the poller alone: a long poll occupies a connection. */
  readonly client: SQSClient;
  readonly queueUrl: string;
  /** How long a message that was received stays invisible. @default 30 */
  readonly visibilitySeconds?: number | undefined;
  /** How long a poll waits for a message. @default 20 */
  readonly waitSeconds?: number | undefined;
  /** How many sessions fit; nothing is received while it is 0. */
  readonly room: () => number;
  /** Claims what is to be served; resolves before it is connected. */
  readonly offer: (rtmsStreamId: string) => Promise<OfferOutcome>;
  /** Called with a message that is no job of a stream. @returns whether it is dealt with and may be deleted */
  readonly other?: ((body: string) => Promise<boolean>) | undefined;
  /** Resolves when the stream is connected, or will not be. */
  readonly connected: (rtmsStreamId: string) => Promise<void>;
  /** Called with every round of the loop: its sign of life (`Loops`). */
  readonly onBeat: () => void;
  readonly logger: Logger;
}

/**
 * Receives jobs while there is room. A message is deleted once its stream is connected or needs
 * nothing; until then it stays in the queue, invisible, in case this task dies.
 */
export async function pollJobs(options: JobPollerOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    options.onBeat();
    const room = options.room();
    if (room < 1) {
      await sleep(FULL_WAIT_MS, signal);
      continue;
    }
    const messages = await receive(options, room, signal);
    await Promise.all(messages.map((message) => answer(options, message)));
  }
}

async function receive(
  { client, queueUrl, logger, ...options }: JobPollerOptions,
  room: number,
  signal: AbortSignal,
): Promise<Message[]> {
  const { visibilitySeconds = VISIBILITY_SECONDS, waitSeconds = LONG_POLL_SECONDS } = options;
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: Math.min(MAX_MESSAGES, room),
    WaitTimeSeconds: waitSeconds,
    VisibilityTimeout: visibilitySeconds,
  });
  try {
    const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(WATCHDOG_MS)]);
    const { Messages = [] } = await client.send(command, { abortSignal });
    return Messages;
  } catch (error) {
    if (signal.aborted) return [];
    logger.warn('job queue not answering', { event: 'receive_failed', error });
    await sleep(ERROR_WAIT_MS, signal);
    return [];
  }
}

/** Never rejects: a message that could not be answered becomes visible again by itself. */
async function answer(options: JobPollerOptions, message: Message): Promise<void> {
  const { client, queueUrl, offer, logger } = options;
  const body = message.Body ?? '';
  const job = decodeSessionJob(body);
  if (job === undefined) {
    await answerOther(options, message, body);
    return;
  }
  const { rtmsStreamId } = job;
  const handle = { QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle };
  try {
    const outcome = await offer(rtmsStreamId);
    if (outcome === 'done') {
      void deleteWhenConnected(options, rtmsStreamId, handle);
      return;
    }
    const VisibilityTimeout = outcome === 'refused' ? 0 : LATER_SECONDS;
    await client.send(new ChangeMessageVisibilityCommand({ ...handle, VisibilityTimeout }));
  } catch (error) {
    logger.warn('job not answered', { event: 'job_failed', rtmsStreamId, error });
  }
}

async function answerOther(
  { client, queueUrl, other, logger }: JobPollerOptions,
  { MessageId: messageId, ReceiptHandle }: Message,
  body: string,
): Promise<void> {
  try {
    if ((await other?.(body)) === true) {
      await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    } else
      logger.error('a message of the queue is no session job', { event: 'bad_job', messageId });
  } catch (error) {
    logger.warn('message not answered', { event: 'job_failed', messageId, error });
  }
}

async function deleteWhenConnected(
  { client, connected, logger }: JobPollerOptions,
  rtmsStreamId: string,
  handle: { QueueUrl: string; ReceiptHandle: string | undefined },
): Promise<void> {
  try {
    await connected(rtmsStreamId);
    await client.send(new DeleteMessageCommand(handle));
  } catch (error) {
    logger.warn('job not deleted', { event: 'job_failed', rtmsStreamId, error });
  }
}
