import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { TableClient, type TableItem } from '../../sdk/consumer/group/table-client.ts';

/**
 * What the workers of an archive tell each other of the sessions that are not finalised, and how far each shard is in S3.
 *
 * | pk | sk | |
 * |---|---|---|
 * | `open` | `<rtms_stream_id>` | a session of which something was written and that is not finalised, or is revoked |
 * | `progress` | `<media or events>#<shardId>` | everything that arrived until `throughMs` is in S3 |
 *
 * A row of a session is deleted when it is finalised: what is known from then on stands in S3.
 */

/** A session that is not finalised yet. Times are Unix ms by the clocks of the archivers. */
export interface OpenRow {
  readonly rtmsStreamId: string;
  /** Grows with everything that becomes of the session: a row that was deleted meanwhile begins at 1. */
  readonly touches: number;
  readonly activeAtMs: number;
  readonly endedAtMs?: number;
  readonly revokedAtMs?: number;
  readonly eventId?: string;
  /** How often all of a revoked session was deleted, and when last. */
  readonly sweeps: number;
  readonly sweptAtMs?: number;
  /** It was finalised before, and something came later. */
  readonly isLate: boolean;
  /** Raised by whoever finalises it, every few seconds. */
  readonly beat: number;
}

export type StreamKind = 'media' | 'events';

const OPEN_PK = 'open';
const PROGRESS_PK = 'progress';
const openKey = (rtmsStreamId: string) => ({ pk: OPEN_PK, sk: rtmsStreamId });

/** All methods throw ServiceError `group/table-failed` (may pass) or `group/table-refused`. */
export class ArchiveRows {
  readonly #client: TableClient;

  private constructor(client: TableClient) {
    this.#client = client;
  }

  /** @param config of DynamoDB. @default that of the environment */
  static async open(table: string, config: DynamoDBClientConfig = {}): Promise<ArchiveRows> {
    return new ArchiveRows(await TableClient.open(table, config));
  }

  close(): void {
    this.#client.close();
  }

  /** Strongly consistent. */
  async all(): Promise<OpenRow[]> {
    return (await this.#client.query(OPEN_PK)).map(parseRow);
  }

  /** Says that something of the session was written. @returns the row, which tells whether it was revoked meanwhile */
  touch(rtmsStreamId: string): Promise<OpenRow> {
    return this.#set(rtmsStreamId, { activeAtMs: Date.now() });
  }

  ended(rtmsStreamId: string): Promise<OpenRow> {
    return this.#set(rtmsStreamId, { endedAtMs: Date.now() });
  }

  /** From now on nothing of the session stays in S3. */
  revoked(rtmsStreamId: string, eventId: string | undefined): Promise<OpenRow> {
    return this.#set(rtmsStreamId, {
      revokedAtMs: Date.now(),
      ...(eventId !== undefined && { eventId }),
    });
  }

  late(rtmsStreamId: string): Promise<OpenRow> {
    return this.#set(rtmsStreamId, { isLate: true });
  }

  async swept({ rtmsStreamId, sweeps }: OpenRow): Promise<OpenRow> {
    return this.#set(rtmsStreamId, { sweeps: sweeps + 1, sweptAtMs: Date.now() });
  }

  /** Raises the beat. @returns false when somebody else has raised it: only one of several workers goes on */
  async claim({ rtmsStreamId, beat }: OpenRow): Promise<boolean> {
    const written = await this.#client.update({
      Key: openKey(rtmsStreamId),
      UpdateExpression: 'SET #beat = :next',
      ConditionExpression:
        beat === 0 ? 'attribute_exists(pk) AND attribute_not_exists(#beat)' : '#beat = :seen',
      ExpressionAttributeNames: { '#beat': 'beat' },
      ExpressionAttributeValues: { ':next': beat + 1, ...(beat > 0 && { ':seen': beat }) },
    });
    return written !== undefined;
  }

  /** Lets others do what is due next, if anything is. Harmless for a row that is gone: see the condition. */
  async unclaim(rtmsStreamId: string): Promise<void> {
    await this.#client.update({
      Key: openKey(rtmsStreamId),
      UpdateExpression: 'REMOVE #beat',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#beat': 'beat' },
    });
  }

  /** Deletes the row of a session that is finalised. @returns false when anything became of it since it was read */
  remove({ rtmsStreamId, touches }: OpenRow): Promise<boolean> {
    return this.#client.delete(openKey(rtmsStreamId), { touches });
  }

  /** Says how far shards are in S3. A worker has up to some hundred of them: so many calls would cost as much as reading them. */
  async saveProgress(
    shards: readonly (readonly [kind: StreamKind, shardId: string, throughMs: number])[],
  ): Promise<void> {
    await this.#client.putAll(
      shards.map(([kind, shardId, throughMs]) => ({
        pk: PROGRESS_PK,
        sk: `${kind}#${shardId}`,
        throughMs,
      })),
    );
  }

  /** How far each shard is in S3, by `<kind>#<shardId>`. */
  async progress(): Promise<ReadonlyMap<string, number>> {
    const items = await this.#client.query(PROGRESS_PK);
    return new Map(items.map((item) => [String(item['sk']), Number(item['throughMs'])]));
  }

  async #set(rtmsStreamId: string, fields: Readonly<Record<string, unknown>>): Promise<OpenRow> {
    const names = Object.keys(fields);
    const written = await this.#client.update({
      Key: openKey(rtmsStreamId),
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')} ADD touches :touched`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ...Object.fromEntries(names.map((name) => [`:${name}`, fields[name]])),
        ':touched': 1,
      },
    });
    return parseRow(written ?? {});
  }
}

/** The objects of a minute are written within about this time: one for each source, and the events. */
const TOGETHER_MS = 500;

/**
 * Says in the table that something of a session was written, once for all objects that were written at about the same time. Each
 * object needs a call that is made after its own write: only that tells whether the consent was taken back meanwhile.
 */
export class SessionTouches {
  readonly #rows: Pick<ArchiveRows, 'touch'>;
  /** Calls that are not made yet. */
  readonly #due = new Map<string, Promise<OpenRow>>();

  constructor(rows: Pick<ArchiveRows, 'touch'>) {
    this.#rows = rows;
  }

  /** To be called after a write. @returns the row as it was after this call */
  touch(rtmsStreamId: string): Promise<OpenRow> {
    const due = this.#due.get(rtmsStreamId) ?? this.#later(rtmsStreamId);
    this.#due.set(rtmsStreamId, due);
    return due;
  }

  async #later(rtmsStreamId: string): Promise<OpenRow> {
    await sleep(TOGETHER_MS);
    // Whoever comes now has written after this call was made.
    this.#due.delete(rtmsStreamId);
    return this.#rows.touch(rtmsStreamId);
  }
}

function parseRow(item: TableItem): OpenRow {
  const number = (name: string) => (typeof item[name] === 'number' ? item[name] : undefined);
  const [endedAtMs, revokedAtMs, sweptAtMs] = ['endedAtMs', 'revokedAtMs', 'sweptAtMs'].map(number);
  return {
    rtmsStreamId: String(item['sk']),
    touches: number('touches') ?? 0,
    activeAtMs: number('activeAtMs') ?? endedAtMs ?? revokedAtMs ?? 0,
    ...(endedAtMs !== undefined && { endedAtMs }),
    ...(revokedAtMs !== undefined && { revokedAtMs }),
    ...(typeof item['eventId'] === 'string' && { eventId: item['eventId'] }),
    sweeps: number('sweeps') ?? 0,
    ...(sweptAtMs !== undefined && { sweptAtMs }),
    isLate: item['isLate'] === true,
    beat: number('beat') ?? 0,
  };
}
