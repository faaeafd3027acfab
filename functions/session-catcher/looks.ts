import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { judgeRow } from '../../runner/ownership/rules.ts';
import type { SessionStore } from '../../runner/ownership/store.ts';
import { EXPIRE_AFTER_MS } from '../../runner/ownership/tenure.ts';
import {
  CATCHER_LOOK_SECONDS,
  type CatcherLook,
  encodeCatcherLook,
  encodeSessionJob,
} from '../../shared/session-job.ts';
import type { SessionRow, TaskRow } from '../../shared/session-table/session-row.ts';
import { SYNTHETIC_APP } from '../../shared/zoom/credentials.ts';

/** A row that could not be read or claimed is looked at again after this long. */
const AGAIN_SECONDS = 1;
/** A stream that is about to be claimed is looked at again after this long, in case its claimant is killed. */
const CLAIMED_BY_SECONDS = 5;
/** While a dead execution owns streams, somebody looks at it this often. */
const STILL_DEAD_SECONDS = 2;

/** The catcher's queue, as the catcher itself sends to it. */
export class LookQueue {
  readonly #client: SQSClient;
  readonly #queueUrl: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#queueUrl = queueUrl;
  }

  /** Has somebody look at a stream's row again. A message put back would stay invisible for as long as a function may run. */
  again(rtmsStreamId: string): Promise<void> {
    return this.#send(encodeSessionJob(rtmsStreamId), AGAIN_SECONDS);
  }

  /**
   * Has somebody look whether a stream that is about to be claimed here has an owner. Without it the message of a killed
   * invocation would be seen again when the function's visibility timeout is over, which is 16 minutes.
   */
  ensure(rtmsStreamId: string): Promise<void> {
    return this.#send(encodeSessionJob(rtmsStreamId), CLAIMED_BY_SECONDS);
  }

  /** Has somebody look whether an execution still lives. */
  follow(look: Omit<CatcherLook, 'version'>, afterSeconds = CATCHER_LOOK_SECONDS): Promise<void> {
    return this.#send(encodeCatcherLook(look), afterSeconds);
  }

  async #send(MessageBody: string, DelaySeconds: number): Promise<void> {
    const input = { QueueUrl: this.#queueUrl, MessageBody, DelaySeconds };
    await this.#client.send(new SendMessageCommand(input));
  }
}

/** @returns the row if nobody serves the stream and somebody has to; after one read, whatever it says */
export async function unclaimed(
  rtmsStreamId: string,
  store: Pick<SessionStore, 'session'>,
): Promise<SessionRow | undefined> {
  const row = await store.session(rtmsStreamId);
  // The host of the synthetic meeting has a name in the network of the tasks alone.
  if (row === undefined || row.app === SYNTHETIC_APP) return undefined;
  const nobody = { taskId: '', hasSession: false, nowMs: Date.now() };
  // An owner that may be dead is left to those who watch its heartbeat.
  const { act } = judgeRow(row, nobody, () => false);
  return act === 'none' ? undefined : row;
}

/**
 * Deletes the row of an execution that has ended, unless it owns streams: one that it could not give away, or one that was missed
 * and is still to be told. Streams of a dead owner are found by its row, so nobody would ever see them without it.
 *
 * @returns the streams that it owns
 */
export async function deleteIfAtRest(
  task: TaskRow,
  store: Pick<SessionStore, 'sessionsOf' | 'deleteTask'>,
): Promise<readonly SessionRow[]> {
  const rows = await store.sessionsOf(task.taskId);
  if (rows.length === 0) await store.deleteTask(task);
  return rows;
}

/** An execution of the catcher that was killed, and what it has left behind. */
export interface DeadCatcher {
  readonly task: TaskRow;
  readonly silentForMs: number;
  readonly rows: readonly SessionRow[];
}

/**
 * Looks whether an execution of the catcher still lives. The queue is the clock: a message that was sent after the
 * heartbeat had been written, and is visible `CATCHER_LOOK_SECONDS` later at the earliest, proves as much as an
 * observer's own clock would.
 *
 * @returns the execution if it is dead and still owns streams
 */
export async function lookAtCatcher(
  { catcherId, heartbeat, isChain }: CatcherLook,
  store: Pick<SessionStore, 'task' | 'sessionsOf' | 'deleteTask'>,
  queue: Pick<LookQueue, 'follow'>,
): Promise<DeadCatcher | undefined> {
  const task = await store.task(catcherId);
  // It has ended, and deleted its row.
  if (task === undefined) return undefined;
  if (task.heartbeat !== heartbeat) {
    if (isChain) await queue.follow({ catcherId, heartbeat: task.heartbeat, isChain });
    return undefined;
  }
  const rows = await deleteIfAtRest(task, store);
  if (rows.length === 0) return undefined;
  // Before anything is claimed: whoever takes over may be killed as well.
  await queue.follow({ catcherId, heartbeat }, STILL_DEAD_SECONDS);
  return { task, silentForMs: EXPIRE_AFTER_MS, rows };
}
