import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
} from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { ServiceError } from '../../shared/errors.ts';
import {
  isReadable,
  parseSessionRow,
  parseTaskRow,
  type UnreadableRow,
} from '../../shared/session-table/parse-row.ts';
import {
  isRevocationUntold,
  OWNER_INDEX,
  type Ownership,
  type SessionRow,
  sessionKey,
  TASKS,
  type TaskRow,
  taskKey,
  UNOWNED,
} from '../../shared/session-table/session-row.ts';

/** Rows of ended sessions and silent tasks stay this long, so that late duplicates find them. */
const KEEP_SECONDS = 7 * 24 * 3600;

/** Proof of ownership: what every write about an owned row is conditional on. */
export interface Claim {
  readonly rtmsStreamId: string;
  readonly taskId: string;
  readonly epoch: number;
}

/** What a stream gets that has ended an owner. */
export interface Penalty {
  readonly strikes: number;
  /** Nobody claims it before that, Unix ms. */
  readonly quarantinedUntilMs?: number;
}

export type EndedReason = NonNullable<Ownership['endedReason']>;

type Item = Readonly<Record<string, unknown>>;

type OnUnreadable = (row: Pick<UnreadableRow, 'pk' | 'unreadable'>) => void;

/** The session table as runners use it: every write is conditional on what the writer has seen. */
export class SessionStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #onUnreadable: OnUnreadable;

  /**
   * @param client made with `ROW_TRANSLATION`
   * @param onUnreadable told at every read of a row that cannot be read
   */
  constructor(
    client: DynamoDBDocumentClient,
    table: string,
    onUnreadable: OnUnreadable = () => {},
  ) {
    this.#client = client;
    this.#table = table;
    this.#onUnreadable = onUnreadable;
  }

  /** Strongly consistent. */
  async read(rtmsStreamId: string): Promise<SessionRow | UnreadableRow | undefined> {
    const item = await this.#get(sessionKey(rtmsStreamId));
    return item && this.#parsed(item);
  }

  /** The same, of a row that can be read. */
  async session(rtmsStreamId: string): Promise<SessionRow | undefined> {
    const row = await this.read(rtmsStreamId);
    return row !== undefined && isReadable(row) ? row : undefined;
  }

  /** Strongly consistent. */
  async task(taskId: string): Promise<TaskRow | undefined> {
    const item = await this.#get(taskKey(taskId));
    return item && this.#parsedTask(item)[0];
  }

  /** Readable rows of one owner by the index: eventually consistent, so a row may be missing or old. */
  async sessionsOf(owner: string): Promise<SessionRow[]> {
    const items = await this.#query(owner);
    return items.map((item) => this.#parsed(item)).filter(isReadable);
  }

  /** All heartbeats, by the index: eventually consistent. */
  async tasks(): Promise<TaskRow[]> {
    const items = await this.#query(TASKS);
    return items.flatMap((item) => this.#parsedTask(item));
  }

  /**
   * Raises this task's heartbeat; aborted, it may have been raised all the same.
   *
   * @param signal the only one to lose patience: an answer that the client's own timeout would cut off counts
   */
  async renew(
    task: Pick<TaskRow, 'taskId' | 'costUsed' | 'costTotal' | 'draining' | 'revision'>,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#update(
      taskKey(task.taskId),
      {
        UpdateExpression:
          'SET #owner = :tasks, taskId = :taskId, costUsed = :used, costTotal = :total, draining = :draining, #ttl = :ttl, renewedAtMs = :now' +
          (task.revision === undefined ? '' : ', revision = :revision') +
          ' ADD heartbeat :one',
        ExpressionAttributeNames: { '#owner': 'owner', '#ttl': 'ttl' },
        ExpressionAttributeValues: {
          ':tasks': TASKS,
          ':taskId': task.taskId,
          ':used': task.costUsed,
          ':total': task.costTotal,
          ':draining': task.draining,
          ':now': nowMs,
          ':ttl': expiresAt(nowMs),
          ...(task.revision === undefined ? {} : { ':revision': task.revision }),
          ':one': 1,
        },
      },
      signal,
    );
  }

  /** Forgets a task, unless its heartbeat has moved on since it was read. */
  async forget(task: Pick<TaskRow, 'taskId' | 'heartbeat'>): Promise<void> {
    const command = new DeleteCommand({
      TableName: this.#table,
      Key: { pk: taskKey(task.taskId) },
      ConditionExpression: 'heartbeat = :seen',
      ExpressionAttributeValues: { ':seen': task.heartbeat },
    });
    await guarded(() => this.#client.send(command));
  }

  /**
   * Takes a row for a task and raises its epoch, unless owner or epoch changed since `seen` was read.
   *
   * @param strikes how many owners in a row the stream has ended so far
   * @returns the row as it is now; undefined when somebody was faster
   */
  async claim(
    seen: SessionRow,
    taskId: string,
    nowMs: number,
    strikes = 0,
  ): Promise<SessionRow | undefined> {
    const claimed = await this.#update(seen.pk, {
      UpdateExpression:
        `SET #owner = :me, epoch = :next, claimedAtMs = :now${strikes > 0 ? ', strikes = :strikes' : ''}` +
        ` REMOVE ${strikes > 0 ? '' : 'strikes, '}quarantinedUntilMs, proofs, handedBack, handedOverBy, handedOverAtMs, endedReason, endedAtMs`,
      ConditionExpression: `attribute_exists(pk) AND ${unchanged(seen)}`,
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: {
        ...seenValues(seen),
        ...(strikes > 0 ? { ':strikes': strikes } : {}),
        ':me': taskId,
        ':next': (seen.epoch ?? 0) + 1,
        ':now': nowMs,
      },
    });
    const row = claimed && this.#parsed(claimed);
    // Spoilt between the read and the claim: it is this task's now, which will not serve it.
    return row !== undefined && isReadable(row) ? row : undefined;
  }

  /**
   * Proves after a lapse that a row is still this task's. Voids what others have read of it, so that none of them
   * can claim it on what they knew before; see docs/adr/0005.
   *
   * @returns false when it is another's, or nobody's
   */
  async prove(claim: Claim): Promise<boolean> {
    const row = await this.#update(sessionKey(claim.rtmsStreamId), {
      UpdateExpression: 'ADD proofs :one',
      ConditionExpression: '#owner = :me AND epoch = :epoch',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':me': claim.taskId, ':epoch': claim.epoch, ':one': 1 },
    });
    return row !== undefined;
  }

  /** Says that media flows, to whoever gave the stream away. */
  async connected(claim: Claim): Promise<void> {
    await this.#update(sessionKey(claim.rtmsStreamId), {
      UpdateExpression: 'SET connectedEpoch = :epoch',
      ConditionExpression: '#owner = :me AND epoch = :epoch',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':me': claim.taskId, ':epoch': claim.epoch },
    });
  }

  /** Asks another owner to give a stream away, as an operator would. */
  async askBack(seen: SessionRow): Promise<void> {
    await this.#update(seen.pk, {
      UpdateExpression: 'SET operatorWish = :wish',
      ConditionExpression: unchanged(seen),
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ...seenValues(seen), ':wish': 'handover' },
    });
  }

  /**
   * Gives a row away for any runner to claim.
   *
   * @param atMs when the task began to close the stream's sockets, Unix ms
   * @param how `penalty`: the stream has ended this owner by a defect; `handedBack`: this owner could not connect
   * @returns false when it was no longer this task's to give
   */
  async release(
    claim: Claim,
    atMs: number,
    how: { readonly penalty?: Penalty | undefined; readonly handedBack?: boolean } = {},
  ): Promise<boolean> {
    const { penalty, handedBack = false } = how;
    const sets = ['#owner = :unowned', 'handedOverBy = :me', 'handedOverAtMs = :at'];
    if (handedBack) sets.push('handedBack = :yes');
    const removed = penalty === undefined ? 'operatorWish, strikes' : 'operatorWish';
    const row = await this.#update(sessionKey(claim.rtmsStreamId), {
      UpdateExpression: `SET ${[...sets, ...penaltySets(penalty)].join(', ')} REMOVE ${removed}`,
      ConditionExpression: '#owner = :me AND epoch = :epoch',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: {
        ...penaltyValues(penalty),
        ...(handedBack ? { ':yes': true } : {}),
        ':unowned': UNOWNED,
        ':me': claim.taskId,
        ':epoch': claim.epoch,
        ':at': atMs,
      },
    });
    return row !== undefined;
  }

  /**
   * Takes a row from a dead owner and gives it to nobody for a while.
   *
   * @returns false when the row has changed since `seen` was read
   */
  async quarantine(seen: SessionRow, penalty: Penalty): Promise<boolean> {
    const row = await this.#update(seen.pk, {
      UpdateExpression: `SET ${['#owner = :unowned', ...penaltySets(penalty)].join(', ')}`,
      ConditionExpression: unchanged(seen),
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: {
        ...seenValues(seen),
        ...penaltyValues(penalty),
        ':unowned': UNOWNED,
      },
    });
    return row !== undefined;
  }

  /**
   * Marks the served run as ended. When Zoom has started a newer one meanwhile, the row goes back to
   * be claimed for it; when it has revoked the stream meanwhile, somebody has to say so.
   *
   * @param run the run that was served, and when it was given up
   */
  async end(
    claim: Claim,
    run: {
      readonly startEventTsMs: number;
      readonly reason: EndedReason;
      readonly atMs: number;
    },
    nowMs: number,
  ): Promise<'ended' | 'restarted' | 'revoked' | 'not_owner'> {
    const key = sessionKey(claim.rtmsStreamId);
    const owned = {
      ExpressionAttributeNames: { '#owner': 'owner', '#ttl': 'ttl' },
      ExpressionAttributeValues: {
        ':me': claim.taskId,
        ':epoch': claim.epoch,
        ':run': run.startEventTsMs,
        ':reason': run.reason,
        ':at': run.atMs,
        ':ttl': expiresAt(nowMs),
      },
    };
    const set =
      'SET endedStartEventTsMs = :run, endedReason = :reason, endedAtMs = :at, #ttl = :ttl';
    const ended = await this.#update(key, {
      ...owned,
      UpdateExpression: `${set} REMOVE #owner, operatorWish`,
      ConditionExpression: '#owner = :me AND epoch = :epoch AND startEventTsMs <= :run',
    });
    if (ended !== undefined) {
      const row = this.#parsed(ended);
      return isReadable(row) && isRevocationUntold(row) ? 'revoked' : 'ended';
    }
    const restarted = await this.#update(key, {
      ...owned,
      UpdateExpression: `${set}, #owner = :unowned REMOVE operatorWish`,
      ConditionExpression: '#owner = :me AND epoch = :epoch AND startEventTsMs > :run',
      ExpressionAttributeValues: { ...owned.ExpressionAttributeValues, ':unowned': UNOWNED },
    });
    return restarted === undefined ? 'not_owner' : 'restarted';
  }

  /**
   * Settles a run that was stopped before anybody served it.
   *
   * @returns false when the row has changed since `seen` was read
   */
  async clear(seen: SessionRow, nowMs: number): Promise<boolean> {
    const row = await this.#update(seen.pk, {
      UpdateExpression:
        'SET endedStartEventTsMs = :run, endedReason = :reason, #ttl = :ttl REMOVE #owner, operatorWish',
      ConditionExpression: `startEventTsMs = :run AND ${unchanged(seen)}`,
      ExpressionAttributeNames: { '#owner': 'owner', '#ttl': 'ttl' },
      ExpressionAttributeValues: {
        ...seenValues(seen),
        ':run': seen.startEventTsMs ?? 0,
        ':reason': 'missed',
        ':ttl': expiresAt(nowMs),
      },
    });
    return row !== undefined;
  }

  #parsed(item: Item): SessionRow | UnreadableRow {
    const row = parseSessionRow(item);
    if (!isReadable(row)) this.#onUnreadable(row);
    return row;
  }

  /** @returns none for what is no task at all */
  #parsedTask(item: Item): TaskRow[] {
    const { row, unreadable } = parseTaskRow(item);
    if (unreadable.length > 0) this.#onUnreadable({ pk: String(item['pk']), unreadable });
    return row === undefined ? [] : [row];
  }

  async #get(pk: string): Promise<Item | undefined> {
    const command = new GetCommand({ TableName: this.#table, Key: { pk }, ConsistentRead: true });
    return (await guarded(() => this.#client.send(command)))?.Item;
  }

  async #query(owner: string): Promise<Item[]> {
    const rows: Item[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const command = new QueryCommand({
        TableName: this.#table,
        IndexName: OWNER_INDEX,
        KeyConditionExpression: '#owner = :owner',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': owner },
        ExclusiveStartKey: from,
      });
      const page = await guarded(() => this.#client.send(command));
      rows.push(...(page?.Items ?? []));
      from = page?.LastEvaluatedKey;
    } while (from !== undefined);
    return rows;
  }

  /** @returns all attributes after the update; undefined when the condition did not hold */
  async #update(
    pk: string,
    input: {
      UpdateExpression: string;
      ConditionExpression?: string;
      ExpressionAttributeNames: Record<string, string>;
      ExpressionAttributeValues: Record<string, unknown>;
    },
    signal?: AbortSignal,
  ): Promise<Item | undefined> {
    const command = new UpdateCommand({
      TableName: this.#table,
      Key: { pk },
      ReturnValues: 'ALL_NEW',
      ...input,
    });
    const options = signal === undefined ? {} : { abortSignal: signal, requestTimeout: 0 };
    return (await guarded(() => this.#client.send(command, options)))?.Attributes;
  }
}

function penaltySets(penalty: Penalty | undefined): string[] {
  if (penalty === undefined) return [];
  const untilMs = penalty.quarantinedUntilMs;
  return ['strikes = :strikes', ...(untilMs === undefined ? [] : ['quarantinedUntilMs = :until'])];
}

function penaltyValues(penalty: Penalty | undefined): Record<string, unknown> {
  if (penalty === undefined) return {};
  const { strikes, quarantinedUntilMs } = penalty;
  return {
    ':strikes': strikes,
    ...(quarantinedUntilMs === undefined ? {} : { ':until': quarantinedUntilMs }),
  };
}

/** What a row must still say for a claim that was decided on what has been read of it. */
function unchanged({ owner, epoch, proofs }: SessionRow): string {
  return [
    owner === undefined ? 'attribute_not_exists(#owner)' : '#owner = :owner',
    epoch === undefined ? 'attribute_not_exists(epoch)' : 'epoch = :epoch',
    proofs === undefined ? 'attribute_not_exists(proofs)' : 'proofs = :proofs',
  ].join(' AND ');
}

function seenValues({ owner, epoch, proofs }: SessionRow): Record<string, unknown> {
  return {
    ...(owner === undefined ? {} : { ':owner': owner }),
    ...(epoch === undefined ? {} : { ':epoch': epoch }),
    ...(proofs === undefined ? {} : { ':proofs': proofs }),
  };
}

function expiresAt(nowMs: number): number {
  return Math.floor(nowMs / 1000) + KEEP_SECONDS;
}

/** Errors of the client's making that pass all the same. */
const PASSING: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'LimitExceededException',
  'TransactionConflictException',
  'TransactionInProgressException',
  'ReplicatedWriteConflictException',
  'ExpiredTokenException',
  'RequestTimeTooSkewed',
]);

/** A condition that did not hold is an answer (undefined); everything else is our error. */
async function guarded<T>(send: () => Promise<T>): Promise<T | undefined> {
  try {
    return await send();
  } catch (cause) {
    if (cause instanceof ConditionalCheckFailedException) return undefined;
    const name = cause instanceof Error ? cause.name : typeof cause;
    const options = { cause, detail: { name } };
    if (passes(cause)) {
      throw new ServiceError('session/store-failed', 'the session table did not answer', options);
    }
    throw new ServiceError('session/store-refused', 'the session table refused the call', options);
  }
}

/** May the same call succeed later? Only an answer that blames the call itself says that it will not. */
function passes(error: unknown): boolean {
  if (!(error instanceof DynamoDBServiceException)) return true;
  const { $fault, name, $metadata } = error;
  const status = $metadata.httpStatusCode ?? 500;
  return $fault === 'server' || status >= 500 || status === 429 || PASSING.has(name);
}
