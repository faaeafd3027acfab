import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import {
  GROUP_PK,
  type GroupHead,
  type GroupRows,
  headKey,
  parseHead,
  parseRows,
  type RecordPosition,
  type ShardRow,
  seenKey,
  shardKey,
  type WorkerRow,
  workerKey,
} from './group-rows.ts';
import { TableClient } from './table-client.ts';

/** Whose write it is: a shard is written by its owner alone. */
export interface ShardClaim {
  readonly shardId: string;
  readonly workerId: string;
  readonly epoch: number;
}

/**
 * The table of one group. Every write is conditional on what its writer has seen or owns, so that of several workers one
 * wins; methods that say "undefined" or "false" mean that somebody else was faster.
 *
 * All methods throw ServiceError `group/table-failed` (may pass) or `group/table-refused`.
 */
export class GroupTable {
  readonly #client: TableClient;

  private constructor(client: TableClient) {
    this.#client = client;
  }

  static async open(name: string, config: DynamoDBClientConfig): Promise<GroupTable> {
    return new GroupTable(await TableClient.open(name, config));
  }

  close(): void {
    this.#client.close();
  }

  /** Writes the first row unless there is one. @returns the one that is there now; undefined for a table of others */
  async head(own: GroupHead): Promise<GroupHead | undefined> {
    const { startAt, ...fields } = own;
    const written = await this.#client.update({
      Key: headKey(),
      ...sets({ ...fields, startAt: startAt instanceof Date ? startAt.toISOString() : startAt }),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    return parseHead(written ?? (await this.#client.get(headKey())));
  }

  /** Makes the table the one of the stream that has taken the old one's place. */
  async replaceStream(before: GroupHead, streamCreatedAtMs: number): Promise<void> {
    const set = sets({ streamCreatedAtMs, startAt: 'TRIM_HORIZON' });
    await this.#client.update({
      Key: headKey(),
      ...set,
      ConditionExpression: '#streamCreatedAtMs = :before',
      ExpressionAttributeValues: {
        ...set.ExpressionAttributeValues,
        ':before': before.streamCreatedAtMs,
      },
    });
  }

  /** Strongly consistent. */
  async rows(): Promise<GroupRows> {
    return parseRows(await this.#client.query(GROUP_PK));
  }

  /** Takes a worker's row for a new process. @param seen the row as it was read. @returns false when it has changed */
  async enter(workerId: string, run: string, seen: WorkerRow | undefined): Promise<boolean> {
    const set = sets({ run, heartbeat: (seen?.heartbeat ?? 0) + 1 });
    const written = await this.#client.update({
      Key: workerKey(workerId),
      UpdateExpression: `${set.UpdateExpression} REMOVE isLeaving`,
      ConditionExpression: seen
        ? '#run = :seenRun AND #heartbeat = :seenHeartbeat'
        : 'attribute_not_exists(pk)',
      ExpressionAttributeNames: set.ExpressionAttributeNames,
      ExpressionAttributeValues: {
        ...set.ExpressionAttributeValues,
        ...(seen && { ':seenRun': seen.run, ':seenHeartbeat': seen.heartbeat }),
      },
    });
    return written !== undefined;
  }

  /** Raises the heartbeat. @returns false when another process has taken the worker's row */
  async renew(workerId: string, run: string, isLeaving: boolean, signal: AbortSignal) {
    const written = await this.#client.update(
      {
        Key: workerKey(workerId),
        UpdateExpression: `ADD heartbeat :one${isLeaving ? ' SET isLeaving = :yes' : ''}`,
        ConditionExpression: '#run = :run',
        ExpressionAttributeNames: { '#run': 'run' },
        ExpressionAttributeValues: {
          ':one': 1,
          ':run': run,
          ...(isLeaving && { ':yes': true }),
        },
      },
      signal,
    );
    return written !== undefined;
  }

  /** Deletes a worker's row, if it is as it was read. */
  async removeWorker({ workerId, run, heartbeat }: WorkerRow): Promise<void> {
    await this.#client.delete(workerKey(workerId), { run, heartbeat });
  }

  /** Deletes this worker's own row. */
  async leave(workerId: string, run: string): Promise<void> {
    await this.#client.delete(workerKey(workerId), { run });
  }

  /**
   * Takes a shard and raises its epoch.
   *
   * Condition: epoch and owner are as they were read. A release keeps the epoch and takes the owner away, and the shard may
   * have been read to its end by it.
   *
   * @param seen the row as it was read; undefined when there was none
   * @param streamCreatedAtMs of the stream as it is now: the position of an earlier one of its name is dropped
   */
  async claim(
    shardId: string,
    workerId: string,
    seen: ShardRow | undefined,
    streamCreatedAtMs: number,
  ): Promise<ShardRow | undefined> {
    const epoch = (seen?.epoch ?? 0) + 1;
    const set = sets({ owner: workerId, epoch, streamCreatedAtMs });
    const isOther = seen !== undefined && seen.streamCreatedAtMs !== streamCreatedAtMs;
    const written = await this.#client.update({
      Key: shardKey(shardId),
      UpdateExpression: `${set.UpdateExpression}${isOther ? ' REMOVE #position, subSequenceNumber' : ''}`,
      ConditionExpression: seen
        ? `#epoch = :seen AND ${seen.owner === undefined ? 'attribute_not_exists(#owner)' : '#owner = :seenOwner'}`
        : 'attribute_not_exists(pk)',
      ExpressionAttributeNames: {
        ...set.ExpressionAttributeNames,
        ...(isOther && { '#position': 'position' }),
      },
      ExpressionAttributeValues: {
        ...set.ExpressionAttributeValues,
        ...(seen && { ':seen': seen.epoch }),
        ...(seen?.owner !== undefined && { ':seenOwner': seen.owner }),
      },
    });
    return written && parseRows([written]).shards[0];
  }

  /** Saves how far a shard is processed. @returns false when it is not this worker's any more */
  async save(claim: ShardClaim, position: RecordPosition): Promise<boolean> {
    return (await this.#owned(claim, position, false)) !== undefined;
  }

  /** Gives a shard to nobody, and saves how far it is processed. @returns false when it is not this worker's any more */
  async release(claim: ShardClaim, position: RecordPosition | undefined): Promise<boolean> {
    return (await this.#owned(claim, position, true)) !== undefined;
  }

  /** Deletes the rows of a shard that does not exist any more, unless they have changed since they were read. */
  async removeShard({ shardId, epoch }: ShardRow): Promise<void> {
    if (!(await this.#client.delete(shardKey(shardId), { epoch }))) return;
    await this.#client.delete(seenKey(shardId), { pk: seenKey(shardId).pk });
  }

  /** @returns what `saveSeen` was given for the shard */
  async seen(shardId: string): Promise<string | undefined> {
    const item = await this.#client.get(seenKey(shardId));
    return typeof item?.['seen'] === 'string' ? item['seen'] : undefined;
  }

  async saveSeen(shardId: string, epoch: number, seen: string): Promise<void> {
    const set = sets({ seen, epoch });
    await this.#client.update({
      Key: seenKey(shardId),
      ...set,
      // A late owner must not put an older text over a newer one.
      ConditionExpression: 'attribute_not_exists(pk) OR #epoch <= :epoch',
    });
  }

  #owned(claim: ShardClaim, position: RecordPosition | undefined, isLast: boolean) {
    const { sequenceNumber, subSequenceNumber } = position ?? {};
    const fields = { position: sequenceNumber, subSequenceNumber };
    const defined = Object.entries(fields).filter(([, value]) => value !== undefined);
    const removed = [
      ...(isLast ? ['#owner'] : []),
      ...(position && subSequenceNumber === undefined ? ['subSequenceNumber'] : []),
    ];
    const set = sets(Object.fromEntries(defined));
    const update = [set.UpdateExpression, removed.length > 0 && `REMOVE ${removed.join(', ')}`];
    return this.#client.update({
      Key: shardKey(claim.shardId),
      UpdateExpression: update.filter(Boolean).join(' '),
      ConditionExpression: '#owner = :me AND #epoch = :epoch',
      ExpressionAttributeNames: {
        ...set.ExpressionAttributeNames,
        '#owner': 'owner',
        '#epoch': 'epoch',
      },
      ExpressionAttributeValues: {
        ...set.ExpressionAttributeValues,
        ':me': claim.workerId,
        ':epoch': claim.epoch,
      },
    });
  }
}

/** A SET of these attributes, each under an alias, because DynamoDB reserves many plain words. */
function sets(fields: Readonly<Record<string, unknown>>) {
  const keys = Object.keys(fields);
  return {
    UpdateExpression:
      keys.length === 0 ? '' : `SET ${keys.map((key) => `#${key} = :${key}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(keys.map((key) => [`#${key}`, key])),
    ExpressionAttributeValues: Object.fromEntries(keys.map((key) => [`:${key}`, fields[key]])),
  };
}
