import { START_FACTS } from '../zoom/start-facts.ts';
import { NEW_ROW, NOBODYS, NOT_OF_ANOTHER_APP, newerThanRegister } from './conditions.ts';
import type { MissedRegister, NoticeRegister } from './registers.ts';
import {
  type InterruptRegister,
  type MoveRegister,
  type RowWrite,
  type StartRegister,
  type StopRegister,
  sessionKey,
  UNOWNED,
} from './session-row.ts';

/** One of Zoom's events, as the register of a session row that it belongs into. */
export type RegisterUpdate = {
  readonly rtmsStreamId: string;
  /** The Zoom app whose webhook delivered it. */
  readonly app: string;
  /** When DynamoDB may delete the row, Unix seconds. */
  readonly ttl: number;
} & (
  | {
      readonly register: 'start';
      readonly value: StartRegister;
      readonly digest: string;
      /** The start has no address that may be used. It counts only while nobody serves the stream or waits to. */
      readonly isRefused?: true;
    }
  | { readonly register: 'stop'; readonly value: StopRegister }
  | { readonly register: 'interrupt'; readonly value: InterruptRegister }
  | { readonly register: 'move'; readonly value: MoveRegister; readonly digest: string }
);

interface RegisterRule {
  readonly timestamp: string;
  /** Orders two contents of the same instant. */
  readonly tieBreak?: string;
  /** Attributes that an update without them takes away: they described the event before. */
  readonly optional?: readonly string[];
}

const RULES: Readonly<Record<RegisterUpdate['register'], RegisterRule>> = {
  start: { timestamp: 'startEventTsMs', tieBreak: 'startDigest', optional: START_FACTS },
  stop: { timestamp: 'stopEventTsMs', tieBreak: 'stopReason' },
  interrupt: { timestamp: 'interruptEventTsMs' },
  move: { timestamp: 'movedEventTsMs', tieBreak: 'movedDigest' },
};

/**
 * Writes one register, if the event is the newest of its kind. A start also offers the stream to the runners, unless
 * one of them owns it.
 *
 * Conditions: `NOT_OF_ANOTHER_APP` and `newerThanRegister`.
 */
export function writeRegister(update: RegisterUpdate): RowWrite {
  const { timestamp, tieBreak, optional = [] } = RULES[update.register];
  const fields: Record<string, unknown> = {
    ...update.value,
    ...('digest' in update && tieBreak !== undefined && { [tieBreak]: update.digest }),
    rtmsStreamId: update.rtmsStreamId,
    app: update.app,
    ttl: update.ttl,
  };
  const names = Object.keys(fields);
  const removed = optional.filter((name) => !(name in fields));
  const sets = names.map((name) => `#${name} = :${name}`);
  const values = Object.fromEntries(names.map((name) => [`:${name}`, fields[name]]));
  if (update.register === 'start') {
    sets.push('#owner = if_not_exists(#owner, :unowned)');
    values[':unowned'] = UNOWNED;
    names.push('owner');
  }
  const isRefused = 'isRefused' in update && update.isRefused;
  return {
    Key: { pk: sessionKey(update.rtmsStreamId) },
    UpdateExpression:
      `SET ${sets.join(', ')}` +
      (removed.length > 0 ? ` REMOVE ${removed.map((name) => `#${name}`).join(', ')}` : ''),
    ConditionExpression: `${NOT_OF_ANOTHER_APP} AND ${newerThanRegister(timestamp, tieBreak)}${isRefused ? ` AND ${NOBODYS}` : ''}`,
    ExpressionAttributeNames: Object.fromEntries(
      [...names, ...removed].map((name) => [`#${name}`, name]),
    ),
    ExpressionAttributeValues: values,
  };
}

/** What Zoom says of a start that brought no stream, as a row of its own. */
export interface StartNoticeRow
  extends Pick<
    StartRegister,
    'startEventTsMs' | 'product' | 'entityId' | 'app' | 'requestedAtMs' | 'meetingId'
  > {
  /** Made of the event, so that a repeated delivery names the same row. */
  readonly rtmsStreamId: string;
  /** Absent where Zoom said nothing, and its list of live meetings did. */
  readonly notice?: NoticeRegister;
  /** Absent where the event does not say that a stream was wanted and did not come. */
  readonly missed?: MissedRegister;
  readonly ttl: number;
}

/**
 * Makes the row of a notice, once. It has ended before it began, so that no runner connects for it; its events are told
 * by whoever finds it. Condition: `NEW_ROW`.
 */
export function writeStartNotice(row: StartNoticeRow): RowWrite {
  const fields: Record<string, unknown> = {
    ...row,
    serverUrls: [],
    endedStartEventTsMs: row.startEventTsMs,
    endedReason: 'missed',
    owner: UNOWNED,
    untold: true,
  };
  const names = Object.keys(fields);
  return {
    Key: { pk: sessionKey(row.rtmsStreamId) },
    UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
    ConditionExpression: NEW_ROW,
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(names.map((name) => [`:${name}`, fields[name]])),
  };
}
