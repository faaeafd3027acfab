import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { Packing } from '../../shared/packing.ts';
import type { SessionRow, TaskRow } from '../../shared/session-table/session-row.ts';
import { sleep } from '../task/loop.ts';
import { judgeMove } from './move-rules.ts';
import type { SessionStore } from './store.ts';

/** How often the row of a session is read while the session moves. */
const LOOK_MS = 250;

/** A session on this task, as far as moving it is concerned. */
export interface Movable {
  readonly rtmsStreamId: string;
  readonly epoch: number;
}

/** The sessions of this task, as far as moving them is concerned. */
export interface MovableSessions {
  /** A session that another task may have; undefined for none. */
  nextToMove(): Movable | undefined;
  /** A session that another task may have in quiet hours; undefined for none. */
  nextToPack(which: Packing['sessions']): Movable | undefined;
  /** Gives a session to another task. @returns when its row can be claimed */
  giveAway(session: Movable, cause: 'revision' | 'packing' | 'caught'): Promise<void>;
  /** Claims a session that was given away and that nobody serves. */
  takeBack(row: SessionRow): Promise<unknown>;
  readonly isDraining: boolean;
}

/**
 * A session that moves has closed its sockets, and its row is free only when Kinesis has everything. With records that
 * have waited this long already, that could take longer than the 60 s for which Zoom keeps audio.
 */
const MOVE_BACKLOG_MS = 3_000;

/** May a session move now? @param oldestAgeMs how long the oldest record has waited for Kinesis */
export function mayMove(oldestAgeMs: number): boolean {
  return oldestAgeMs < MOVE_BACKLOG_MS;
}

/** What everything that moves sessions away from this task works with. */
export interface MoverParts {
  readonly taskId: string;
  readonly store: Pick<SessionStore, 'session' | 'askBack'>;
  /** Live tasks, as of the last look. */
  readonly tasks: () => readonly TaskRow[];
  readonly isExpired: (taskId: string) => boolean;
  /** Slots of a session. */
  readonly sessionSlots: number;
  /** How long the oldest record of this task has waited for Kinesis, ms. @default 0 */
  readonly backlogMs?: (() => number) | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface MoveWatch {
  readonly taskId: string;
  readonly store: Pick<SessionStore, 'session' | 'askBack'>;
  readonly isExpired: (taskId: string) => boolean;
  readonly sessions: () => Pick<MovableSessions, 'takeBack' | 'isDraining'>;
  /** Whether this is a task that was meant to get the session. */
  readonly isMeant: (owner: string | undefined) => boolean;
}

/**
 * Watches a session that was given away, until its new owner says that media flows. The session is taken back, with the
 * next epoch, when nobody claims it, when the new owner dies, or when the new owner gives it back.
 *
 * @returns true when a task that was meant serves the session, or when nobody has to serve it any more
 */
export async function arrives(
  { rtmsStreamId, epoch }: Movable,
  { taskId, store, sessions, isExpired, isMeant }: MoveWatch,
): Promise<boolean> {
  const sinceMs = performance.now();
  while (!sessions().isDraining) {
    await sleep(LOOK_MS);
    const elapsedMs = performance.now() - sinceMs;
    const row = await store.session(rtmsStreamId);
    switch (judgeMove(row, { taskId, epoch, elapsedMs, isExpired })) {
      case 'wait':
        break;
      case 'moved':
        return isMeant(row?.owner);
      case 'ask_back':
        if (row !== undefined) await store.askBack(row);
        break;
      case 'take_back':
        if (row !== undefined) await sessions().takeBack(row);
        if ((await store.session(rtmsStreamId))?.owner === taskId) return false;
        break;
      case 'over':
        return row === undefined || row.owner === undefined;
    }
  }
  return true;
}
