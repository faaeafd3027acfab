import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import {
  type EndedRun,
  writeEnd,
  writeMissed,
  writeMissedByOwner,
  writeTold,
} from '../../shared/session-table/end-writes.ts';
import { writeAskBack } from '../../shared/session-table/operator-writes.ts';
import {
  isReadable,
  parseSessionRow,
  parseTaskRow,
  type UnreadableRow,
} from '../../shared/session-table/parse-row.ts';
import type { MissedRegister } from '../../shared/session-table/registers.ts';
import type { RestartRegister } from '../../shared/session-table/restart.ts';
import {
  type Claim,
  type LeftOpen,
  type MoreOfClaim,
  type Penalty,
  writeClaim,
  writeConnected,
  writeLeaving,
  writeLeftOpen,
  writeOffered,
  writeProof,
  writeQuarantine,
  writeRelease,
  writeTookOver,
} from '../../shared/session-table/runner-writes.ts';
import {
  isRevocationUntold,
  type RowWrite,
  type SessionRow,
  sessionKey,
  TASKS,
  type TaskRow,
  taskKey,
} from '../../shared/session-table/session-row.ts';
import {
  deleteTask,
  type TaskReport,
  writeHeartbeat,
} from '../../shared/session-table/task-writes.ts';
import { type Item, TableCalls } from './table-calls.ts';

type ReleaseOptions = Omit<Parameters<typeof writeRelease>[2], 'keepsRequest'>;

type OnUnreadable = (row: Pick<UnreadableRow, 'pk' | 'unreadable'>) => void;

/**
 * The session table as runners use it: every write is conditional on what the writer has seen.
 *
 * Every method rejects with the ServiceError of `TableCalls` when the call fails; a condition that does not hold is an
 * answer.
 */
export class SessionStore {
  readonly #calls: TableCalls;
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
    this.#calls = new TableCalls(client, table);
    this.#onUnreadable = onUnreadable;
  }

  /** Strongly consistent. */
  async read(rtmsStreamId: string): Promise<SessionRow | UnreadableRow | undefined> {
    const item = await this.#calls.get(sessionKey(rtmsStreamId));
    return item && this.#parsed(item);
  }

  /** As `read`, but undefined also for a row that cannot be read. */
  async session(rtmsStreamId: string): Promise<SessionRow | undefined> {
    const row = await this.read(rtmsStreamId);
    return row !== undefined && isReadable(row) ? row : undefined;
  }

  /** Strongly consistent. */
  async task(taskId: string): Promise<TaskRow | undefined> {
    const item = await this.#calls.get(taskKey(taskId));
    return item && this.#parsedTask(item)[0];
  }

  /** Readable rows of one owner by the index: eventually consistent, so a row may be missing or old. */
  async sessionsOf(owner: string): Promise<SessionRow[]> {
    const items = await this.#calls.query(owner);
    return items.map((item) => this.#parsed(item)).filter(isReadable);
  }

  /** See `TableCalls.entityIds`. */
  entityIds(): Promise<ReadonlySet<string>> {
    return this.#calls.entityIds();
  }

  /** All heartbeats, by the index: eventually consistent. */
  async tasks(): Promise<TaskRow[]> {
    const items = await this.#calls.query(TASKS);
    return items.flatMap((item) => this.#parsedTask(item));
  }

  /**
   * Raises this task's heartbeat; aborted, it may have been raised all the same.
   *
   * @param signal the only limit of time: an answer that the client's own timeout would cut off counts
   * @returns the heartbeat as it is now
   */
  async renew(
    task: TaskReport,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<TaskRow['heartbeat'] | undefined> {
    const options = { abortSignal: signal, requestTimeout: 0 };
    const item = await this.#calls.update(writeHeartbeat(task, nowMs), options);
    return item && this.#parsedTask(item)[0]?.heartbeat;
  }

  /** Deletes a task's row, unless its heartbeat has moved on since it was read. */
  async deleteTask(seen: Pick<TaskRow, 'taskId' | 'heartbeat'>): Promise<void> {
    await this.#calls.delete(deleteTask(seen));
  }

  /**
   * Takes a row for a task and raises its epoch.
   *
   * @param strikes how many owners in a row the stream has ended so far
   * @param more as `writeClaim` takes it
   * @returns the row as it is now; undefined when somebody was faster
   */
  async claim(
    seen: SessionRow,
    taskId: string,
    nowMs: number,
    strikes = 0,
    more: MoreOfClaim = {},
  ): Promise<SessionRow | undefined> {
    // A row that was spoilt between the read and the claim is now this task's, and is not served.
    return this.update(writeClaim(seen, taskId, nowMs, strikes, more));
  }

  /** @returns whether the write's condition held */
  async tryWrite(write: RowWrite): Promise<boolean> {
    return (await this.#calls.update(write)) !== undefined;
  }

  /** @returns the row after it; undefined when its condition did not hold, or the row cannot be read */
  async update(write: RowWrite): Promise<SessionRow | undefined> {
    return this.#readable(await this.#calls.update(write));
  }

  /** @returns false when the row is another's, or nobody's */
  async prove(claim: Claim): Promise<boolean> {
    return (await this.#calls.update(writeProof(claim))) !== undefined;
  }

  /** Says that media flows, to whoever gave the stream away. */
  async connected(claim: Claim): Promise<void> {
    await this.#calls.update(writeConnected(claim));
  }

  /** Says that the records tell of the change of owner before. */
  async tookOver(claim: Claim): Promise<void> {
    await this.#calls.update(writeTookOver(claim));
  }

  /** Says since when the owner does not receive the stream any more. */
  async leaving(claim: Claim, since: Parameters<typeof writeLeaving>[1]): Promise<void> {
    await this.#calls.update(writeLeaving(claim, since));
  }

  /** Asks another owner to give a stream away, as an operator would. */
  async askBack(seen: SessionRow): Promise<void> {
    await this.#calls.update(writeAskBack(seen));
  }

  /** Gives a row away, as `writeRelease` has it. @returns false when it was no longer this task's to give */
  async release(claim: Claim, atMs: number, how: ReleaseOptions = {}): Promise<boolean> {
    return this.#give((keepsRequest) => writeRelease(claim, atMs, { ...how, keepsRequest }));
  }

  /** As `release`, of a row whose epoch has no last event in Kinesis: its next owner takes this one as lost. */
  async leaveOpen(claim: Claim, how: Omit<LeftOpen, 'keepsRequest'>): Promise<boolean> {
    return this.#give((keepsRequest) => writeLeftOpen(claim, { ...how, keepsRequest }));
  }

  /** A stop that an operator has asked for meanwhile stays in the row: its condition refuses the first write then. */
  async #give(write: (keepsRequest: boolean) => RowWrite): Promise<boolean> {
    if ((await this.#calls.update(write(false))) !== undefined) return true;
    return (await this.#calls.update(write(true))) !== undefined;
  }

  /** Offers a row that this task owns and cannot serve. @returns false when it has changed since it was read */
  async offer(seen: SessionRow): Promise<boolean> {
    return (await this.#calls.update(writeOffered(seen))) !== undefined;
  }

  /** Takes a row from a dead owner and gives it to nobody. @returns false when it has changed since it was read */
  async quarantine(seen: SessionRow, penalty: Penalty): Promise<boolean> {
    return (await this.#calls.update(writeQuarantine(seen, penalty))) !== undefined;
  }

  /**
   * Marks the served run as ended.
   *
   * @returns `asking`: Zoom may be asked for the stream again; `restarted`: Zoom has started a newer run, and the row was offered for it; `revoked`: Zoom has revoked the
   *   stream, and one more epoch has to say so; `not_owner`: nothing was written
   */
  async end(
    claim: Claim,
    run: EndedRun,
    nowMs: number,
  ): Promise<'ended' | 'asking' | 'restarted' | 'revoked' | 'not_owner'> {
    const { ask, rest, again } = writeEnd(claim, run, nowMs);
    const asking = ask && (await this.#calls.update(ask));
    const ended = asking ?? (await this.#calls.update(rest));
    if (ended !== undefined) {
      const row = this.#parsed(ended);
      if (isReadable(row) && isRevocationUntold(row)) return 'revoked';
      return asking === undefined ? 'ended' : 'asking';
    }
    return (await this.#calls.update(again)) === undefined ? 'not_owner' : 'restarted';
  }

  /**
   * Says that a run ends without ever having been recorded, of a row that nobody serves.
   *
   * @param restart what is wanted of Zoom, unless an operator has asked for a stop
   * @returns the row, this task's until its event is written; undefined when it has changed since it was read
   */
  async miss(
    seen: SessionRow,
    missed: MissedRegister,
    taskId: string,
    nowMs: number,
    restart?: RestartRegister,
  ): Promise<SessionRow | undefined> {
    return this.#miss((wanted) => writeMissed(seen, missed, taskId, nowMs, wanted), restart);
  }

  /** The same of a row that is served. @returns undefined when it is not this task's any more */
  async missServed(
    claim: Claim,
    missed: MissedRegister,
    startEventTsMs: number,
    nowMs: number,
    restart?: RestartRegister,
  ): Promise<SessionRow | undefined> {
    return this.#miss(
      (wanted) => writeMissedByOwner(claim, missed, startEventTsMs, nowMs, wanted),
      restart,
    );
  }

  /** Writes what is wanted of Zoom too, unless an operator has asked for a stop: that write's condition refuses it then. */
  async #miss(
    write: (restart?: RestartRegister) => RowWrite,
    restart: RestartRegister | undefined,
  ): Promise<SessionRow | undefined> {
    const asked = restart && (await this.#calls.update(write(restart)));
    return this.#readable(asked ?? (await this.#calls.update(write())));
  }

  /**
   * Says that what a row asked for is in the records.
   *
   * @returns `restarted`: Zoom has started a newer run, and the row was offered for it; `changed`: nothing was written
   */
  async told(seen: SessionRow): Promise<'told' | 'restarted' | 'changed'> {
    const { rest, again } = writeTold(seen);
    if ((await this.#calls.update(rest)) !== undefined) return 'told';
    return (await this.#calls.update(again)) === undefined ? 'changed' : 'restarted';
  }

  #readable(item: Item | undefined): SessionRow | undefined {
    const row = item && this.#parsed(item);
    return row !== undefined && isReadable(row) ? row : undefined;
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
}
