import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { createRunnerAws } from '../../runner/aws.ts';
import { SessionStore } from '../../runner/ownership/store.ts';
import { createLogger } from '../../runner/task/log.ts';
import { decodeCatcherLook, decodeSessionJob } from '../../shared/session-job.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { readCatcherConfig } from './config.ts';
import { type DeadCatcher, LookQueue, lookAtCatcher, unclaimed } from './looks.ts';
import { serveCaught } from './serve.ts';

const config = readCatcherConfig(process.env);
const aws = createRunnerAws(config.runner.region);
const store = new SessionStore(aws.table, config.runner.sessionTable);
const queue = new LookQueue(aws.notify, config.catcherQueueUrl);
const logger = createLogger(config.runner.logLevel, { service: 'catcher' });

/** What one message asks for. */
interface Found {
  readonly row?: SessionRow | undefined;
  readonly dead?: DeadCatcher | undefined;
  /** The message is none of ours, or could not be dealt with. */
  readonly failed?: true;
}

/**
 * Looks at the rows that a batch of the catcher's queue names. A row with an owner costs one read and nothing else. When
 * one has none, this invocation serves it, and returns when it holds no session any more: a socket to Zoom in a frozen
 * execution would take in nothing and answer nothing.
 */
export async function handler(
  { Records }: SQSEvent,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
): Promise<SQSBatchResponse> {
  const found = await Promise.all(Records.map((record) => look(record)));
  const rows = new Map(found.flatMap(({ row }) => (row ? [[row.rtmsStreamId, row]] : [])));
  const dead = found.flatMap((one) => one.dead ?? []);
  if (rows.size + dead.length > 0) {
    const remainingMs = () => context.getRemainingTimeInMillis();
    const caught = { rows: [...rows.values()], dead };
    try {
      await Promise.all([...rows.keys()].map((rtmsStreamId) => queue.ensure(rtmsStreamId)));
      await serveCaught(caught, { config, aws, queue, remainingMs });
    } catch (error) {
      logger.error('the catcher could not serve', { event: 'catcher_failed', error });
      await Promise.all(caught.rows.map(({ rtmsStreamId }) => queue.again(rtmsStreamId)));
    }
  }
  const batchItemFailures = Records.filter((_, index) => found[index]?.failed).map(
    ({ messageId }) => ({ itemIdentifier: messageId }),
  );
  return { batchItemFailures };
}

async function look({ body, messageId }: SQSRecord): Promise<Found> {
  const job = decodeSessionJob(body);
  const catcherLook = job === undefined ? decodeCatcherLook(body) : undefined;
  try {
    if (job !== undefined) return { row: await unclaimed(job.rtmsStreamId, store) };
    if (catcherLook !== undefined) return { dead: await lookAtCatcher(catcherLook, store, queue) };
    logger.error('a message is neither a session job nor a look at a catcher', {
      event: 'bad_job',
      messageId,
    });
    return { failed: true };
  } catch (error) {
    logger.warn('look failed, looking again', { event: 'look_failed', messageId, error });
    return lookAgain(job?.rtmsStreamId, catcherLook);
  }
}

/**
 * Sends a message once more because the table did not answer.
 *
 * @returns `failed` when the queue does not answer either, so that the message comes back by itself
 */
async function lookAgain(
  rtmsStreamId: string | undefined,
  catcherLook: ReturnType<typeof decodeCatcherLook>,
): Promise<Found> {
  try {
    if (rtmsStreamId !== undefined) await queue.again(rtmsStreamId);
    // A table that does not answer takes no renewals either, so the execution gets the whole time once more.
    else if (catcherLook) await queue.follow(catcherLook);
    return {};
  } catch {
    return { failed: true };
  }
}
