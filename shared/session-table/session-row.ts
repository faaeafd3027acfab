import type { Product } from '../../rtms/protocol/product.ts';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import type { TakeoverCause } from '../record/session-causes.ts';
import { type StartFacts, startFactsOf } from '../zoom/start-facts.ts';
import type { BlindSince, EndedReason, MissedRegister, NoticeRegister } from './registers.ts';
import type { ContinuedStream, RestartRegister } from './restart.ts';

/**
 * The DynamoDB session table: what Zoom wants of each stream, and which runner serves it. One table, two kinds of rows,
 * one index. Rows are read by `parse-row.ts` and written by the builders of `webhook-writes.ts`, `runner-writes.ts`, `end-writes.ts`, `restart-writes.ts`,
 * `task-writes.ts` and `operator-writes.ts`, each under a condition of `conditions.ts`.
 *
 * | row | `pk` | `owner` (partition key of the owner index) |
 * |---|---|---|
 * | session | `SESSION#<rtms_stream_id>` | task id; `UNOWNED` while nobody serves it; `RESTARTS` while it has ended and Zoom may be asked for it again; absent when ended |
 * | task | `TASK#<task id>` | `TASKS`, so that one query lists the heartbeats |
 *
 * The webhook writes four registers (start, stop, interrupt, move), each the newest event of its kind by
 * Zoom's `event_ts`; what Zoom wants is read from all of them, so delivery order does not matter.
 */
export const OWNER_INDEX = 'owner-index';
export const UNOWNED = 'UNOWNED';
export const TASKS = 'TASKS';
/** Owner of the rows whose `restart` register the runners look at (restart.ts). */
export const RESTARTS = 'RESTARTS';

/**
 * Attributes whose name in the table is not the one of the field here. The table keeps the first name: during a
 * deployment, runners of the old and the new release read the same rows.
 */
export const ATTRIBUTE = {
  operatorRequest: 'operatorWish',
  slotsUsed: 'costUsed',
  slotsTotal: 'costTotal',
} as const;

export const sessionKey = (rtmsStreamId: string) => `SESSION#${rtmsStreamId}` as const;
export const taskKey = (taskId: string) => `TASK#${taskId}` as const;

/** Register of the newest `*.rtms_started`, and the identity it gave the stream. */
export interface StartRegister extends StartFacts {
  readonly startEventTsMs: number;
  /** Signaling addresses, allow-listed, in Zoom's order. */
  readonly serverUrls: readonly string[];
  readonly product: Product;
  readonly entityId: string;
  /** Zoom app (credential set) whose webhook delivered it; `default` unless `/webhook/{app}` was used. */
  readonly app: string;
  /** The webhook function's clock when it accepted the event, Unix ms. */
  readonly requestedAtMs: number;
}

export interface StopRegister {
  readonly stopEventTsMs: number;
  readonly stopReason: number;
}

export interface InterruptRegister {
  readonly interruptEventTsMs: number;
}

/**
 * The newest interruption that named addresses. It is a register of its own, because a later interruption without
 * addresses does not take them away: Zoom then means the last ones that it has named.
 */
export interface MoveRegister {
  readonly movedEventTsMs: number;
  /** Signaling addresses, allow-listed, in Zoom's order. */
  readonly movedServerUrls: readonly string[];
}

/** What the owning runner writes. */
export interface Ownership {
  /** Raised by one at every claim, never lowered; 0 or absent = never claimed. */
  readonly epoch?: number;
  readonly owner?: string;
  readonly claimedAtMs?: number;
  /** `startEventTsMs` of the run that a runner brought to its end; a newer start is a new run. */
  readonly endedStartEventTsMs?: number;
  readonly endedReason?: EndedReason;
  /** The task that gave the stream away; removed by the next claim. */
  readonly handedOverBy?: string;
  /** When that task began to close its sockets, Unix ms. What Zoom does not keep is lost from then on. */
  readonly handedOverAtMs?: number;
  /** When the owner began to leave the run that `endedReason` belongs to, Unix ms. */
  readonly endedAtMs?: number;
  /** Asked for by an operator: the owner ends the stream (`stop`) or gives it to another runner (`handover`). */
  readonly operatorRequest?: 'stop' | 'handover';
  /** Raised when an owner proves, after an outage, that the row is still its own: this voids what others have read. */
  readonly proofs?: number;
  /** The owner before was given the stream and could not connect. This one does not give it back once more. */
  readonly handedBack?: boolean;
  /** The last epoch whose owner has said that media flows. */
  readonly connectedEpoch?: number;
  /**
   * The epoch in which the newest run was claimed first. Together with `connectedEpoch` it says whether media has flowed
   * in that run. Absent where an older release claimed it.
   */
  readonly runEpoch?: number;
  /** `requestedAtMs` as the newest run was claimed first: Zoom announces a stream again when it moves it. Absent as `runEpoch` is. */
  readonly runRequestedAtMs?: number;
  /** Set while the records do not say yet since when nobody received the stream. */
  readonly blindSince?: BlindSince;
  /** An earlier owner of the run has lost something of it. */
  readonly inPart?: true;
  /** Why the run that ended last was never recorded, and all that its event says. */
  readonly missed?: MissedRegister;
  /** The events that `missed` and `notice` ask for are not known to be in the records yet. */
  readonly untold?: true;
  /** How many owners in a row this stream has ended, by a defect or by a death just after the claim. */
  readonly strikes?: number;
  /** Nobody claims the stream before this, Unix ms, because it has ended too many owners. */
  readonly quarantinedUntilMs?: number;
  /** Written with the end of a run that Zoom ended for a technical reason; cleared by the next claim. */
  readonly restart?: RestartRegister;
  /** The stream of the same meeting that ended before this one began. */
  readonly continues?: ContinuedStream;
}

export interface SessionRow
  extends Partial<StartRegister>,
    Partial<StopRegister>,
    Partial<InterruptRegister>,
    Partial<MoveRegister>,
    Ownership {
  readonly pk: string;
  readonly rtmsStreamId: string;
  readonly notice?: NoticeRegister;
  /** DynamoDB time to live, Unix seconds. */
  readonly ttl?: number;
}

export interface TaskRow {
  readonly pk: string;
  readonly owner: typeof TASKS;
  readonly taskId: string;
  /** Raised at every renewal; observers judge a task by when they last saw it change. A text when it is too large for a number. */
  readonly heartbeat: number | string;
  /**
   * The task's own clock at its last renewal with a lease that had not lapsed, while every stream of its was received or its row said
   * since when not, Unix ms: until then it received its streams. To be shown; never to judge who is alive.
   */
  readonly renewedAtMs?: number;
  /** The same clock at its last renewal, whatever the task received: until then its process lived. */
  readonly aliveAtMs?: number;
  /** When its process began, by the same clock, Unix ms: of what was claimed before, it has nothing. */
  readonly startedAtMs?: number;
  /**
   * Everything that the task had received until then was written at its last renewal, or told as lost, Unix ms by its own clock. Absent
   * from a task of an older release.
   */
  readonly wroteUntilMs?: number;
  /** Slots that its sessions weigh; more than `slotsTotal` in an emergency. */
  readonly slotsUsed: number;
  readonly slotsTotal: number;
  /** The task takes no more sessions, whatever its slots say. */
  readonly draining: boolean;
  /** Its memory or event loop is over its limit: it refuses sessions until that has passed. */
  readonly strained?: boolean;
  /** The deployment of the service that started it, as ECS names it; absent outside ECS. */
  readonly revision?: string;
  readonly ttl?: number;
}

/** One write to one row: what DynamoDB's UpdateItem takes, but for the name of the table. */
export interface RowWrite {
  readonly Key: { readonly pk: string };
  readonly UpdateExpression: string;
  /** One of `conditions.ts`; a write without one always happens. */
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues: Record<string, unknown>;
}

/** The fields of a conditional DeleteItem. */
export type RowDeletion = Omit<RowWrite, 'UpdateExpression' | 'ExpressionAttributeNames'>;

/** Rows of ended sessions and silent tasks stay this long, so that late duplicates find them. */
const KEEP_SECONDS = 7 * 24 * 3600;

/** @returns when DynamoDB may delete such a row, Unix seconds */
export function expiresAt(nowMs: number): number {
  return Math.floor(nowMs / 1000) + KEEP_SECONDS;
}

export type Wanted =
  | { readonly state: 'started'; readonly start: StartRegister; readonly interruptedAtMs?: number }
  | { readonly state: 'stopped'; readonly stopReason: number }
  | { readonly state: 'nothing' };

/**
 * What Zoom wants of the stream now. The newest event wins; at the same instant a stop beats an interruption, and an
 * interruption a start. An interrupted stream is still wanted (its owner reconnects). Only a newer start revives a
 * stopped one.
 */
export function wantedState(row: SessionRow): Wanted {
  const start = startOf(row);
  const startMs = start?.startEventTsMs ?? Number.NEGATIVE_INFINITY;
  const interruptMs = row.interruptEventTsMs ?? Number.NEGATIVE_INFINITY;
  if (row.stopEventTsMs !== undefined && row.stopEventTsMs >= startMs) {
    return { state: 'stopped', stopReason: row.stopReason ?? 0 };
  }
  if (start === undefined) return { state: 'nothing' };
  if (row.endedStartEventTsMs !== undefined && row.endedStartEventTsMs >= startMs)
    return { state: 'nothing' };
  return interruptMs >= startMs
    ? { state: 'started', start, interruptedAtMs: interruptMs }
    : { state: 'started', start };
}

/** Does no task own the row? */
export function isUnowned({ owner }: Pick<SessionRow, 'owner'>): boolean {
  return owner === undefined || owner === UNOWNED || owner === RESTARTS;
}

/** The start register of a row, with the addresses of a later interruption; undefined when no start has arrived. */
export function startOf(row: SessionRow): StartRegister | undefined {
  const { startEventTsMs, serverUrls, product, entityId, app, requestedAtMs } = row;
  if (
    startEventTsMs === undefined ||
    serverUrls === undefined ||
    product === undefined ||
    entityId === undefined ||
    requestedAtMs === undefined
  ) {
    return undefined;
  }
  return {
    startEventTsMs,
    serverUrls: movedTo(row, startEventTsMs) ?? serverUrls,
    product,
    entityId,
    app: app ?? 'default',
    requestedAtMs,
    ...startFactsOf(row),
  };
}

function movedTo(row: SessionRow, startEventTsMs: number): readonly string[] | undefined {
  const { movedServerUrls, movedEventTsMs = 0 } = row;
  return movedEventTsMs >= startEventTsMs ? movedServerUrls : undefined;
}

/**
 * Has media flowed in the newest run that was claimed? Rows of an older release do not say; there it is taken to have
 * flowed, so that no recorded stream is called missed.
 */
export function hasFlowed({ epoch = 0, runEpoch, connectedEpoch = 0 }: SessionRow): boolean {
  return epoch > 0 && (runEpoch === undefined || connectedEpoch >= runEpoch);
}

/**
 * May media of an earlier epoch be in the records, whatever run it was of? An owner that died may have written some before
 * it came to say that media flows. A revocation of such a stream is never only a missed one: whoever has stored media
 * must be told to delete it.
 *
 * @param cause why there is another epoch
 */
export function mayHaveRecords(
  { connectedEpoch = 0 }: SessionRow,
  cause: TakeoverCause | undefined,
): boolean {
  return connectedEpoch > 0 || cause === 'owner_lost';
}

/** Would a claim of the row begin a new run, and not go on with one that had an owner? */
export function isNewRun(row: SessionRow): boolean {
  const { epoch = 0, endedReason } = row;
  return epoch === 0 || (endedReason !== undefined && !isRevocationUntold(row));
}

/**
 * Has Zoom revoked a stream after its last epoch had ended? Then one more epoch has to say so in the records, to whoever
 * has stored the media.
 */
export function isRevocationUntold(row: SessionRow): boolean {
  const { epoch = 0, endedReason, stopReason, runEpoch, connectedEpoch = 0 } = row;
  return (
    epoch > 0 &&
    // Of a stream that was only ever missed nobody has stored anything.
    (runEpoch === undefined || connectedEpoch > 0) &&
    endedReason !== undefined &&
    endedReason !== STOP_REASON.STREAM_REVOKED &&
    stopReason === STOP_REASON.STREAM_REVOKED &&
    wantedState(row).state === 'stopped'
  );
}
