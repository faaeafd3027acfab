import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { EXPIRE_AFTER_MS } from '../../runner/ownership/expiry.ts';
import { judgeRow } from '../../runner/ownership/rules.ts';
import type { SessionStore } from '../../runner/ownership/store.ts';
import { CATCHER_LOOK_SECONDS, type CatcherLook, encodeCatcherLook } from '../../shared/catcher.ts';
import { encodeSessionJob } from '../../shared/session-job.ts';
import type { SessionRow, TaskRow } from '../../shared/session-table/session-row.ts';
import { SYNTHETIC_APP } from '../../shared/zoom/credentials.ts';

/** A row that could not be read or claimed is looked at again after this long. */
const AGAIN_SECONDS = 1;

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

  /** Has somebody look whether an execution still lives. */
  follow(look: Omit<CatcherLook, 'version'>): Promise<void> {
    return this.#send(encodeCatcherLook(look), CATCHER_LOOK_SECONDS);
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

/** An execution of the catcher that was killed, and what it has left behind. */
export interface DeadCatcher {
  readonly task: TaskRow;
  readonly silentForMs: number;
  readonly rows: readonly SessionRow[];
}

/**
 * Looks whether an execution of the catcher still lives, and leaves the next look in the queue. The queue is the clock: a
 * message that was sent after the heartbeat had been read, and is visible `CATCHER_LOOK_SECONDS` later at the earliest,
 * proves as much as an observer's own clock would.
 *
 * @returns the execution if it is dead and still owns streams
 */
export async function lookAtCatcher(
  { catcherId, heartbeat, sameForSeconds }: CatcherLook,
  store: Pick<SessionStore, 'task' | 'sessionsOf' | 'deleteTask'>,
  queue: Pick<LookQueue, 'follow'>,
): Promise<DeadCatcher | undefined> {
  const task = await store.task(catcherId);
  // It has ended, and deleted its row.
  if (task === undefined) return undefined;
  const isSame = task.heartbeat === heartbeat;
  const silentForSeconds = isSame ? sameForSeconds + CATCHER_LOOK_SECONDS : 0;
  const silentForMs = 1_000 * silentForSeconds;
  const isDead = silentForMs >= EXPIRE_AFTER_MS;
  const rows = isDead ? await store.sessionsOf(catcherId) : [];
  if (isDead && rows.length === 0) {
    await store.deleteTask(task);
    return undefined;
  }
  const seen = { catcherId, heartbeat: task.heartbeat, sameForSeconds: silentForSeconds };
  await queue.follow(seen);
  return isDead ? { task, silentForMs, rows } : undefined;
}
