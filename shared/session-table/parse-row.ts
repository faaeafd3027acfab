import * as v from 'valibot';
import { PRODUCTS } from '../../rtms/protocol/product.ts';
import { INPUT_LIMITS, isCount, isId, isStreamId } from '../input-limits.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { START_NOTICES } from '../record/event-data.ts';
import { RESTART_OUTCOMES } from './restart.ts';
import {
  ATTRIBUTE,
  type SessionRow,
  sessionKey,
  TASKS,
  type TaskRow,
  taskKey,
} from './session-row.ts';

/**
 * Reads rows of the session table. Other processes, other releases and people write them, so everything is checked. A row
 * that cannot be read is reported and left alone: a runner that failed over it would leave it to the next runner, which
 * would fail too.
 */

/** A row that cannot be read, as far as anything can be said of it. */
export interface UnreadableRow {
  readonly pk: string;
  /** Names of the attributes that cannot be read; never their values. */
  readonly unreadable: readonly string[];
  /** Owner and epoch, where they can be read: enough for an owner to see that the row is still its own. */
  readonly owner?: string;
  readonly epoch?: number;
}

/** The latest instant that a JavaScript date can hold: a later one cannot be written as the time of an event. */
const MAX_TIME_MS = 8.64e15;
/** Two less than 2^32: an epoch is an unsigned 32-bit number in every record, and the next claim raises it by one. */
const MAX_EPOCH = 2 ** 32 - 2;

/**
 * Options for every `DynamoDBDocumentClient` that reads the table. By default a number that JavaScript cannot hold makes
 * the whole answer fail, and with it all other rows of a query. With these options it stays a text, which the schema
 * refuses in that row alone.
 */
export const ROW_TRANSLATION = {
  unmarshallOptions: {
    wrapNumbers: (text: string): number | string => {
      const number = Number(text);
      return Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : text;
    },
  },
} as const;

const id = v.custom<string>((value) => isId(value));
const topic = v.pipe(v.string(), v.maxBytes(INPUT_LIMITS.nameBytes));
const count = v.custom<number>((value) => isCount(value));
const timeMs = v.custom<number>((value) => isCount(value, MAX_TIME_MS));
const epoch = v.custom<number>((value) => isCount(value, MAX_EPOCH));
const owner = v.custom<string>((value) => isId(value) && value !== TASKS);
const serverUrls = v.pipe(
  v.array(v.custom<string>((value) => isId(value, INPUT_LIMITS.serverUrlBytes))),
  v.maxLength(INPUT_LIMITS.serverUrls),
);

const restartReason = v.union([count, v.literal('lost')]);

const endedReason = v.union([count, v.picklist(['missed', 'refused', 'lost'])]);

const blindSince = v.object({
  epoch,
  atMs: timeMs,
  wroteUntilMs: v.optional(timeMs),
  endedReason: v.optional(endedReason),
});

const restart = v.object({
  sinceMs: timeMs,
  reason: restartReason,
  tries: count,
  nextAtMs: timeMs,
  acceptedAtMs: v.optional(timeMs),
  claimedBy: v.optional(id),
  claimedUntilMs: v.optional(timeMs),
  outcome: v.optional(v.picklist(RESTART_OUTCOMES)),
});

const continues = v.object({
  rtmsStreamId: v.custom<string>(isStreamId),
  reason: restartReason,
  tries: count,
  sinceMs: timeMs,
});

const missed = v.object({
  reason: id,
  atMs: timeMs,
  epoch,
  sequence: count,
  status: v.optional(count),
  stopReason: v.optional(count),
  restart: v.optional(v.picklist(['wanted', 'no_credentials', 'exhausted'])),
  ledger: v.array(
    v.object({
      mediaType: v.picklist(['transcript', 'chat', 'events']),
      received: count,
      written: count,
      lost: count,
    }),
  ),
});
const notice = v.object({
  event: v.picklist(Object.keys(START_NOTICES) as (keyof typeof START_NOTICES)[]),
  operatorId: v.optional(id),
  numbers: v.record(v.string(), v.custom<number>(Number.isSafeInteger)),
  raw: v.optional(v.pipe(v.string(), v.maxBytes(INPUT_LIMITS.noticeBytes))),
});

/** A row's fields under the names that they have in the table. */
type Stored<Row> = {
  [Field in keyof Row as Field extends keyof typeof ATTRIBUTE
    ? (typeof ATTRIBUTE)[Field]
    : Field]: Row[Field];
};

/** One entry for each field of the type, so that a field which is added there has to be added here. */
const SESSION_FIELDS = {
  pk: v.string(),
  rtmsStreamId: v.custom<string>(isStreamId),
  ttl: v.optional(timeMs),
  startEventTsMs: v.optional(timeMs),
  serverUrls: v.optional(serverUrls),
  product: v.optional(v.picklist(PRODUCTS)),
  entityId: v.optional(id),
  app: v.optional(id),
  accountId: v.optional(id),
  operatorId: v.optional(id),
  hostId: v.optional(id),
  meetingId: v.optional(id),
  webinarId: v.optional(id),
  topic: v.optional(topic),
  isOriginalHost: v.optional(v.boolean()),
  sessionKey: v.optional(id),
  requestedAtMs: v.optional(timeMs),
  stopEventTsMs: v.optional(timeMs),
  stopReason: v.optional(count),
  interruptEventTsMs: v.optional(timeMs),
  movedEventTsMs: v.optional(timeMs),
  movedServerUrls: v.optional(serverUrls),
  epoch: v.optional(epoch),
  owner: v.optional(owner),
  claimedAtMs: v.optional(timeMs),
  endedStartEventTsMs: v.optional(timeMs),
  endedReason: v.optional(endedReason),
  handedOverBy: v.optional(id),
  handedOverAtMs: v.optional(timeMs),
  endedAtMs: v.optional(timeMs),
  [ATTRIBUTE.operatorRequest]: v.optional(v.picklist(['stop', 'handover'])),
  proofs: v.optional(count),
  handedBack: v.optional(v.boolean()),
  connectedEpoch: v.optional(epoch),
  runEpoch: v.optional(epoch),
  runRequestedAtMs: v.optional(timeMs),
  blindSince: v.optional(blindSince),
  inPart: v.optional(v.literal(true)),
  missed: v.optional(missed),
  untold: v.optional(v.literal(true)),
  notice: v.optional(notice),
  strikes: v.optional(count),
  quarantinedUntilMs: v.optional(timeMs),
  restart: v.optional(restart),
  continues: v.optional(continues),
} satisfies Record<keyof Stored<SessionRow>, v.GenericSchema>;

const SESSION_ROW = v.object(SESSION_FIELDS);

/** Reads a session row. Attributes that this release does not know are left out, as a newer one may add some. */
export function parseSessionRow(
  item: Readonly<Record<string, unknown>>,
): SessionRow | UnreadableRow {
  const parsed = v.safeParse(SESSION_ROW, item, { abortPipeEarly: true });
  const isNamed = parsed.success && parsed.output.pk === sessionKey(parsed.output.rtmsStreamId);
  if (isNamed) {
    const { [ATTRIBUTE.operatorRequest]: operatorRequest, ...row } = parsed.output;
    return { ...row, ...(operatorRequest !== undefined && { operatorRequest }) } as SessionRow;
  }
  const fields = parsed.success
    ? ['rtmsStreamId']
    : parsed.issues.map(({ path }) => String(path?.[0].key ?? 'row'));
  return {
    pk: typeof item['pk'] === 'string' ? item['pk'] : '',
    unreadable: [...new Set(fields)].sort(),
    ...(v.is(owner, item['owner']) && { owner: item['owner'] }),
    ...(v.is(epoch, item['epoch']) && { epoch: item['epoch'] }),
  };
}

const slots = v.custom<number>((value) => typeof value === 'number' && value >= 0);

const TASK_FIELDS = {
  [ATTRIBUTE.slotsUsed]: slots,
  [ATTRIBUTE.slotsTotal]: slots,
  draining: v.boolean(),
  strained: v.optional(v.boolean()),
  revision: v.optional(id),
  renewedAtMs: v.optional(timeMs),
  aliveAtMs: v.optional(timeMs),
  startedAtMs: v.optional(timeMs),
  wroteUntilMs: v.optional(timeMs),
  ttl: v.optional(timeMs),
} as const;

/**
 * Reads a task row, whatever is in it: if a task with a spoilt row could not be seen to be dead, nobody would take its
 * sessions over. When something cannot be read, the row says that the task takes no sessions.
 *
 * @returns the row, and the names of the attributes that could not be read; no row when the key is not that of a task
 */
export function parseTaskRow(item: Readonly<Record<string, unknown>>): {
  readonly row?: TaskRow;
  readonly unreadable: readonly string[];
} {
  const { pk } = item;
  const taskId = typeof pk === 'string' ? pk.slice(taskKey('').length) : '';
  if (pk !== taskKey(taskId) || taskId === '') return { unreadable: ['pk'] };
  const parsed = v.safeParse(v.object(TASK_FIELDS), item);
  const { heartbeat } = item;
  // A counter too large for JavaScript still changes, as a text. One that is no number can never be raised, so the task
  // is dead for everybody.
  const isCounter = typeof heartbeat === 'number' || typeof heartbeat === 'string';
  const unreadable = parsed.success
    ? []
    : parsed.issues.map(({ path }) => String(path?.[0].key ?? 'row'));
  if (!isCounter) unreadable.push('heartbeat');
  const own = { pk, owner: TASKS, taskId, heartbeat: isCounter ? heartbeat : 0 } as const;
  if (!parsed.success) {
    return { row: { ...own, slotsUsed: 0, slotsTotal: 0, draining: true }, unreadable };
  }
  const {
    [ATTRIBUTE.slotsUsed]: slotsUsed,
    [ATTRIBUTE.slotsTotal]: slotsTotal,
    ...known
  } = parsed.output;
  return { row: { ...own, slotsUsed, slotsTotal, ...known } as TaskRow, unreadable };
}

export function isReadable(row: SessionRow | UnreadableRow): row is SessionRow {
  return !('unreadable' in row);
}

/** Most keys that are remembered, so that a table full of spoilt rows does not fill the memory. */
const MAX_LOGGED = 1_000;

/** Counts every read of an unreadable row, so that the alarm lasts as long as the row does; logs each key once. */
export class UnreadableRows {
  readonly #logged = new Set<string>();
  readonly #logger: Logger;
  readonly #metrics: Metrics;

  constructor(logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  report({ pk, unreadable }: Pick<UnreadableRow, 'pk' | 'unreadable'>): void {
    this.#metrics.count('UnreadableRows');
    if (this.#logged.has(pk)) return;
    if (this.#logged.size >= MAX_LOGGED) this.#logged.clear();
    this.#logged.add(pk);
    const fields = { event: 'row_unreadable', key: pk, fields: unreadable };
    this.#logger.error('a row of the session table cannot be read', fields);
  }
}
