import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { judgeMove } from './move-rules.ts';
import type { SessionStore } from './store.ts';

/** How often a row is looked at while its session moves. */
const LOOK_MS = 250;

/** A session on this task, as far as moving it is concerned. */
export interface Movable {
  readonly rtmsStreamId: string;
  readonly epoch: number;
}

export interface MoveWatch {
  readonly taskId: string;
  readonly store: Pick<SessionStore, 'session' | 'askBack'>;
  readonly isExpired: (taskId: string) => boolean;
  readonly pool: {
    takeBack(row: SessionRow): Promise<unknown>;
    readonly isDraining: boolean;
  };
  /** Is this who was meant to get it? */
  readonly isMeant: (owner: string | undefined) => boolean;
}

/**
 * Watches a session that was given away until its new owner says that media flows. One that nobody claims, whose owner
 * dies, or who gives it back, is taken back with the next epoch.
 *
 * @returns whether the one who was meant serves it, or nobody has to
 */
export async function arrives(
  { rtmsStreamId, epoch }: Movable,
  { taskId, store, pool, isExpired, isMeant }: MoveWatch,
): Promise<boolean> {
  const sinceMs = performance.now();
  while (!pool.isDraining) {
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
        if (row !== undefined) await pool.takeBack(row);
        if ((await store.session(rtmsStreamId))?.owner === taskId) return false;
        break;
      case 'over':
        return row === undefined || row.owner === undefined;
    }
  }
  return true;
}
